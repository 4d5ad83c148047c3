package dev.greenfield.map;

/**
 * How far the computation of a {@link ResponseMap} has come, counted in the matrix products that were predicted for it.
 *
 * @param doneFlops of the products that are done, those that a checkpoint spared included; on a GPU of those that are queued, which
 *     within a batch run ahead of what is done
 * @param restoredFlops of the products whose results were taken from a checkpoint
 * @param totalFlops of all products
 * @param seconds since the first product of this process
 */
public record MapProgress(double doneFlops, double restoredFlops, double totalFlops, double seconds) {
    /** How much is done, 0 to 1. */
    public double fraction() {
        return totalFlops > 0 ? doneFlops / totalFlops : 1;
    }

    /** What this process does in a second so far, in flops; 0 before anything is done. */
    public double flopsPerSecond() {
        return seconds > 0 ? (doneFlops - restoredFlops) / seconds : 0;
    }

    /** The seconds that are left at the rate so far; infinite while there is no rate. */
    public double secondsLeft() {
        double left = totalFlops - doneFlops;
        return left <= 0 ? 0 : left / flopsPerSecond();
    }

    /** Is told how a map gets on, on the thread that computes it. */
    public interface Listener {
        /** Called at most about once a second, after a half depth or a batch, and when all is done. */
        void at(MapProgress progress);

        /** Takes a line for people: what was found in a checkpoint, what of it had to be repaired. */
        default void note(String line) {}
    }
}
