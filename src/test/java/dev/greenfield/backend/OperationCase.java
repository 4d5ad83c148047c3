package dev.greenfield.backend;

import dev.greenfield.testing.Vectors;
import dev.greenfield.testing.Yardstick;
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
 * @param curvature dx to the second derivative of f(x + e dx) by e, at 0; null when the operation has none
 * @param reach how long directions are, as a factor of normal ones, along which differences of f converge to its derivatives
 */
public record OperationCase(
        String name,
        double[] point,
        Action value,
        UnaryOperator<double[]> naive,
        Action tangent,
        Action adjoint,
        Action curvature,
        double reach) {

    /** A case whose function bends at lengths of about 1. */
    public OperationCase(
            String name,
            double[] point,
            Action value,
            UnaryOperator<double[]> naive,
            Action tangent,
            Action adjoint,
            Action curvature) {
        this(name, point, value, naive, tangent, adjoint, curvature, 1);
    }

    /** Puts arguments on a workbench, runs the operation there and reads its result. */
    @FunctionalInterface
    public interface Action {
        double[] apply(Workbench bench, double[] argument);
    }

    /** A case that has no derivatives. */
    static OperationCase of(String name, double[] point, Action value, UnaryOperator<double[]> naive) {
        return new OperationCase(name, point, value, naive, null, null, null);
    }

    /** This case with another {@link #reach}. */
    OperationCase reaching(double length) {
        return new OperationCase(name, point, value, naive, tangent, adjoint, curvature, length);
    }

    /** Lays the result of a curvature, which is added to what was there, on the bench. */
    @FunctionalInterface
    interface Accumulation {
        Matrix onto(double[] before);
    }

    /**
     * What an accumulating operation adds, from a run onto zeros; fails unless a second run, onto other numbers, gives their sum.
     *
     * @param fromRow rows before it are neither read nor written
     */
    static double[] added(Workbench bench, int count, int fromRow, Accumulation operation) {
        double[] added = bench.readFrom(fromRow, operation.onto(new double[count]));
        double[] before = Vectors.normal(36, count);
        double[] sum = bench.readFrom(fromRow, operation.onto(before));
        double rounding = 0x1p-19; // of float32, with room for another order of the sums
        double magnitude = Yardstick.magnitude(before) + Yardstick.magnitude(added);
        double off = Yardstick.distance(sum, Vectors.plus(before, 1, added));
        if (!(off <= rounding * magnitude)) {
            throw new AssertionError("what is added differs by " + off + " with what was there");
        }
        return added;
    }

    /** Runs one action of this case on a backend, with gaps around all matrices or without. */
    public double[] run(Action action, Backend backend, boolean padded, double[] argument) {
        try (Workbench bench = new Workbench(backend, padded)) {
            return action.apply(bench, argument);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
