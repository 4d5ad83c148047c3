package dev.greenfield.failure;

/**
 * A way to stop calls from another thread. Everything that is called within {@link #call} heeds it, whichever model or run it asks:
 *
 * <pre>{@code
 * Cancellation stop = Cancellation.create();
 * button.onClick(stop::cancel);
 * ResponseMap map = stop.call(() -> run.responseMap().compute());
 * }</pre>
 *
 * <p>A cancelled call throws {@link CancelledException}, and so does one whose thread is interrupted, with or without a cancellation.
 * Long calls look between the steps of their work, which take well below a second; a GPU first finishes what it was given. Only the
 * thread that makes the call heeds it: work that the caller hands to other threads must be wrapped there. Once cancelled, it stays so.
 */
public final class Cancellation {
    /** What each thread works within, the innermost first; null where there is nothing. */
    private static final ThreadLocal<Frame> WITHIN = new ThreadLocal<>();

    private record Frame(Cancellation cancellation, Frame outer) {}

    private volatile boolean cancelled;

    private Cancellation() {}

    /** A cancellation that nobody has asked for yet. */
    public static Cancellation create() {
        return new Cancellation();
    }

    /** Stops all calls within it, now and later. Any thread may ask, and more than once. */
    public void cancel() {
        cancelled = true;
    }

    /** Whether {@link #cancel} was called. */
    public boolean isCancelled() {
        return cancelled;
    }

    /**
     * Work that can be stopped.
     *
     * @param <T> what it gives
     * @param <E> what it may fail with besides unchecked exceptions
     */
    public interface Work<T, E extends Exception> {
        T get() throws E;
    }

    /**
     * Does work that this cancellation can stop. A cancellation that the call itself stands within goes on being heeded.
     *
     * @return what the work gives
     * @throws CancelledException when it was stopped
     */
    public <T, E extends Exception> T call(Work<T, E> work) throws E {
        Frame outer = WITHIN.get();
        WITHIN.set(new Frame(this, outer));
        try {
            check();
            return work.get();
        } finally {
            if (outer == null) {
                WITHIN.remove();
            } else {
                WITHIN.set(outer);
            }
        }
    }

    /**
     * Gives the work of this thread up if it was asked to: what long calls do between their steps.
     *
     * @throws CancelledException if this thread is interrupted, which it then still is, or works within a cancellation that was
     *     asked for
     */
    public static void check() {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancelledException(
                    "the thread was interrupted: the call was given up, ask again to have its result");
        }
        for (Frame frame = WITHIN.get(); frame != null; frame = frame.outer()) {
            if (frame.cancellation().cancelled) {
                throw new CancelledException("the call was cancelled and given up: ask again to have its result");
            }
        }
    }
}
