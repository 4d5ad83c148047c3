package dev.greenfield.spark;

import dev.greenfield.safetensors.DType;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads elements of tensors that rows name by path, type and offset. Keeps the last files open; for use by one thread. */
public final class TensorReader implements AutoCloseable {
    private static final int MOST_OPEN = 64;

    private final Map<String, FileChannel> open = new LinkedHashMap<>(16, 0.75f, true);

    /** Reads of no file yet. */
    public TensorReader() {}

    /**
     * Elements of a tensor, in row-major order.
     *
     * @param path of the file
     * @param dtype {@code F32} or {@code F64}
     * @param offset byte of the file at which the tensor begins
     * @param from the first element
     * @param count how many
     * @throws IOException if the file cannot be read, or ends before
     */
    public double[] read(String path, String dtype, long offset, long from, int count) throws IOException {
        boolean single = DType.valueOf(dtype) == DType.F32;
        int bytes = single ? Float.BYTES : Double.BYTES;
        ByteBuffer raw = ByteBuffer.allocate(Math.multiplyExact(count, bytes)).order(ByteOrder.LITTLE_ENDIAN);
        FileChannel channel = channel(path);
        long at = offset + from * bytes;
        while (raw.hasRemaining()) {
            int read = channel.read(raw, at + raw.position());
            if (read < 0) {
                throw new EOFException("file " + path + ": found its end at byte " + (at + raw.position())
                        + ", expected " + raw.remaining() + " more bytes of a tensor; compute the part again");
            }
        }
        raw.flip();
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = single ? raw.getFloat() : raw.getDouble();
        }
        return values;
    }

    private FileChannel channel(String path) throws IOException {
        FileChannel channel = open.get(path);
        if (channel == null) {
            if (open.size() == MOST_OPEN) {
                String oldest = open.keySet().iterator().next();
                open.remove(oldest).close();
            }
            channel = FileChannel.open(Path.of(path), StandardOpenOption.READ);
            open.put(path, channel);
        }
        return channel;
    }

    @Override
    public void close() throws IOException {
        for (FileChannel channel : open.values()) {
            channel.close();
        }
        open.clear();
    }
}
