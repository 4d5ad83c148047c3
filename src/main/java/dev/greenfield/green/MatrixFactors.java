package dev.greenfield.green;

import dev.greenfield.failure.Cancellation;
import dev.greenfield.statistics.Draws;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * The leading singular values and vectors of a square matrix A [D, D] on the host, by the block Krylov method of {@link RandomizedSvd}:
 * an orthonormal basis V grows by what A'A makes of its last block until the singular values of A V stand still. A whole decomposition
 * would take D^3 operations, this one takes a few hundred D^2.
 */
final class MatrixFactors {
    private static final int MOST_BLOCKS = 24;
    private static final int BLOCKS_BETWEEN_CHECKS = 3;
    private static final double STILL = 1e-9;

    /** Of what is orthogonal to the basis: less than that of a vector is rounding. */
    private static final double NEGLIGIBLE = 1e-10;

    private final double[] a;
    private final int width;
    private final int rank;
    private final List<double[]> basis = new ArrayList<>(); // V, orthonormal
    private final List<double[]> images = new ArrayList<>(); // A V

    private MatrixFactors(double[] a, int width, int rank) {
        this.a = a;
        this.width = width;
        this.rank = rank;
    }

    /** The leading part of a matrix, row-major [width, width]. */
    static LowRank leading(double[] a, int width, int rank) {
        return new MatrixFactors(a, width, rank).find();
    }

    private LowRank find() {
        int block = Math.min(width, rank + 8);
        List<double[]> next = List.of(Draws.gaussian(block, width, RandomStreams.of(0, Purpose.FACTORIZATION)));
        double[] before = new double[rank];
        boolean settled = false;
        for (int b = 1; b <= MOST_BLOCKS && !settled; b++) {
            Cancellation.check();
            List<double[]> added = extended(next);
            settled = basis.size() == width || added.isEmpty();
            if (basis.size() >= rank && (settled || b % BLOCKS_BETWEEN_CHECKS == 0)) {
                double[] values = values(eigen());
                double[] last = before;
                settled |= IntStream.range(0, rank).allMatch(i -> Math.abs(values[i] - last[i]) <= STILL * values[0]);
                before = values;
            }
            next = added.stream().map(this::adjoint).toList();
        }
        return factors(settled);
    }

    /** Adds to the basis what of some vectors is not in it yet; returns the images of that. */
    private List<double[]> extended(List<double[]> vectors) {
        List<double[]> added = new ArrayList<>();
        for (double[] vector : vectors) {
            double[] rest = vector.clone();
            double whole = Math.sqrt(dot(rest, rest));
            for (int pass = 0; pass < 2; pass++) { // once is not enough in floating point, twice is
                for (double[] known : basis) {
                    add(rest, -dot(rest, known), known);
                }
            }
            double length = Math.sqrt(dot(rest, rest));
            if (basis.size() < width && length > NEGLIGIBLE * whole) {
                for (int i = 0; i < width; i++) {
                    rest[i] /= length;
                }
                basis.add(rest);
                double[] image = image(rest);
                images.add(image);
                added.add(image);
            }
        }
        return added;
    }

    private double[] image(double[] x) {
        double[] y = new double[width];
        IntStream.range(0, width).parallel().forEach(i -> {
            double sum = 0;
            for (int j = 0; j < width; j++) {
                sum += a[i * width + j] * x[j];
            }
            y[i] = sum;
        });
        return y;
    }

    private double[] adjoint(double[] y) {
        double[] x = new double[width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < width; j++) {
                x[j] += a[i * width + j] * y[i];
            }
        }
        return x;
    }

    private static double dot(double[] x, double[] y) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += x[i] * y[i];
        }
        return sum;
    }

    private static void add(double[] to, double factor, double[] what) {
        for (int i = 0; i < to.length; i++) {
            to[i] += factor * what[i];
        }
    }

    /** The decomposition of (A V)'(A V). */
    private EigenDecomposition_F64<DMatrixRMaj> eigen() {
        int n = images.size();
        DMatrixRMaj gram = new DMatrixRMaj(n, n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                double product = dot(images.get(i), images.get(j));
                gram.set(i, j, product);
                gram.set(j, i, product);
            }
        }
        EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(n, true, true);
        if (!eigen.decompose(gram)) {
            throw new IllegalStateException("the singular values of a matrix of " + width + " rows were not found");
        }
        return eigen;
    }

    /** Numbers of the eigenvalues, the largest first. */
    private static int[] order(EigenDecomposition_F64<DMatrixRMaj> eigen) {
        return IntStream.range(0, eigen.getNumberOfEigenvalues())
                .boxed()
                .sorted((i, j) -> Double.compare(
                        eigen.getEigenvalue(j).getReal(), eigen.getEigenvalue(i).getReal()))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private double[] values(EigenDecomposition_F64<DMatrixRMaj> eigen) {
        return Arrays.stream(order(eigen))
                .limit(rank)
                .mapToDouble(i -> Math.sqrt(Math.max(0, eigen.getEigenvalue(i).getReal())))
                .toArray();
    }

    private LowRank factors(boolean settled) {
        EigenDecomposition_F64<DMatrixRMaj> eigen = eigen();
        int[] order = order(eigen);
        double[] u = new double[width * rank];
        double[] v = new double[width * rank];
        double[] s = values(eigen);
        double squares = Arrays.stream(s).map(x -> x * x).sum();
        double whole = dot(a, a);
        for (int k = 0; k < rank; k++) {
            DMatrixRMaj weights = eigen.getEigenVector(order[k]);
            double[] right = new double[width];
            double[] left = new double[width];
            for (int c = 0; c < basis.size(); c++) {
                add(right, weights.get(c, 0), basis.get(c));
                add(left, weights.get(c, 0), images.get(c));
            }
            double largest = 0;
            for (double x : right) {
                largest = Math.abs(x) > Math.abs(largest) ? x : largest;
            }
            double sign = largest < 0 ? -1 : 1;
            for (int i = 0; i < width; i++) {
                v[i * rank + k] = sign * right[i];
                u[i * rank + k] = s[k] == 0 ? 0 : sign * left[i] / s[k];
            }
        }
        return new LowRank(u, s, v, whole == 0 ? 1 : squares / whole, 0, whole, settled);
    }
}
