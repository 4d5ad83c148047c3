package dev.greenfield.statistics;

import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.QRDecomposition;

/** Vectors and subspaces of random direction, from a stream. */
public final class Draws {
    private Draws() {}

    /** Vectors of normal numbers, [count][length]: their directions are uniform. */
    public static double[][] gaussian(int count, int length, UniformRandomProvider random) {
        ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
        double[][] vectors = new double[count][length];
        for (double[] vector : vectors) {
            for (int i = 0; i < length; i++) {
                vector[i] = normal.sample();
            }
        }
        return vectors;
    }

    /** An orthonormal basis of a random subspace, [count][length]. */
    public static double[][] subspace(int count, int length, UniformRandomProvider random) {
        DMatrixRMaj columns = CommonOps_DDRM.transpose(new DMatrixRMaj(gaussian(count, length, random)), null);
        QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(columns.numRows, columns.numCols);
        qr.decompose(columns); // normal vectors are independent: nothing to find out from its result
        DMatrixRMaj q = CommonOps_DDRM.transpose(qr.getQ(null, true), null);
        double[][] basis = new double[count][length];
        for (int i = 0; i < count; i++) {
            System.arraycopy(q.data, i * length, basis[i], 0, length);
        }
        return basis;
    }
}
