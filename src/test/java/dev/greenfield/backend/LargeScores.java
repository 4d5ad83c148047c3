package dev.greenfield.backend;

import static dev.greenfield.testing.Vectors.normal;

/**
 * Queries, keys and values whose scores reach 30000, where neighbouring float32 numbers are 0.002 apart and so is the logarithm of
 * a softmax's denominator: probabilities made of it sum to 1.001. All queries and keys are tf32 numbers or nearly.
 */
enum LargeScores {
    /** All scores of a query near 30000, and exact in float32: what is lost is lost by the softmax and its derivative. */
    WHOLE("whole numbers", 1 / 16.0) {
        @Override
        double queryOrKey(boolean query, int d, double normal) {
            return d == 0 ? offset(query) : Math.rint(normal);
        }
    },

    /** All scores of a query near 30000, and rounded themselves. */
    ROUNDED("rounded", 1 / 16.0) {
        @Override
        double queryOrKey(boolean query, int d, double normal) {
            return d == 0 ? offset(query) : normal;
        }
    },

    /** Scores from -30000 to 30000: one key takes all, its probability is 1 and no other derivative is left. */
    SATURATED("one key takes all", 1 / 128.0) {
        @Override
        double queryOrKey(boolean query, int d, double normal) {
            return Math.rint(60 * normal);
        }
    };

    private final String words;
    private final double reach;

    LargeScores(String words, double reach) {
        this.words = words;
        this.reach = reach;
    }

    /** Element d of a query or key, made of a normal number. */
    abstract double queryOrKey(boolean query, int d, double normal);

    private static double offset(boolean query) {
        return query ? 100 : 300;
    }

    /** What is special about the scores. */
    String words() {
        return words;
    }

    /** See {@link OperationCase#reach}. */
    double reach() {
        return reach;
    }

    /** [T, 3D] */
    double[] qkv(AttentionShape shape, int tokens) {
        int width = shape.width();
        double[] qkv = normal(22, tokens * 3 * width);
        for (int i = 0; i < qkv.length; i++) {
            int part = i / width % 3;
            if (part < 2) {
                qkv[i] = queryOrKey(part == 0, i % width % shape.headWidth(), qkv[i]);
            }
        }
        return qkv;
    }
}
