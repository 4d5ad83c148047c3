package dev.greenfield.inverse;

import dev.greenfield.green.GreenOperator;
import dev.greenfield.lattice.Site;
import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.NormOps_DDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/**
 * The linear map A [m, n D] of an inverse problem: from sources J at n sites, one after another, to m outputs. Solves
 * min |A J - b|^2 + lambda |J|^2; for lambda = 0 that is the shortest of the sources that come closest to b.
 */
sealed interface Tangent extends LeastSquares.Map {
    /** The sites, in the order of a source's parts. */
    List<Site> sites();

    /** A J, [m]. */
    @Override
    double[] apply(double[] source);

    /** A'v, [n D]. */
    @Override
    double[] adjoint(double[] v);

    /** The columns of one site, [m, D]. */
    DMatrixRMaj block(int site);

    /** The same map from some of the sites, given by their places. */
    Tangent at(List<Integer> places);

    /** The square of the largest singular value. */
    double largestSquare();

    /**
     * Solves the least-squares problem.
     *
     * @param stop when to stop, where that is done by iteration
     */
    LeastSquares.Solution solve(double[] wanted, double lambda, LeastSquares.Stop stop);

    /** Few outputs: A is held by its rows [m][n D], and J = A'(A A' + lambda)^-1 b. */
    record Rows(List<Site> sites, double[][] rows) implements Tangent {
        @Override
        public double[] apply(double[] source) {
            double[] outputs = new double[rows.length];
            for (int k = 0; k < rows.length; k++) {
                outputs[k] = LeastSquares.dot(rows[k], source);
            }
            return outputs;
        }

        @Override
        public double[] adjoint(double[] v) {
            double[] sum = new double[rows[0].length];
            for (int k = 0; k < rows.length; k++) {
                LeastSquares.add(sum, v[k], rows[k]);
            }
            return sum;
        }

        @Override
        public DMatrixRMaj block(int site) {
            int width = width();
            DMatrixRMaj block = new DMatrixRMaj(rows.length, width);
            for (int k = 0; k < rows.length; k++) {
                System.arraycopy(rows[k], site * width, block.data, k * width, width);
            }
            return block;
        }

        private int width() {
            return rows[0].length / sites.size();
        }

        @Override
        public Tangent at(List<Integer> places) {
            int width = width();
            double[][] some = new double[rows.length][places.size() * width];
            for (int k = 0; k < rows.length; k++) {
                for (int i = 0; i < places.size(); i++) {
                    System.arraycopy(rows[k], places.get(i) * width, some[k], i * width, width);
                }
            }
            return new Rows(places.stream().map(sites::get).toList(), some);
        }

        @Override
        public double largestSquare() {
            return NormOps_DDRM.normP2(gram());
        }

        private DMatrixRMaj gram() {
            DMatrixRMaj gram = new DMatrixRMaj(rows.length, rows.length);
            for (int i = 0; i < rows.length; i++) {
                for (int j = 0; j < rows.length; j++) {
                    gram.set(i, j, LeastSquares.dot(rows[i], rows[j]));
                }
            }
            return gram;
        }

        /** By the pseudo-inverse of the Gram matrix, since observables may depend on each other. */
        @Override
        public LeastSquares.Solution solve(double[] wanted, double lambda, LeastSquares.Stop stop) {
            DMatrixRMaj gram = gram();
            for (int i = 0; i < rows.length; i++) {
                gram.add(i, i, lambda);
            }
            LinearSolverDense<DMatrixRMaj> solver = LinearSolverFactory_DDRM.pseudoInverse(true);
            if (!solver.setA(gram)) {
                throw new ArithmeticException("the singular values of a " + rows.length + " x " + rows.length
                        + " Gram matrix did not converge");
            }
            DMatrixRMaj weights = new DMatrixRMaj(rows.length, 1);
            solver.solve(DMatrixRMaj.wrap(rows.length, 1, wanted.clone()), weights);
            double[] source = adjoint(weights.data);
            double[] residual = wanted.clone();
            LeastSquares.add(residual, -1, apply(source));
            double misfit = LeastSquares.norm(residual) / LeastSquares.norm(wanted);
            return new LeastSquares.Solution(source, new double[] {1, misfit});
        }
    }

    /** The stream at target sites: A is a Green operator, applied by tangent sweeps and, transposed, by adjoint sweeps. */
    record Green(GreenOperator operator) implements Tangent {
        @Override
        public List<Site> sites() {
            return operator.sources();
        }

        @Override
        public double[] apply(double[] source) {
            return operator.apply(source);
        }

        @Override
        public double[] adjoint(double[] v) {
            return operator.adjoint(v);
        }

        @Override
        public DMatrixRMaj block(int site) {
            GreenOperator slice = operator.slice(List.of(operator.sources().get(site)), operator.targets());
            return DMatrixRMaj.wrap(slice.outputs(), slice.inputs(), slice.materialize());
        }

        @Override
        public Tangent at(List<Integer> places) {
            List<Site> some = places.stream().map(operator.sources()::get).toList();
            return new Green(operator.slice(some, operator.targets()));
        }

        @Override
        public double largestSquare() {
            double largest = operator.spectralNorm();
            return largest * largest;
        }

        @Override
        public LeastSquares.Solution solve(double[] wanted, double lambda, LeastSquares.Stop stop) {
            return LeastSquares.solve(this, wanted, lambda, stop);
        }
    }
}
