package dev.greenfield.backend;

import static dev.greenfield.testing.Vectors.normal;

import dev.greenfield.backend.reference.Arithmetic;
import dev.greenfield.model.Precision;
import dev.greenfield.testing.Yardstick;
import java.util.ArrayList;
import java.util.List;

/**
 * One action of a case, its exact result and how far a backend may be from it. The same checks run as a test and in
 * {@code dev.greenfield.benchmarks.Smoke}.
 */
public final class OperationCheck {
    /** What a case can compute. */
    public enum Mode {
        VALUE(""),
        TANGENT("tangent of "),
        ADJOINT("adjoint of "),
        CURVATURE("curvature of ");

        private final String words;

        Mode(String words) {
            this.words = words;
        }
    }

    private final OperationCase test;
    private final Mode mode;
    private final OperationCase.Action action;
    private final double[] argument;
    private final double[] exact;
    private final double yardstick;
    private final Yardstick.Rounding rounding;

    private OperationCheck(
            OperationCase test, Mode mode, OperationCase.Action action, double[] argument, Precision precision) {
        this.test = test;
        this.mode = mode;
        this.action = action;
        this.argument = argument;
        exact = run(Backends.REFERENCE.open());
        double[] single = run(Backends.single());
        double[] coarse = precision == Precision.TF32 ? run(Backends.rounding(Arithmetic.TF32)) : single;
        // An operation without products is float32 in both precisions.
        boolean products = Yardstick.distance(coarse, single) > 0;
        rounding = products ? Yardstick.Rounding.TF32 : Yardstick.Rounding.FLOAT32;
        double error = Yardstick.distance(coarse, exact);
        if (products && test.name().startsWith("multiply")) {
            // cuBLAS does not say whether it rounds factors or lets the hardware cut them, and its kernels differ.
            error = Math.max(error, Yardstick.distance(run(Backends.rounding(Arithmetic.TF32_CUT)), exact));
        }
        yardstick = error;
    }

    /** The checks of one case: its value and those derivatives that it has. */
    static List<OperationCheck> of(OperationCase test, Precision precision) {
        List<OperationCheck> checks = new ArrayList<>();
        for (Mode mode : Mode.values()) {
            if (has(test, mode)) {
                checks.add(of(test, mode, precision));
            }
        }
        return checks;
    }

    /** Whether a case has this mode. */
    public static boolean has(OperationCase test, Mode mode) {
        return switch (mode) {
            case VALUE -> true;
            case TANGENT, ADJOINT -> test.tangent() != null;
            case CURVATURE -> test.curvature() != null;
        };
    }

    /**
     * Computes the exact result of one mode of a case and the bound, on the reference backend.
     *
     * @param precision {@link Precision#FP32} or {@link Precision#TF32}
     */
    public static OperationCheck of(OperationCase test, Mode mode, Precision precision) {
        int n = test.point().length;
        return switch (mode) {
            case VALUE -> new OperationCheck(test, mode, test.value(), test.point(), precision);
            case TANGENT -> new OperationCheck(test, mode, test.tangent(), normal(34, n), precision);
            case ADJOINT -> {
                int results = test.run(test.value(), Backends.REFERENCE.open(), false, test.point()).length;
                yield new OperationCheck(test, mode, test.adjoint(), normal(35, results), precision);
            }
            case CURVATURE -> new OperationCheck(test, mode, test.curvature(), normal(38, n), precision);
        };
    }

    private double[] run(Backend oracle) {
        try (oracle) {
            return test.run(action, oracle, false, argument);
        }
    }

    /**
     * The largest error of a backend's result; NaN if there is one in it.
     *
     * @param padded whether matrices have gaps around them
     * @throws AssertionError when something outside the result was written
     */
    public double error(Backend backend, boolean padded) {
        return Yardstick.distance(test.run(action, backend, padded, argument), exact);
    }

    /** The largest error that passes. */
    public double bound() {
        return rounding.bound(yardstick, Yardstick.magnitude(exact));
    }

    /** Fails unless a backend's results, with gaps and without, are within the bound. */
    void verify(Backend backend) {
        for (boolean padded : new boolean[] {false, true}) {
            String what = backend.name() + " " + backend.precision() + " " + this;
            Yardstick.check(what, error(backend, padded), yardstick, Yardstick.magnitude(exact), rounding);
        }
    }

    /** The operation, its mode and what is special about the case. */
    @Override
    public String toString() {
        return mode.words + test.name();
    }
}
