package dev.greenfield.transfer;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.green.LowRank;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import dev.greenfield.statistics.Draws;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.List;

/**
 * How well responses from one depth to another go through the leading k directions of the Green operator G between them, k = 1 to K, with
 * the sites of all tokens up to F's on both sides. For a source J [T D] the response G J is compared with G_k J = U_k S_k V_k' J. All arrays
 * are [K]; errors are |G_k J - G J| / |G J|, and of predicted changes |S . G_k J - S . G J| / |S . G J| with S the sensitivity at the upper depth.
 *
 * <p>Two controls: sources of random direction, for which the leading directions were as much made as for any other; and random input
 * subspaces, G Q Q' J with k orthonormal random directions Q.
 *
 * @param from lower depth
 * @param to upper depth
 * @param energy fraction of |G|^2 (Frobenius) in the first k singular values; an estimate where summing |G|^2 would cost too much
 * @param energyError one standard error of these; 0 where the sum is exact
 * @param displacement error of the response to the displacement at the lower depth
 * @param random root mean square of the error for sources of random direction
 * @param subspace error of the response to the displacement through a random input subspace
 * @param effect error of the predicted change of F by the displacement
 * @param subspaceEffect likewise through a random input subspace
 * @param predicted the predicted change itself, S . G J
 * @param settled whether the singular values stood still; see {@link LowRank#settled}
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record SliceReduction(
        int from,
        int to,
        double[] energy,
        double[] energyError,
        double[] displacement,
        double[] random,
        double[] subspace,
        double[] effect,
        double[] subspaceEffect,
        double predicted,
        boolean settled) {
    private static final int RANDOM_SOURCES = 8;

    /**
     * Of one pair of depths.
     *
     * @param rank K
     * @param seed of the factorization and of the controls
     * @throws InputException if the depths are not in rising order, or the rank is larger than the operator
     */
    public static SliceReduction of(DisplacementTransfer transfer, int from, int to, int rank, long seed) {
        if (from < 0 || from >= to || to > transfer.layers()) {
            throw new InputException("depths " + from + " and " + to + ": expected two depths from 0 to "
                    + transfer.layers() + ", the lower one first");
        }
        return Task.call("slice reduction", "sixths", 6, task -> of(transfer, from, to, rank, seed, task));
    }

    /** Three sixths for the factorization, and the rest for the responses that it is compared with. */
    private static SliceReduction of(DisplacementTransfer transfer, int from, int to, int rank, long seed, Task task) {
        List<Site> sources = transfer.slice(from);
        List<Site> targets = transfer.slice(to);
        GreenOperator green = transfer.green(sources, targets);
        LowRank leading = task.call(3, () -> green.svd(rank, seed));
        double[] source = along(transfer.displacement(), sources);
        double[] sensitivity = along(transfer.sensitivity().field(), targets);
        double[][] randomSources =
                Draws.gaussian(RANDOM_SOURCES, source.length, RandomStreams.of(seed, Purpose.REDUCTION_SOURCES));
        double[][] basis = Draws.subspace(rank, source.length, RandomStreams.of(seed, Purpose.REDUCTION_SUBSPACE));
        double[] response = task.call(1, () -> green.apply(source));
        double[][] randomResponses = task.call(1, () -> green.applyAll(randomSources));
        double[][] basisResponses = task.call(1, () -> green.applyAll(basis));
        double predicted = dot(sensitivity, response);
        double[] displacement = new double[rank];
        double[] random = new double[rank];
        double[] subspace = new double[rank];
        double[] effect = new double[rank];
        double[] subspaceEffect = new double[rank];
        double[] through = new double[response.length];
        double[] throughBasis = new double[response.length];
        double[][] randomThrough = new double[RANDOM_SOURCES][response.length];
        double[] s = leading.s();
        for (int k = 0; k < rank; k++) {
            double[] u = leading.left(k);
            double[] v = leading.right(k);
            add(through, u, s[k] * dot(v, source));
            add(throughBasis, basisResponses[k], dot(basis[k], source));
            double squares = 0;
            for (int i = 0; i < RANDOM_SOURCES; i++) {
                add(randomThrough[i], u, s[k] * dot(v, randomSources[i]));
                squares += Math.pow(error(randomThrough[i], randomResponses[i]), 2);
            }
            displacement[k] = error(through, response);
            random[k] = Math.sqrt(squares / RANDOM_SOURCES);
            subspace[k] = error(throughBasis, response);
            effect[k] = Math.abs(dot(sensitivity, through) - predicted) / Math.abs(predicted);
            subspaceEffect[k] = Math.abs(dot(sensitivity, throughBasis) - predicted) / Math.abs(predicted);
        }
        return new SliceReduction(
                from,
                to,
                leading.energyCurve(),
                leading.energyCurveErrors(),
                displacement,
                random,
                subspace,
                effect,
                subspaceEffect,
                predicted,
                leading.settled());
    }

    /** A field's vectors at sites, one after the other. */
    private static double[] along(Field field, List<Site> sites) {
        double[] vector = HostMemory.doubles("the slice", sites.size(), field.width());
        for (int i = 0; i < sites.size(); i++) {
            System.arraycopy(field.vector(sites.get(i)), 0, vector, i * field.width(), field.width());
        }
        return vector;
    }

    private static void add(double[] to, double[] what, double factor) {
        for (int i = 0; i < to.length; i++) {
            to[i] += factor * what[i];
        }
    }

    private static double error(double[] approximate, double[] exact) {
        double squares = 0;
        for (int i = 0; i < exact.length; i++) {
            squares += (approximate[i] - exact[i]) * (approximate[i] - exact[i]);
        }
        return Math.sqrt(squares / dot(exact, exact));
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
