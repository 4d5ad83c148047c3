package dev.greenfield.propagation;

/**
 * How the response to one source is spread over the tokens of one target depth. With n(r) the norm of the response r tokens after
 * the source's own, r = 0 to m - 1, its squares are shared out as p(r) = n(r)^2 / sum of n^2.
 *
 * @param tokens m, how many tokens the source can reach at that depth, its own among them; at least 2
 * @param tokenShare 1 - p(0): the share of the energy that has moved along the token axis. The rest stayed at the source's own
 *     token and moved along depth alone; it includes what the stream carries up unchanged
 * @param displacement sum of r p(r): the mean number of tokens that the energy has moved
 * @param front the farthest r with n(r) of at least the given level; 0 where only the own token, or none, has it
 * @param entropy - sum of p ln p, in nats: 0 for one token, ln m when spread evenly
 * @param normalizedEntropy entropy / ln m, from 0 to 1
 * @param participation (sum of p)^2 / sum of p^2, an effective number of tokens: 1 for one token, m when spread evenly
 */
public record Spread(
        int tokens,
        double tokenShare,
        double displacement,
        int front,
        double entropy,
        double normalizedEntropy,
        double participation) {

    /** The least number of tokens of which it can be asked how a response is spread over them. */
    static final int LEAST = 2;

    /**
     * Measures one row.
     *
     * @param norms n(0) to n(m - 1), [m], not all zero
     * @param level the norm that counts as reached
     * @throws IllegalArgumentException if there are fewer than two norms, one is not finite, or all are zero
     */
    public static Spread of(double[] norms, double level) {
        double largest = 0;
        for (double norm : norms) {
            if (!(norm >= 0) || Double.isInfinite(norm)) {
                throw new IllegalArgumentException(
                        "found a norm of " + norm + ", expected a finite number of at least 0");
            }
            largest = Math.max(largest, norm);
        }
        if (norms.length < LEAST || largest == 0) {
            throw new IllegalArgumentException("found " + norms.length + " norms, the largest " + largest
                    + ", expected two or more, not all zero");
        }
        // Relative to the largest: squares of very small norms must not vanish all at once.
        double sum = 0;
        for (double norm : norms) {
            sum += (norm / largest) * (norm / largest);
        }
        double displacement = 0;
        double moved = 0;
        double entropy = 0;
        double squares = 0;
        int front = 0;
        for (int r = 0; r < norms.length; r++) {
            double p = (norms[r] / largest) * (norms[r] / largest) / sum;
            displacement += r * p;
            moved += r > 0 ? p : 0;
            entropy -= p > 0 ? p * Math.log(p) : 0;
            squares += p * p;
            front = norms[r] > 0 && norms[r] >= level ? r : front;
        }
        return new Spread(
                norms.length, moved, displacement, front, entropy, entropy / Math.log(norms.length), 1 / squares);
    }
}
