package dev.greenfield.testing;

import java.util.function.DoubleFunction;

/**
 * Checks a derivative against central differences. The error of a central difference falls with the square of the step, so a
 * right derivative is told from a nearly right one by the fall, with no tolerance to choose: halving the step must quarter
 * the error.
 */
public final class Differences {
    private static final double STEP = 0x1p-8;
    private static final double SECOND_STEP = 0x1p-7;

    private Differences() {}

    /**
     * Fails unless the central differences of {@code f} at 0 converge to {@code derivative} at second order.
     *
     * @param f a smooth function, in float64
     * @param derivative f'(0)
     */
    public static void check(String what, DoubleFunction<double[]> f, double[] derivative) {
        check(what, f, derivative, STEP);
    }

    /** As {@link #check(String, DoubleFunction, double[])} from another first step. */
    public static void check(String what, DoubleFunction<double[]> f, double[] derivative, double step) {
        double coarse = error(f, derivative, step);
        double fine = error(f, derivative, step / 2);
        double scale = Vectors.norm(derivative);
        // Functions that are linear along the way leave rounding only, which grows as steps shrink.
        boolean exact = fine <= (1e-11 + 0x1p-49 / step) * scale;
        double order = Math.log(coarse / fine) / Math.log(2);
        if (!exact && !(Math.abs(order - 2) < 0.1 && fine < 0.05 * scale)) {
            throw new AssertionError(what + ": central differences with steps " + step + " and " + step / 2
                    + " are off by " + coarse + " and " + fine + " of " + scale + ", which is order " + order
                    + ", expected order 2");
        }
    }

    /**
     * Fails unless the second central differences of {@code f} at 0 converge to {@code second} at second order. They lose twice the
     * digits that first ones lose, and have more to lose: steps are longer.
     *
     * @param second f''(0)
     */
    public static void checkSecond(String what, DoubleFunction<double[]> f, double[] second) {
        double coarse = secondError(f, second, SECOND_STEP);
        double fine = secondError(f, second, SECOND_STEP / 2);
        double scale = Vectors.norm(second);
        double rounding = 0x1p-49 / (SECOND_STEP * SECOND_STEP) * Vectors.norm(f.apply(0));
        double order = Math.log(coarse / fine) / Math.log(2);
        if (!(fine <= 8 * rounding) && !(Math.abs(order - 2) < 0.1 && fine < 0.05 * scale)) {
            throw new AssertionError(what + ": second differences with steps " + SECOND_STEP + " and " + SECOND_STEP / 2
                    + " are off by " + coarse + " and " + fine + " of " + scale + ", which is order " + order
                    + ", expected order 2");
        }
    }

    private static double secondError(DoubleFunction<double[]> f, double[] second, double step) {
        double[] difference = Vectors.plus(f.apply(step), 1, f.apply(-step));
        double[] middle = f.apply(0);
        for (int i = 0; i < difference.length; i++) {
            difference[i] = (difference[i] - 2 * middle[i]) / (step * step);
        }
        return Vectors.norm(Vectors.minus(difference, second));
    }

    private static double error(DoubleFunction<double[]> f, double[] derivative, double step) {
        double[] difference = Vectors.minus(f.apply(step), f.apply(-step));
        for (int i = 0; i < difference.length; i++) {
            difference[i] /= 2 * step;
        }
        return Vectors.norm(Vectors.minus(difference, derivative));
    }
}
