package dev.greenfield.green;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.failure.Task;
import dev.greenfield.statistics.Draws;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;
import org.ejml.interfaces.decomposition.QRDecomposition;

/**
 * Randomized SVD of a matrix A [m, n], mostly an operator's, that is only ever applied: a block Krylov method (Musco and Musco, Randomized
 * block Krylov methods, NIPS 2015) on the random start of Halko, Martinsson and Tropp (SIAM Review 53, 2011). An orthonormal
 * basis V of blocks grows by what A'A makes of its last block; the singular values of A V are those of A as soon as they stand
 * still. Flat spectra, which Green operators have, take a third of the products of plain subspace iteration. Vectors are
 * kept one an array.
 */
final class RandomizedSvd {
    private static final int MOST_BLOCKS = 24;
    private static final int ENERGY_PROBES = 48;

    /** The part of a block's work that its tangents are; the rest are cotangents. */
    private static final double FORWARD_SHARE = 0.5;

    private final Factored a;
    private final int rank;
    private final UniformRandomProvider random;
    private boolean settled;
    private final List<double[]> basis = new ArrayList<>(); // V, orthonormal, [n] each
    private final List<double[]> images = new ArrayList<>(); // A V, [m] each
    private final List<double[]> gram = new ArrayList<>(); // lower triangle of (A V)'(A V), or a little more
    private final HostProducts products;

    private RandomizedSvd(Factored a, int rank, long seed) {
        this.a = a;
        this.rank = rank;
        this.products = a.products();
        this.random = RandomStreams.of(seed, Purpose.FACTORIZATION);
    }

    static LowRank compute(Factored a, int rank, long seed) {
        RandomizedSvd svd = new RandomizedSvd(a, rank, seed);
        return Task.call("singular values", "blocks", svd.mostBlocks() + 1, task -> {
            svd.converged(task);
            task.to(svd.mostBlocks());
            return task.call(1, svd::finish);
        });
    }

    /**
     * Singular values alone.
     *
     * @param values the leading ones, [rank], falling
     * @param settled whether they stood still
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    record Values(double[] values, boolean settled) {}

    static Values values(Factored a, int rank, long seed) {
        RandomizedSvd svd = new RandomizedSvd(a, rank, seed);
        double[] values = Task.call(
                "singular values", "blocks", svd.mostBlocks(), task -> Arrays.copyOf(svd.converged(task), rank));
        return new Values(values, svd.settled);
    }

    private int block() {
        return Math.min(a.inputs(), rank + Math.max(8, rank / 2));
    }

    private int mostBlocks() {
        return Math.min(MOST_BLOCKS, (a.inputs() + block() - 1) / block());
    }

    /** Grows the basis until the leading singular values stand still, or as far as blocks and memory go; these, falling. */
    private double[] converged(Task task) {
        int n = a.inputs();
        int block = block();
        // Singular values settle to rounding; below that level more blocks only stir noise.
        double still = Math.max(1e-9, 4 * a.roundoff());
        long most = a.vectorsInBudget();
        if (block > most) {
            throw new MemoryBudgetException("rank " + rank + " needs " + block + " pairs of vectors of "
                    + a.numbersEach() + " numbers at least, the memory budget leaves room for " + most
                    + ": " + Remedy.RAISE_MEMORY + " or lower the rank");
        }
        double[][] next = Draws.gaussian(block, n, random);
        double[] values = null;
        for (int i = 0; i < MOST_BLOCKS && basis.size() < n && basis.size() + block <= most; i++) {
            double[][] fresh = orthonormalToBasis(next, Math.min(block, n - basis.size()));
            double[][] made = task.call(FORWARD_SHARE, () -> a.applyAll(fresh));
            append(fresh, made);
            double[] before = values;
            values = Ritz.values(gram);
            if (before != null && Ritz.distance(before, values, rank) <= still * values[0]) {
                settled = true;
                break;
            }
            if (basis.size() < n) {
                next = task.call(1 - FORWARD_SHARE, () -> a.adjointAll(made));
            }
            task.to(i + 1);
        }
        settled |= basis.size() == n; // a basis of everything leaves nothing open
        return values;
    }

    private void append(double[][] directions, double[][] made) {
        basis.addAll(Arrays.asList(directions));
        images.addAll(Arrays.asList(made));
        gram.addAll(Arrays.asList(products.inner(made, vectors(images))));
    }

    private static double[][] vectors(List<double[]> list) {
        return list.toArray(double[][]::new);
    }

