package dev.greenfield.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A safetensors file, open for reading. The whole header is checked when the file is opened, so a tensor that can be named
 * can be read in full. Files of any size are mapped rather than loaded, so the memory taken is that of the header. Safe for
 * use by several threads.
 *
 * <pre>{@code
 * try (Safetensors file = Safetensors.open(Path.of("model.safetensors"))) {
 *     float[] weight = file.tensor("wte.weight").toFloats();
 * }
 * }</pre>
 *
 * <p>The file must not change while it is open: a read beyond the end of one that was cut short throws {@link UncheckedIOException}.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
public final class Safetensors implements AutoCloseable {
    private final String origin;
    private final Data data;
    private final Header header;
    private final FileStamp stamp; // null where the bytes are no file's

    private Safetensors(String origin, Data data, FileStamp stamp) throws SafetensorsException {
        this.origin = origin;
        this.data = data;
        this.stamp = stamp;
        this.header = HeaderParser.read(data, Text.brief(origin));
    }

    /**
     * Opens a file.
     *
     * @throws SafetensorsException if it is malformed
     * @throws IOException if it does not exist or cannot be read
     */
    public static Safetensors open(Path file) throws IOException {
        return open(file, Data.SEGMENT_BYTES);
    }

    static Safetensors open(Path file, int segmentBytes) throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString(), null, "no such file; expected a safetensors file");
        }
        if (!Files.isRegularFile(file)) {
            // A pipe would wait for a writer for ever, and a directory fails late with a riddle.
            throw new FileSystemException(file.toString(), null, "not a regular file; expected a safetensors file");
        }
        FileStamp stamp = FileStamp.of(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return new Safetensors(
                    file.toString(), Data.map(channel, Text.brief(file.toString()), segmentBytes), stamp);
        } catch (UncheckedIOException cut) {
            throw cut.getCause();
        }
    }

    /**
     * Reads a file that is in memory already, such as a resource of the jar.
     *
     * @param bytes the file, from the buffer's position to its limit; neither copied nor moved, and not to be changed
     * @param origin what messages call it
     * @throws SafetensorsException if it is malformed
     */
    public static Safetensors of(ByteBuffer bytes, String origin) throws IOException {
        return of(bytes, origin, Data.SEGMENT_BYTES);
    }

    static Safetensors of(ByteBuffer bytes, String origin, int segmentBytes) throws IOException {
        Objects.requireNonNull(origin, "origin");
        return new Safetensors(origin, Data.of(bytes, Text.brief(origin), segmentBytes), null);
    }

    /** Returns where the bytes came from: the path as it was given, or the name given with a buffer. */
    public String origin() {
        return origin;
    }

    /** Returns the metadata in the order of the file; empty if there are none. Unmodifiable. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** Returns the names of the tensors in the order of the header, which is the order of the data in most files. Unmodifiable. */
    public Set<String> names() {
        return header.entries().keySet();
    }

    /** Returns whether there is a tensor of that name. */
    public boolean contains(String name) {
        return header.entries().containsKey(name);
    }

    /**
     * Returns a tensor.
     *
     * @throws SafetensorsException if there is none of that name; the message lists near ones, else the first
     */
    public Tensor tensor(String name) throws SafetensorsException {
        Header.StoredTensor entry = header.entries().get(Objects.requireNonNull(name, "name"));
        if (entry == null) {
            throw new SafetensorsException(
                    Text.brief(origin) + ": no tensor " + Text.quote(name) + "; " + Text.suggest(name, names()));
        }
        return new Tensor(data, entry, header.dataStart() + entry.begin());
    }

    /** Returns the size of all tensors together, in bytes. */
    public long dataBytes() {
        return data.size() - header.dataStart();
    }

    /** Bytes of the whole file. */
    public long size() {
        return data.size();
    }

    /**
     * The bytes of the whole file as they were mapped: those that tensors are read from, whatever has taken the file's name since.
     *
     * @throws IllegalStateException if the file is closed
     */
    public InputStream bytes() {
        return data.stream(0, data.size());
    }

    /**
     * Checks that the file has not been written to since it was opened, so that what was read of it is of one state.
     *
     * @throws SafetensorsException if it has been changed or cut short
     */
    public void requireUnchanged() throws IOException {
        if (stamp != null && stamp.changed()) {
            throw data.changed();
        }
    }

    /**
     * Closes the file: later reads of its tensors throw {@link IllegalStateException}. The operating system takes the mapping
     * back when the collector finds it unused, since to do so at once would crash a thread that still reads.
     */
    @Override
    public void close() {
        data.close();
    }

    /** Returns for example {@code model.safetensors (148 tensors, 497759232 bytes)}. */
    @Override
    public String toString() {
        return Text.brief(origin) + " (" + names().size() + " tensors, " + dataBytes() + " bytes)";
    }
}
