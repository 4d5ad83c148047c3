package dev.greenfield.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Writes a safetensors file as a stream: first all tensors are declared, then their elements are appended in that order, in
 * pieces of any size, and nothing but one buffer is held. A file appears under its name only by {@link #commit()}, whole;
 * without it nothing is left behind. For use by one thread.
 *
 * <pre>{@code
 * try (SafetensorsWriter out = SafetensorsWriter.to(file).tensor("green", DType.F32, 3, 48).open()) {
 *     out.write(values);
 *     out.commit();
 * }
 * }</pre>
 */
public final class SafetensorsWriter implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final List<Encoder> tensors;
    private final AtomicFile file; // null when writing to a stream
    private final OutputStream stream; // null when writing to a file
    private final WritableByteChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int current; // index of the tensor that the next element belongs to
    private long remaining; // elements of all tensors that are still to come
    private String ended; // why no more can be written; null while it can

    private SafetensorsWriter(List<Encoder> tensors, AtomicFile file, OutputStream stream) {
        this.tensors = tensors;
        this.file = file;
        this.stream = stream;
        this.channel = file != null ? file.channel() : Channels.newChannel(stream);
        for (Encoder tensor : tensors) {
            remaining += tensor.elements();
        }
    }

    /** Starts the declaration of a file, which on commit replaces any of that name. */
    public static Builder to(Path file) {
        return new Builder(Objects.requireNonNull(file, "file"), null);
    }

    /** Starts the declaration of a file that goes to a stream; commit flushes the stream, and it is never closed here. */
    public static Builder to(OutputStream out) {
        return new Builder(null, Objects.requireNonNull(out, "out"));
    }

    /** What a file will hold. Every mistake is refused where it is made, before anything is written. */
    public static final class Builder {
        private final Path file;
        private final OutputStream stream;
        private final Map<String, String> metadata = new LinkedHashMap<>();
        private final Map<String, Header.StoredTensor> entries = new LinkedHashMap<>();
        private long dataBytes;

        private Builder(Path file, OutputStream stream) {
            this.file = file;
            this.stream = stream;
        }

        /**
         * Adds an item of metadata.
         *
         * @throws IllegalArgumentException if the key is there already, or if either is not well-formed Unicode
         */
        public Builder metadata(String key, String value) {
            requireWellFormed(key, "metadata key");
            requireWellFormed(value, "metadata value");
            if (metadata.putIfAbsent(key, value) != null) {
                throw new IllegalArgumentException(
                        "metadata " + Text.quote(key) + " is given twice; give it once, with one value");
            }
            return this;
        }

        /**
         * Declares the next tensor.
         *
         * @param shape the dimensions, none for a scalar; 0 is allowed
         * @throws IllegalArgumentException if the name is taken or reserved, a dimension is negative, or the size overflows
         */
        public Builder tensor(String name, DType dtype, long... shape) {
            requireWellFormed(name, "tensor name");
            Objects.requireNonNull(dtype, "dtype");
            String what = "tensor " + Text.quote(name) + ": ";
            if (name.equals(HeaderParser.METADATA)) {
                throw new IllegalArgumentException(what + "the format reserves this name; choose another");
            }
            if (entries.containsKey(name)) {
                throw new IllegalArgumentException(what + "declared twice; every name must be its own");
            }
            if (shape.length > HeaderParser.MOST_DIMENSIONS) {
                throw new IllegalArgumentException(what + "it has " + shape.length + " dimensions, expected at most "
                        + HeaderParser.MOST_DIMENSIONS);
            }
            long[] copy = shape.clone();
            if (Arrays.stream(copy).anyMatch(dimension -> dimension < 0)) {
                throw new IllegalArgumentException(
                        what + "shape " + Header.shapeText(copy) + " has a negative dimension, expected 0 or more");
            }
            if (!dtype.readable()) {
                throw new IllegalArgumentException(
                        what + "is " + dtype + ", which is not written here; declare F32 instead");
            }
            long elements = Header.elements(dtype, copy);
            if (elements < 0 || elements * dtype.bytes() > Long.MAX_VALUE - dataBytes) {
                throw new IllegalArgumentException(what + "shape " + Header.shapeText(copy) + " of " + dtype + " after "
                        + dataBytes + " bytes of other tensors overflows: a file has at most " + Long.MAX_VALUE
                        + " bytes");
            }
            long end = dataBytes + elements * dtype.bytes();
            entries.put(name, new Header.StoredTensor(name, dtype, copy, elements, dataBytes, end));
            dataBytes = end;
            return this;
        }

        /** How many dimensions each tensor has that is declared so far, by its name. */
        public Map<String, Integer> ranks() {
            Map<String, Integer> ranks = new LinkedHashMap<>();
            entries.forEach((name, entry) -> ranks.put(name, entry.shape().length));
            return ranks;
        }

        /**
         * Opens the file and writes the header.
         *
         * @throws IllegalArgumentException if the header is longer than the format allows
         * @throws IOException if the file's directory does not exist or cannot be written to
         */
        public SafetensorsWriter open() throws IOException {
            byte[] header = header();
            List<Encoder> tensors = new ArrayList<>();
            for (Header.StoredTensor entry : entries.values()) {
                tensors.add(new Encoder(entry.name(), entry.dtype(), entry.elements()));
            }
            AtomicFile target = file == null ? null : AtomicFile.create(file);
            SafetensorsWriter writer = new SafetensorsWriter(tensors, target, stream);
            try {
                writer.send(ByteBuffer.wrap(header));
                return writer;
            } catch (IOException | RuntimeException e) {
                writer.abandon(e);
                throw e;
            }
        }

        /** Returns the length and the JSON, padded with spaces so that the data begin at a multiple of 8 bytes. */
        private byte[] header() throws IOException {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.writeBytes(new byte[Header.LENGTH_BYTES]);
            try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
                json.writeStartObject();
                if (!metadata.isEmpty()) {
                    json.writeObjectFieldStart(HeaderParser.METADATA);
                    for (Map.Entry<String, String> item : metadata.entrySet()) {
                        json.writeStringField(item.getKey(), item.getValue());
                    }
                    json.writeEndObject();
                }
                for (Header.StoredTensor entry : entries.values()) {
                    json.writeObjectFieldStart(entry.name());
                    json.writeStringField("dtype", entry.dtype().name());
                    json.writeFieldName("shape");
                    json.writeArray(entry.shape(), 0, entry.shape().length);
                    json.writeFieldName("data_offsets");
                    json.writeArray(new long[] {entry.begin(), entry.end()}, 0, 2);
                    json.writeEndObject();
                }
                json.writeEndObject();
            }
            while (out.size() % 8 != 0) {
                out.write(' ');
            }
            int length = out.size() - Header.LENGTH_BYTES;
            if (length > Header.LONGEST) {
                throw new IllegalArgumentException("the header of " + entries.size() + " tensors and "
                        + metadata.size() + " items of metadata takes " + length + " bytes, expected at most "
                        + Header.LONGEST + "; put fewer or shorter ones into a file");
            }
            byte[] header = out.toByteArray();
            ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
            return header;
        }

        private static void requireWellFormed(String text, String what) {
            if (!Text.wellFormed(Objects.requireNonNull(text, what))) {
                throw new IllegalArgumentException(
                        what + " " + Text.quote(text) + " holds half of a surrogate pair, expected whole characters");
            }
        }
    }

    /**
     * Appends elements, converted to the declared types: rounded to nearest, ties to even, for floating-point ones.
     *
     * @param values {@code count} of them from index {@code at} on are written; they may span several tensors
     * @throws IllegalArgumentException if there are more than were declared, or one that an integer type cannot hold exactly
     * @throws IllegalStateException after a commit, a close or a failed write
     * @throws IOException if the file cannot be written
     */
    public void write(double[] values, int at, int count) throws IOException {
        Objects.checkFromIndexSize(at, count, values.length);
        append(count, (tensor, done, length) -> tensor.put(values, at + done, length, buffer));
    }

    /** Appends all the values; see {@link #write(double[], int, int)}. */
    public void write(double[] values) throws IOException {
        write(values, 0, values.length);
    }

    /** Appends elements; see {@link #write(double[], int, int)}. */
    public void write(float[] values, int at, int count) throws IOException {
        Objects.checkFromIndexSize(at, count, values.length);
        append(count, (tensor, done, length) -> tensor.put(values, at + done, length, buffer));
    }

    /** Appends all the values; see {@link #write(double[], int, int)}. */
    public void write(float[] values) throws IOException {
        write(values, 0, values.length);
    }

    /** Appends all the values; see {@link #write(double[], int, int)}. */
    public void write(long[] values) throws IOException {
        append(values.length, (tensor, done, length) -> tensor.put(values, done, length, buffer));
    }

    /**
     * Completes the file. One that goes to a path is forced to the disk and then renamed to its name in one step, so that a
     * reader sees either what was there before or the whole of the new.
     *
     * @throws IllegalStateException if a tensor is incomplete, and after a commit, a close or a failed write
     * @throws IOException if the file cannot be written or renamed; the target is as it was
     */
    public void commit() throws IOException {
        requireOpen();
        if (remaining > 0) {
            Encoder tensor = current();
            throw new IllegalStateException("tensor " + Text.quote(tensor.name()) + " has " + tensor.written() + " of "
                    + tensor.elements() + " elements, and " + remaining
                    + " are missing in all; write them before the commit");
        }
        try {
            if (file != null) {
                file.commit();
            } else {
                stream.flush();
            }
            ended = "committed";
        } catch (IOException | RuntimeException e) {
            abandon(e);
            throw e;
        }
    }

    /** Ends the writing. Without a commit before it, the file is dropped and nothing is left behind. */
    @Override
    public void close() {
        if (ended == null) {
            abandon(null);
            ended = "closed";
        }
    }

    private interface Filler {
        void put(Encoder tensor, int done, int length);
    }

    private void append(int count, Filler filler) throws IOException {
        requireOpen();
        if (count > remaining) {
            throw new IllegalArgumentException(count + " elements were given, but only " + remaining
                    + " of those declared are missing; declare every tensor with its full shape");
        }
        try {
            for (int done = 0; done < count; ) {
                Encoder tensor = current();
                int room = BUFFER_BYTES / tensor.dtype().bytes();
                int length = (int) Math.min(Math.min(count - done, room), tensor.elements() - tensor.written());
                buffer.clear();
                filler.put(tensor, done, length);
                send(buffer.flip());
                done += length;
                remaining -= length;
            }
        } catch (IOException | RuntimeException e) {
            abandon(e);
            throw e;
        }
    }

    /** Returns the first tensor that is incomplete; there is one as long as elements remain. */
    private Encoder current() {
        while (tensors.get(current).written() == tensors.get(current).elements()) {
            current++;
        }
        return tensors.get(current);
    }

    private void send(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private void requireOpen() {
        if (ended != null) {
            throw new IllegalStateException("the file was " + ended + "; open another writer");
        }
    }

    /** After a failure the pieces that were written are worthless; a second failure on the way out is attached to it. */
    private void abandon(Exception reason) {
        ended = "dropped because a write failed";
        if (file != null) {
            file.drop(reason);
        }
    }
}
