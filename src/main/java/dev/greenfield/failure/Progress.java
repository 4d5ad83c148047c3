package dev.greenfield.failure;

/**
 * How far a long call has come. Whoever makes the call is told of it through a {@link Listener}, whichever model or run is asked:
 *
 * <pre>{@code
 * PatchSweep sweep = Progress.watched(
 *         progress -> bar.show(progress.fraction()),
 *         () -> run.patchSweep(donor, observable));
 * }</pre>
 *
 * <p>{@code done} never falls and ends at {@code total}. A search that may end early counts the most that it may take, and goes on to
 * the total in one step when it has found enough. Only the thread that makes the call is watched. On a GPU work counts when it is queued, which may be a little before it is done.
 *
 * @param what the call that is under way, in a word or two: {@code patch sweep}
 * @param done how much of it is done, in units; fractions where a unit takes long
 * @param kept how much of {@code done} was there before the call, such as in a checkpoint
 * @param total how much there is to do, in units; 0 for a call that finds nothing to do
 * @param unit what is counted, in the plural: {@code sites}
 * @param seconds since the call began
 */
public record Progress(String what, double done, double kept, double total, String unit, double seconds) {
    /** How much is done, 0 to 1. */
    public double fraction() {
        return total > 0 ? done / total : 1;
    }

    /** Units that this call does in a second so far; 0 before anything is done. */
    public double perSecond() {
        return seconds > 0 ? (done - kept) / seconds : 0;
    }

    /** The seconds that are left at the rate so far; infinite while there is no rate. */
    public double secondsLeft() {
        double left = total - done;
        return left <= 0 ? 0 : left / perSecond();
    }

    /**
     * Is told how a call gets on, on the thread that makes the call. What it throws ends the call, as a cancellation would: nothing
     * of the call is left, and the model can be used again.
     */
    public interface Listener {
        /** Called at most about once in {@link #everySeconds}, between steps of the work, and when all is done. */
        void at(Progress progress);

        /** Takes a line for people: what was found in a checkpoint, what of it had to be repaired. */
        default void note(String line) {}

        /** How many seconds there are at least between two calls, but for the last; 1 unless said. */
        default double everySeconds() {
            return 1;
        }
    }

    /**
     * Does work whose long calls tell a listener how they get on, one after the other. Within it, calls that are part of a longer
     * call count as a part of that. A listener that the work itself stands within goes on being told.
     *
     * @param listener is told; null for nobody
     * @return what the work gives
     */
    public static <T, E extends Exception> T watched(Listener listener, Cancellation.Work<T, E> work) throws E {
        return listener == null ? work.get() : Task.watched(listener, work);
    }
}
