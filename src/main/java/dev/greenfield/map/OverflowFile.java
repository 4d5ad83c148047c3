package dev.greenfield.map;

import dev.greenfield.failure.CancelledException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * A file for numbers that Java's heap has no room for, mapped into memory. It has lost its name when this returns, where the system
 * allows that, so that nothing is left of it however the process ends; the space is free again when nothing refers to the numbers.
 */
final class OverflowFile {
    private static final int ZEROS = 1 << 20;

    private OverflowFile() {}

    /**
     * So many bytes, all zero, in pieces of at most {@code piece}. The disk's blocks are taken now: a disk that is full is an error here
     * and not a crash when a number is set.
     *
     * @throws UncheckedIOException if the file cannot be made or the disk has no room
     */
    static ByteBuffer[] of(Path directory, String what, long bytes, int piece) {
        Path file = directory.resolve("greenfield-map-" + UUID.randomUUID() + ".tmp");
        try (FileChannel channel = FileChannel.open(
                file,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE)) {
            ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS);
            for (long done = 0; done < bytes; ) {
                zeros.clear().limit((int) Math.min(ZEROS, bytes - done));
                done += channel.write(zeros, done);
            }
            ByteBuffer[] pieces = new ByteBuffer[(int) ((bytes + piece - 1) / piece)];
            for (int p = 0; p < pieces.length; p++) {
                long from = (long) p * piece;
                pieces[p] = channel.map(FileChannel.MapMode.READ_WRITE, from, Math.min(piece, bytes - from))
                        .order(ByteOrder.nativeOrder());
            }
            return pieces;
        } catch (ClosedByInterruptException interrupted) {
            throw new CancelledException("the thread was interrupted: the call was given up", interrupted);
        } catch (IOException failure) {
            throw new UncheckedIOException(
                    what + " cannot be kept in a file of " + bytes + " bytes in " + directory + ": "
                            + failure.getMessage() + "; free some space there, or give Java more memory with -Xmx",
                    failure);
        }
    }
}