    private LowRank finish() {
        Cancellation.check();
        Ritz ritz = new Ritz(gram);
        double[] s = Arrays.copyOf(ritz.values, rank);
        double[][] right = new double[rank][a.inputs()];
        double[][] left = new double[rank][a.outputs()];
        products.addCombinations(right, 1, ritz.vectors, vectors(basis));
        products.addCombinations(left, 1, ritz.vectors, vectors(images));
        double captured = 0;
        for (int k = 0; k < rank; k++) {
            double sign = signOf(right[k]);
            scale(right[k], sign);
            scale(left[k], s[k] == 0 ? 0 : sign / s[k]);
            captured += s[k] * s[k];
        }
        // Where a singular value is lost in rounding, so is its left vector: QR keeps the others and completes the set.
        double[][] completed = orthonormal(left);
        double[] u = HostMemory.doubles("the singular vectors", a.outputs(), rank);
        double[] v = HostMemory.doubles("the singular vectors", a.inputs(), rank);
        for (int k = 0; k < rank; k++) {
            double sign = dot(completed[k], left[k]) < 0 ? -1 : 1;
            for (int i = 0; i < a.outputs(); i++) {
                u[i * rank + k] = sign * completed[k][i];
            }
            for (int j = 0; j < a.inputs(); j++) {
                v[j * rank + k] = right[k][j];
            }
        }
        double[] whole = wholeEnergy(ritz);
        double energy = whole[0] == 0 ? 1 : Math.min(1, captured / whole[0]);
        return new LowRank(u, s, v, energy, whole[0] == 0 ? 0 : energy * whole[1] / whole[0], whole[0], settled);
    }

    /**
     * The squared Frobenius norm of A and its standard error. Known when the basis spans all inputs, and summed exactly where
     * that costs at most twice what the factorization did; otherwise |A|^2 = |A V|^2 + |A (I - V V')|^2 with the first part
     * known and the second, small one estimated by Rademacher probes (Meyer, Musco, Musco and Woodruff, Hutch++, 2021).
     */
    private double[] wholeEnergy(Ritz ritz) {
        double known = Arrays.stream(ritz.values).map(x -> x * x).sum();
        if (basis.size() == a.inputs()) {
            return new double[] {known, 0};
        }
        if (a.productsOfNorm() <= 2 * (2 * basis.size() + ENERGY_PROBES)) {
            return new double[] {a.squaredFrobenius(), 0};
        }
        double[][] probes = new double[ENERGY_PROBES][a.inputs()];
        for (double[] probe : probes) {
            for (int i = 0; i < probe.length; i++) {
                probe[i] = random.nextBoolean() ? 1 : -1;
            }
        }
        removeBasis(probes);
        double sum = 0;
        double squares = 0;
        for (double[] image : a.applyAll(probes)) {
            double rest = dot(image, image);
            sum += rest;
            squares += rest * rest;
        }
        double mean = sum / ENERGY_PROBES;
        double variance = Math.max(0, squares / ENERGY_PROBES - mean * mean) / (ENERGY_PROBES - 1);
        return new double[] {known + mean, Math.sqrt(variance)};
    }

    /** An orthonormal basis of what is new in the vectors, at most {@code most} of them. */
    private double[][] orthonormalToBasis(double[][] vectors, int most) {
        double[][] kept = Arrays.copyOf(vectors, most);
        for (int pass = 0; pass < 2; pass++) { // once removes the overlap, twice its rounding
            removeBasis(kept);
            double[][] bySquares = orthonormalBySquares(kept);
            kept = bySquares == null ? orthonormal(kept) : bySquares;
        }
        return kept;
    }

    /** Makes the vectors orthogonal to the basis, as far as rounding lets them. */
    private void removeBasis(double[][] vectors) {
        double[][] directions = vectors(basis);
        products.addCombinations(vectors, -1, products.inner(vectors, directions), directions);
    }

    /**
     * An orthonormal basis of the vectors' span from their inner products: with V V' = L L' the rows of inv(L) V. It is as exact as
     * the square of V's condition lets it be, so done twice (Yamamoto, Nakatsukasa, Yanagisawa and Fukaya, Roundoff error analysis of
     * the CholeskyQR2 algorithm, 2015) it is exact to rounding where that is not lost the first time.
     *
     * @return null where the vectors are too nearly dependent for it
     */
    private double[][] orthonormalBySquares(double[][] vectors) {
        double[][] squares = products.inner(vectors, vectors);
        double[][] inverse = InverseFactor.of(squares);
        if (inverse == null) {
            return null;
        }
        double[][] made = new double[vectors.length][vectors[0].length];
        products.addCombinations(made, 1, inverse, vectors);
        return made;
    }

