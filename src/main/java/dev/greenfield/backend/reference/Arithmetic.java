package dev.greenfield.backend.reference;

/**
 * What the reference loops round to after each operation. {@link #SINGLE} runs the same mathematics in float32 terms: the
 * error it makes against {@link #DOUBLE} is the yardstick that float32 backends are held to.
 */
public enum Arithmetic {
    DOUBLE {
        @Override
        double round(double x) {
            return x;
        }
    },
    SINGLE {
        @Override
        double round(double x) {
            return (float) x;
        }
    };

    abstract double round(double x);
}
