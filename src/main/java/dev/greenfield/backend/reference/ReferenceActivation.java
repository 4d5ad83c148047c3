package dev.greenfield.backend.reference;

import dev.greenfield.model.Activation;

/**
 * Activations and their first and second derivatives: the tanh form of GELU (Hendrycks and Gimpel, 2016, as GPT-2 has it), the erf form, and
 * ReLU with derivative 0 at 0, and SiLU. Every step is rounded as the {@link Arithmetic} says, the elementary functions included: a
 * float32 program has no double-precision tanh to lean on.
 */
final class ReferenceActivation {
    private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
    private static final double CUBIC = 0.044715;

    private final Arithmetic arithmetic;

    ReferenceActivation(Arithmetic arithmetic) {
        this.arithmetic = arithmetic;
    }

    private double r(double x) {
        return arithmetic.round(x);
    }

    double value(Activation kind, double u) {
        return switch (kind) {
            case GELU_NEW -> r(r(0.5 * u) * r(1 + tanh(inner(u))));
            case GELU -> r(u * normalCdf(u));
            case RELU -> Math.max(u, 0);
            case SILU -> r(u * sigmoid(u));
        };
    }

    double derivative(Activation kind, double u) {
        return switch (kind) {
            case GELU_NEW -> {
                double t = tanh(inner(u));
                double rising = r(r(r(0.5 * u) * r(1 - r(t * t))) * SQRT_2_OVER_PI);
                yield r(r(0.5 * r(1 + t)) + r(rising * r(1 + r(r(r(3 * CUBIC) * u) * u))));
            }
            case GELU -> r(normalCdf(u) + r(r(u * r(StrictMath.exp(r(r(-0.5 * u) * u)))) / Math.sqrt(2 * Math.PI)));
            case RELU -> u > 0 ? 1 : 0;
            case SILU -> {
                double s = sigmoid(u);
                yield r(s * r(1 + r(u * r(1 - s))));
            }
        };
    }

    /**
     * act''(u). In the tanh form, with z the argument of tanh: (1 - tanh(z)^2) (z' + u (z'' / 2 - tanh(z) z'^2)); in the erf
     * form (2 - u^2) phi(u) with phi the normal density; of SiLU, with s the sigmoid of u, s (1 - s) (2 + u (1 - 2 s)).
     */
    double secondDerivative(Activation kind, double u) {
        return switch (kind) {
            case GELU_NEW -> {
                double t = tanh(inner(u));
                double slope = r(SQRT_2_OVER_PI * r(1 + r(r(r(3 * CUBIC) * u) * u))); // z'
                double half = r(r(3 * CUBIC * SQRT_2_OVER_PI) * u); // z'' / 2
                yield r(r(1 - r(t * t)) * r(slope + r(u * r(half - r(t * r(slope * slope))))));
            }
            case GELU -> {
                double density = r(r(StrictMath.exp(r(r(-0.5 * u) * u))) / Math.sqrt(2 * Math.PI));
                yield r(density * r(2 - r(u * u)));
            }
            case RELU -> 0;
            case SILU -> {
                double s = sigmoid(u);
                yield r(r(s * r(1 - s)) * r(2 + r(u * r(1 - r(2 * s)))));
            }
        };
    }

    private double sigmoid(double u) {
        return r(1 / r(1 + r(StrictMath.exp(-u))));
    }

    /** The argument of the tanh. */
    private double inner(double u) {
        return r(SQRT_2_OVER_PI * r(u + r(r(r(CUBIC * u) * u) * u)));
    }

    /** tanh; in float32 terms from a float32 exponential, as programs without a library's tanh do it. */
    private double tanh(double x) {
        if (arithmetic == Arithmetic.DOUBLE) {
            return StrictMath.tanh(x);
        }
        double e = r(StrictMath.exp(r(2 * Math.abs(x))));
        return Math.signum(x) * r(1 - r(2 / r(e + 1)));
    }

    /** The standard normal distribution function, (1 + erf(u / sqrt 2)) / 2, to a few units in the last place. */
    private double normalCdf(double u) {
        double complement = erfc(r(Math.abs(u) / Math.sqrt(2)));
        if (arithmetic == Arithmetic.DOUBLE) {
            double upper = 0.5 * complement;
            return u < 0 ? upper : 1 - upper;
        }
        // A float32 program has erf, not its complement: the tail below zero is what 1 + erf leaves.
        double erf = r(1 - complement);
        return r(0.5 * r(u < 0 ? 1 - erf : 1 + erf));
    }

    /**
     * erfc(x) for x at least 0: the Maclaurin series of erf for small x, where it loses nothing, and the continued fraction
     * of erfc (Abramowitz and Stegun 7.1.5 and 7.1.14) beyond. In double precision always: float32 libraries have an erf
     * that is good to about a unit in the last place.
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
        return StrictMath.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
    }
}
