package dev.greenfield.engine;

import dev.greenfield.model.ModelConfig;

/**
 * The soft cap of logits, C(l) = c tanh(l / c), and its derivatives by l, as functions of the capped logit y = C(l):
 * C' = 1 - (y / c)^2 and C'' = -2 y / c^2 C'.
 *
 * @param c 0 for none: C is then the identity
 */
record LogitCap(double c) {
    static LogitCap of(ModelConfig config) {
        return new LogitCap(config.architecture().stream().logitCap());
    }

    boolean exists() {
        return c > 0;
    }

    double value(double logit) {
        return exists() ? c * Math.tanh(logit / c) : logit;
    }

    /** Caps logits in place. */
    void apply(double[] logits) {
        for (int v = 0; exists() && v < logits.length; v++) {
            logits[v] = value(logits[v]);
        }
    }

    double slope(double capped) {
        return exists() ? (1 - capped / c) * (1 + capped / c) : 1;
    }

    double bend(double capped) {
        return exists() ? -2 * capped / (c * c) * slope(capped) : 0;
    }
}
