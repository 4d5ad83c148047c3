package dev.greenfield.backend;

/**
 * Memory of one backend, holding {@link #length()} elements of the backend's precision. Belongs to the backend that made it
 * and may be used with no other. Closing it twice is harmless; using it after it was closed is an error.
 */
public abstract class Buffer implements AutoCloseable {
    private final String label;
    private final long length;
    private final BufferLedger ledger;
    private final BufferLedger.OpenBuffer entry;
    private boolean closed;

    protected Buffer(String label, long length, long bytes, BufferLedger ledger) {
        this.label = label;
        this.length = length;
        this.ledger = ledger;
        this.entry = ledger.opened(label, bytes);
    }

    /** What the buffer is for, as said when it was allocated; used in messages. */
    public final String label() {
        return label;
    }

    /** Number of elements. */
    public final long length() {
        return length;
    }

    /** Gives the memory back. */
    protected abstract void release();

    @Override
    public final synchronized void close() {
        if (!closed) {
            closed = true;
            ledger.closed(entry);
            release();
        }
    }

    protected final void requireOpen() {
        if (closed) {
            throw new IllegalStateException("buffer '" + label + "' was used after it was closed");
        }
    }
}
