package dev.greenfield.cli.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Standard output, whose reader may go, as {@code head} does when it has seen enough. Then nobody is there to compute for, and the
 * command ends at once and without a word; where it has files to write too, it goes on without its reader.
 */
final class ResultStream extends OutputStream {
    /** Ends a command whose reader has gone. */
    static final class ReaderGone extends RuntimeException {
        private static final long serialVersionUID = 1;

        ReaderGone(IOException cause) {
            super("the reader of standard output has gone", cause);
        }
    }

    private final OutputStream out;
    private final boolean pipe;
    private boolean gone;
    private boolean worksOn;

    /** With {@code pipe}, whatever goes wrong is that nobody reads. */
    ResultStream(OutputStream out, boolean pipe) {
        this.out = out;
        this.pipe = pipe;
    }

    /** Whether standard output is a pipe, where the system says so. Elsewhere what a failed write says must do. */
    static boolean ofPipe() {
        try {
            String file = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
            return file.startsWith("pipe:") || file.startsWith("socket:");
        } catch (IOException | UnsupportedOperationException notLinux) {
            return false;
        }
    }

    /** From now on there is more to do than to print. */
    synchronized void workOn() {
        worksOn = true;
    }

    /** Whether the reader has gone. */
    synchronized boolean gone() {
        return gone;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] bytes, int from, int length) throws IOException {
        if (!gone) {
            try {
                out.write(bytes, from, length);
            } catch (IOException failed) {
                failed(failed);
            }
        }
    }

    @Override
    public synchronized void flush() throws IOException {
        if (!gone) {
            try {
                out.flush();
            } catch (IOException failed) {
                failed(failed);
            }
        }
    }

    private void failed(IOException failed) throws IOException {
        String message = String.valueOf(failed.getMessage()).toLowerCase(Locale.ROOT);
        if (!pipe && !message.contains("pipe")) {
            throw failed;
        }
        gone = true;
        if (!worksOn) {
            throw new ReaderGone(failed);
        }
    }
}
