package dev.greenfield.backend.reference;

import dev.greenfield.model.Activation;

/**
 * Activations and their derivatives in double precision: the tanh form of GELU (Hendrycks and Gimpel, 2016, as GPT-2 has it),
 * the erf form, and ReLU with derivative 0 at 0.
 */
final class ReferenceActivation {
    private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
    private static final double CUBIC = 0.044715;

    private ReferenceActivation() {}

    static double value(Activation kind, double u) {
        return switch (kind) {
            case GELU_NEW -> 0.5 * u * (1 + Math.tanh(SQRT_2_OVER_PI * (u + CUBIC * u * u * u)));
            case GELU -> u * normalCdf(u);
            case RELU -> Math.max(u, 0);
        };
    }

    static double derivative(Activation kind, double u) {
        return switch (kind) {
            case GELU_NEW -> {
                double t = Math.tanh(SQRT_2_OVER_PI * (u + CUBIC * u * u * u));
                yield 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * SQRT_2_OVER_PI * (1 + 3 * CUBIC * u * u);
            }
            case GELU -> normalCdf(u) + u * Math.exp(-0.5 * u * u) / Math.sqrt(2 * Math.PI);
            case RELU -> u > 0 ? 1 : 0;
        };
    }

    /** The standard normal distribution function, (1 + erf(u / sqrt 2)) / 2, to a few units in the last place. */
    static double normalCdf(double u) {
        double upper = 0.5 * erfc(Math.abs(u) / Math.sqrt(2));
        return u < 0 ? upper : 1 - upper;
    }

    /**
     * erfc(x) for x at least 0: the Maclaurin series of erf for small x, where it loses nothing, and the continued fraction
     * of erfc (Abramowitz and Stegun 7.1.5 and 7.1.14) beyond.
     */
    private static double erfc(double x) {
        if (x < 2) {
            double term = x;
            double sum = x;
            for (int n = 1; Math.abs(term) > 1e-18 * sum; n++) {
                term *= -x * x / n;
                sum += term / (2 * n + 1);
            }
            return 1 - 2 / Math.sqrt(Math.PI) * sum;
        }
        double fraction = 0;
        for (int n = 100; n >= 1; n--) {
            fraction = n / 2.0 / (x + fraction);
        }
        return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
    }
}
