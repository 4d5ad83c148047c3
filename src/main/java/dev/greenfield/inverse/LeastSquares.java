package dev.greenfield.inverse;

import dev.greenfield.failure.Task;
import java.util.Arrays;

/**
 * min |A x - b|^2 + lambda |x|^2 of a map that is only applied: conjugate gradients on the normal equations in the form that
 * never squares A (CGLS; Hestenes and Stiefel 1952; Björck, Numerical Methods for Least Squares Problems, 1996, section 7.4). From
 * x = 0 the iterates stay in the range of A', so that for lambda = 0 they tend to the shortest solution, and stopping early
 * regularizes.
 */
final class LeastSquares {
    private LeastSquares() {}

    /** A linear map A that is only applied. */
    interface Map {
        /** A x. */
        double[] apply(double[] x);

        /** A'v. */
        double[] adjoint(double[] v);
    }

    /**
     * When to stop.
     *
     * @param misfit |b - A x| / |b| that is small enough: a stated noise level (discrepancy principle), or a tolerance
     * @param gradient |A'(b - A x) - lambda x| / |A'b| below which nothing is left to gain
     * @param iterations the most there may be
     */
    record Stop(double misfit, double gradient, int iterations) {}

    /**
     * A solution.
     *
     * @param x [n]
     * @param misfits |b - A x| / |b| before each iteration and after the last
     */
    // A solution is handed over, never compared: arrays spare callers the boxing.
    @SuppressWarnings("ArrayRecordComponent")
    record Solution(double[] x, double[] misfits) {
        double misfit() {
            return misfits[misfits.length - 1];
        }

        int iterations() {
            return misfits.length - 1;
        }
    }

    static Solution solve(Map a, double[] b, double lambda, Stop stop) {
        return Task.call("least squares", "iterations", stop.iterations(), task -> solve(a, b, lambda, stop, task));
    }

    private static Solution solve(Map a, double[] b, double lambda, Stop stop, Task task) {
        double[] residual = b.clone();
        double[] gradient = a.adjoint(residual);
        double[] x = new double[gradient.length];
        double[] direction = gradient.clone();
        double square = dot(gradient, gradient);
        double first = Math.sqrt(square);
        double wanted = norm(b);
        double[] misfits = new double[stop.iterations() + 1];
        misfits[0] = wanted == 0 ? 0 : 1;
        int done = 0;
        while (done < stop.iterations()
                && misfits[done] > stop.misfit()
                && Math.sqrt(square) > stop.gradient() * first) {
            double[] image = a.apply(direction);
            double step = square / (dot(image, image) + lambda * dot(direction, direction));
            add(x, step, direction);
            add(residual, -step, image);
            gradient = a.adjoint(residual);
            add(gradient, -lambda, x);
            double next = dot(gradient, gradient);
            scale(direction, next / square);
            add(direction, 1, gradient);
            square = next;
            misfits[++done] = norm(residual) / wanted;
            task.to(done);
        }
        return new Solution(x, Arrays.copyOf(misfits, done + 1));
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    static double norm(double[] a) {
        return Math.sqrt(dot(a, a));
    }

    /** x += factor d. */
    static void add(double[] x, double factor, double[] d) {
        for (int i = 0; i < x.length; i++) {
            x[i] += factor * d[i];
        }
    }

    static void scale(double[] x, double factor) {
        for (int i = 0; i < x.length; i++) {
            x[i] *= factor;
        }
    }
}
