package dev.greenfield.map;

/** Mean and sum of squared deviations from it of many numbers, each taken over maps that come one by one. */
final class Moments {
    private final PairValues mean;
    private final PairValues squares;

    /** @param numbers how many there are; each takes two of float64 */
    Moments(long numbers) {
        this.mean = new PairValues("the mean of maps", numbers, true);
        this.squares = new PairValues("the variance of maps", numbers, true);
    }

    /** Adds one number of the map that makes them {@code count} (Welford, Technometrics 1962). */
    void add(long at, double number, long count) {
        double old = mean.get(at);
        double before = number - old;
        double now = old + before / count;
        mean.set(at, now);
        squares.set(at, squares.get(at) + before * (number - now));
    }

    /** Adds all numbers of {@code otherCount} maps to those of {@code count} (Chan, Golub and LeVeque, 1979). */
    void combine(Moments other, long count, long otherCount) {
        long both = count + otherCount;
        for (long at = 0; at < mean.count(); at++) {
            double apart = other.mean.get(at) - mean.get(at);
            mean.set(at, mean.get(at) + apart * otherCount / both);
            squares.set(at, squares.get(at) + (other.squares.get(at) + apart * apart * count * otherCount / both));
        }
    }

    PairValues mean() {
        return mean;
    }

    /** Sums of squared deviations. */
    PairValues squares() {
        return squares;
    }
}
