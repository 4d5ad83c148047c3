package dev.greenfield.checkpoint;

import dev.greenfield.engine.Batches;
import dev.greenfield.failure.InputException;
import dev.greenfield.files.WorkLock;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The file of a checkpoint that grows: one record for each batch, in the order of its columns. Each is on the disk before the next
 * batch begins, so that a process that dies loses the one that it computes. Numbers are big-endian.
 *
 * <pre>
 * file    magic (8 bytes), identity of the manifest (8), records
 * record  kind (4), from (4), to (4), count (4), CRC-32C of these 16 bytes (4), values (8 each), CRC-32C of all before it (4)
 * </pre>
 *
 * <p>A record of kind BATCH holds what the columns from (inclusive) to (exclusive) were found to be. One of kind LIMIT has no values:
 * the device refused a batch, and from here on batches have at most {@code from} columns. While it is open the file is locked
 * against other runs ({@link WorkLock}).
 */
final class BatchLog implements AutoCloseable {
    static final String FILE = "batches.log";

    private static final long MAGIC = 0x4746_4d41_504c_4f47L; // GFMAPLOG
    private static final int START = 16;
    private static final int HEADER = 20;
    private static final int BATCH = 1;
    private static final int LIMIT = 2;
    private static final int CHUNK = 1 << 16;

    private final WorkLock lock;
    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK);
    private long end; // of the last whole record that was read or written

    /**
     * A record that was read.
     *
     * @param limit whether it is a LIMIT
     * @param range of a batch its columns; of a limit 0 to the columns that a batch may have
     * @param count of the values
     * @param at where it begins in the file
     */
    record Stored(boolean limit, Batches.Range range, int count, long at) {}

    private BatchLog(WorkLock lock) {
        this.lock = lock;
        this.channel = lock.channel();
    }

    /**
     * Opens the file, which is made where it is missing, and locks it.
     *
     * @throws InputException if another run has it open
     */
    static BatchLog open(Path directory) throws IOException {
        WorkLock lock = WorkLock.take(directory.resolve(FILE))
                .orElseThrow(() -> new InputException("checkpoint " + directory
                        + " is being written by another run: wait until that has ended, or use another directory"));
        return new BatchLog(lock);
    }

    /** Whether nothing has been written yet, or only a part of what a file begins with. */
    boolean fresh() throws IOException {
        return channel.size() < START;
    }

    /** Begins the file. */
    void begin(long identity) throws IOException {
        channel.truncate(0);
        write(ByteBuffer.allocate(START).putLong(MAGIC).putLong(identity).flip(), 0);
        channel.force(true);
        end = START;
    }

    /** Goes to the first record; whether the file is one of ours and belongs to the manifest of this identity. */
    boolean belongsTo(long identity) throws IOException {
        ByteBuffer start = read(START, 0);
        end = START;
        return start.getLong() == MAGIC && start.getLong() == identity;
    }

    /** Goes past the next record; null when there is no whole one. */
    Stored next() throws IOException {
        long left = channel.size() - end;
        if (left < HEADER) {
            return null;
        }
        ByteBuffer header = read(HEADER, end);
        CRC32C sum = new CRC32C();
        sum.update(header.duplicate().limit(HEADER - Integer.BYTES));
        int kind = header.getInt();
        int from = header.getInt();
        int to = header.getInt();
        int count = header.getInt();
        if (header.getInt() != (int) sum.getValue() || count < 0 || length(count) > left) {
            return null;
        }
        Stored entry = new Stored(kind == LIMIT, new Batches.Range(from, to), count, end);
        end += length(count);
        return entry;
    }

    /** Cuts off what follows the last whole record; how many bytes that were. */
    long dropRest() throws IOException {
        long rest = channel.size() - end;
        if (rest > 0) {
            channel.truncate(end);
            channel.force(true);
        }
        return rest;
    }

    private static long length(int count) {
        return HEADER + (long) count * Double.BYTES + Integer.BYTES;
    }

    /** The values of a record; null when they are not what was written. */
    double[] values(Stored entry) throws IOException {
        double[] values = new double[entry.count()];
        CRC32C sum = new CRC32C();
        sum.update(read(HEADER, entry.at()));
        long at = entry.at() + HEADER;
        for (int done = 0; done < values.length; ) {
            int n = Math.min(CHUNK / Double.BYTES, values.length - done);
            ByteBuffer part = read(n * Double.BYTES, at);
            sum.update(part.duplicate());
            part.asDoubleBuffer().get(values, done, n);
            done += n;
            at += (long) n * Double.BYTES;
        }
        return read(Integer.BYTES, at).getInt() == (int) sum.getValue() ? values : null;
    }

    /** Adds a batch's record; when this returns it is on the disk. */
    void append(Batches.Range range, double[] values) throws IOException {
        write(BATCH, range, values, end);
        end += length(values.length);
    }

    /** Notes that batches have at most so many columns from here on. */
    void appendLimit(int columns) throws IOException {
        write(LIMIT, new Batches.Range(0, columns), new double[0], end);
        end += length(0);
    }

    /** Writes a record again over one that was damaged. */
    void rewrite(Stored entry, double[] values) throws IOException {
        write(BATCH, entry.range(), values, entry.at());
    }

    private void write(int kind, Batches.Range range, double[] values, long place) throws IOException {
        CRC32C sum = new CRC32C();
        ByteBuffer header = ByteBuffer.allocate(HEADER)
                .putInt(kind)
                .putInt(range.from())
                .putInt(range.to())
                .putInt(values.length);
        sum.update(header.duplicate().flip());
        header.putInt((int) sum.getValue()).flip();
        sum.reset();
        sum.update(header.duplicate());
        write(header, place);
        long at = place + HEADER;
        for (int done = 0; done < values.length; ) {
            int n = Math.min(CHUNK / Double.BYTES, values.length - done);
            buffer.clear().limit(n * Double.BYTES);
            buffer.asDoubleBuffer().put(values, done, n);
            sum.update(buffer.duplicate());
            write(buffer, at);
            done += n;
            at += (long) n * Double.BYTES;
        }
        write(ByteBuffer.allocate(Integer.BYTES).putInt((int) sum.getValue()).flip(), at);
        channel.force(false);
    }

    private void write(ByteBuffer bytes, long at) throws IOException {
        long place = at;
        while (bytes.hasRemaining()) {
            place += channel.write(bytes, place);
        }
    }

    /** So many bytes from a place, valid until the next call. */
    private ByteBuffer read(int count, long at) throws IOException {
        buffer.clear().limit(count);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, at + buffer.position()) < 0) {
                throw new EOFException("the file " + FILE + " of a checkpoint became shorter while it was read");
            }
        }
        return buffer.flip();
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