    /** An orthonormal basis of the vectors' span, by Householder QR. */
    private static double[][] orthonormal(double[][] vectors) {
        DMatrixRMaj columns = CommonOps_DDRM.transpose(new DMatrixRMaj(vectors), null);
        QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(columns.numRows, columns.numCols);
        // The result says whether R is regular. Dependent vectors, such as the zeros of an operator that causality
        // forbids, are
        // no failure: the columns of Q are orthonormal whatever R is.
        qr.decompose(columns);
        DMatrixRMaj q = CommonOps_DDRM.transpose(qr.getQ(null, true), null);
        double[][] rows = new double[vectors.length][q.numCols];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(q.data, i * q.numCols, rows[i], 0, q.numCols);
        }
        return rows;
    }

    private static void scale(double[] x, double factor) {
        for (int i = 0; i < x.length; i++) {
            x[i] *= factor;
        }
    }

    /** Four sums side by side: additions to a single one would each wait for the last, and this is where the host's time goes. */
    private static double dot(double[] a, double[] b) {
        double sum0 = 0;
        double sum1 = 0;
        double sum2 = 0;
        double sum3 = 0;
        int i = 0;
        for (; i < a.length - 3; i += 4) {
            sum0 += a[i] * b[i];
            sum1 += a[i + 1] * b[i + 1];
            sum2 += a[i + 2] * b[i + 2];
            sum3 += a[i + 3] * b[i + 3];
        }
        for (; i < a.length; i++) {
            sum0 += a[i] * b[i];
        }
        return (sum0 + sum1) + (sum2 + sum3);
    }

    private static double signOf(double[] v) {
        double largest = 0;
        for (double x : v) {
            if (Math.abs(x) > Math.abs(largest)) {
                largest = x;
            }
        }
        return largest < 0 ? -1 : 1;
    }

    /** Singular values of A V, falling, with its right singular vectors one a row: the eigenvectors of (A V)'(A V). */
    private static final class Ritz {
        final double[] values;
        final double[][] vectors;

        Ritz(List<double[]> lower) {
            int n = lower.size();
            EigenDecomposition_F64<DMatrixRMaj> eigen = eigen(lower, true);
            Integer[] order = new Integer[n];
            Arrays.setAll(order, i -> i);
            Arrays.sort(
                    order,
                    (i, j) -> Double.compare(
                            eigen.getEigenvalue(j).getReal(),
                            eigen.getEigenvalue(i).getReal()));
            values = new double[n];
            vectors = new double[n][];
            for (int k = 0; k < n; k++) {
                values[k] = Math.sqrt(Math.max(0, eigen.getEigenvalue(order[k]).getReal()));
                vectors[k] = Arrays.copyOf(eigen.getEigenVector(order[k]).data, n);
            }
        }

        /** The singular values alone, falling: a fraction of the work, and all that tells whether they stand still. */
        static double[] values(List<double[]> lower) {
            EigenDecomposition_F64<DMatrixRMaj> eigen = eigen(lower, false);
            double[] values = new double[lower.size()];
            Arrays.setAll(
                    values, k -> Math.sqrt(Math.max(0, eigen.getEigenvalue(k).getReal())));
            Arrays.sort(values);
            for (int i = 0; i < values.length / 2; i++) {
                double other = values[values.length - 1 - i];
                values[values.length - 1 - i] = values[i];
                values[i] = other;
            }
            return values;
        }

        private static EigenDecomposition_F64<DMatrixRMaj> eigen(List<double[]> lower, boolean vectors) {
            int n = lower.size();
            DMatrixRMaj matrix = new DMatrixRMaj(n, n);
            for (int i = 0; i < n; i++) {
                for (int j = 0; j <= i; j++) {
                    matrix.set(i, j, lower.get(i)[j]);
                    matrix.set(j, i, lower.get(i)[j]);
                }
            }
            EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(n, vectors, true);
            if (!eigen.decompose(matrix)) {
                throw new ArithmeticException(
                        "the eigenvalues of a symmetric " + n + " x " + n + " matrix did not converge");
            }
            return eigen;
        }

        /** The largest change of the first {@code count} singular values since those of an earlier, smaller basis. */
        static double distance(double[] earlier, double[] now, int count) {
            double largest = 0;
            for (int k = 0; k < count; k++) {
                largest = Math.max(largest, Math.abs(now[k] - earlier[k]));
            }
            return largest;
        }
    }
}
