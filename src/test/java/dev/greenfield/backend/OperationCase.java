package dev.greenfield.backend;

import java.util.function.UnaryOperator;

/**
 * One operation with all its arguments but one: a function y = f(x) of arrays, and where the operation has them its tangent
 * dy = J dx and its adjoint J' dy at {@link #point}. Tests run the same case on every backend, in every mode.
 *
 * @param name the operation, a colon, and what is special here
 * @param point the x at which all is evaluated
 * @param value f
 * @param naive f once more, written from its definition in float64 without a backend; null where there is none
 * @param tangent dx to J dx; null when the operation has none
 * @param adjoint dy to J' dy; null when the operation has none
 */
public record OperationCase(
        String name, double[] point, Action value, UnaryOperator<double[]> naive, Action tangent, Action adjoint) {

    /** Puts arguments on a workbench, runs the operation there and reads its result. */
    @FunctionalInterface
    public interface Action {
        double[] apply(Workbench bench, double[] argument);
    }

    /** A case that has no derivatives. */
    static OperationCase of(String name, double[] point, Action value, UnaryOperator<double[]> naive) {
        return new OperationCase(name, point, value, naive, null, null);
    }

    /** Runs one action of this case on a backend, with gaps around all matrices or without. */
    double[] run(Action action, Backend backend, boolean padded, double[] argument) {
        try (Workbench bench = new Workbench(backend, padded)) {
            return action.apply(bench, argument);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
