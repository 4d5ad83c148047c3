package dev.greenfield.engine;

import java.util.Arrays;

/**
 * What is kept of one row's scores of all tokens while they come by, some tokens at a time: the leading tokens at both ends, how many
 * lie above a chosen one, and the logarithm of the sum of exponentials. Of equal scores the token of the lower id comes first. A row is
 * filled by one thread at a time, tokens in the order of their ids.
 */
public final class TokenLead {
    private final End top;
    private final End bottom;
    private final int chosen; // -1 for none
    private final double chosenScore;
    private int above;
    private double largest = Double.NEGATIVE_INFINITY;
    private double sum; // of exp(score - largest)

    /**
     * @param most how many tokens are kept at each end
     * @param chosen the token whose rank is wanted, or -1
     * @param chosenScore its score
     */
    TokenLead(int most, int chosen, double chosenScore) {
        this.top = new End(most, 1);
        this.bottom = new End(most, -1);
        this.chosen = chosen;
        this.chosenScore = chosenScore;
    }

    /** The leading tokens by sign times score, falling. */
    private static final class End {
        private final int sign;
        private final int[] ids;
        private final double[] scores; // times the sign
        private int size;

        End(int most, int sign) {
            this.sign = sign;
            this.ids = new int[most];
            this.scores = new double[most];
        }

        void take(int id, double score) {
            double value = sign * score;
            if (size == ids.length && (size == 0 || !(value > scores[size - 1]))) {
                return;
            }
            int at = size < ids.length ? size++ : size - 1;
            for (; at > 0 && value > scores[at - 1]; at--) {
                ids[at] = ids[at - 1];
                scores[at] = scores[at - 1];
            }
            ids[at] = id;
            scores[at] = value;
        }
    }

    /** Takes the scores of {@code count} tokens, from {@code first} on. */
    void take(int first, double[] scores, int at, int count) {
        double most = largest;
        for (int i = 0; i < count; i++) {
            double score = scores[at + i];
            top.take(first + i, score);
            bottom.take(first + i, score);
            if (score > chosenScore && first + i != chosen) {
                above++;
            }
            most = Math.max(most, score);
        }
        double more = 0;
        for (int i = 0; i < count; i++) {
            more += Math.exp(scores[at + i] - most);
        }
        sum = more + (sum == 0 ? 0 : sum * Math.exp(largest - most));
        largest = most;
    }

    /** Ids of the tokens of the largest scores, falling. */
    public int[] top() {
        return Arrays.copyOf(top.ids, top.size);
    }

    /** Their scores. */
    public double[] topScores() {
        return Arrays.copyOf(top.scores, top.size);
    }

    /** Ids of the tokens of the smallest scores, rising. */
    public int[] bottom() {
        return Arrays.copyOf(bottom.ids, bottom.size);
    }

    /** Their scores. */
    public double[] bottomScores() {
        return Arrays.stream(bottom.scores).limit(bottom.size).map(x -> -x).toArray();
    }

    /** The chosen token's score; NaN where none was chosen. */
    public double chosenScore() {
        return chosenScore;
    }

    /** How many tokens have a larger score than the chosen one, and one. */
    public int rank() {
        return above + 1;
    }

    /** The logarithm of the sum of the exponentials of all scores. */
    public double logSumExp() {
        return largest + Math.log(sum);
    }
}
