package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Observable;

/** From the final residual to logits and observables, and back: values, and gradients with respect to R[L]. */
public final class Readout {
    /** Logits held on the backend at a time: 16 MiB of float32. */
    private static final int LOGITS_AT_ONCE = 1 << 22;

    private final DeviceModel model;
    private final Backend backend;
    private final Norm norm; // the last one

    public Readout(DeviceModel model) {
        this.model = model;
        this.backend = model.backend();
        this.norm = new Norm(backend, model.config());
    }

    /**
     * An observable whose tokens are ids and whose position is a token of the run.
     *
     * @param answer token id, or -1 where the kind has none
     * @param foil likewise
     * @param weights [D] for {@link Observable.Kind#LINEAR}, else null
     */
    public record Resolved(Observable.Kind kind, int answer, int foil, double[] weights, int position) {}

    /** Takes the logits of one row after another. */
    private interface RowVisitor {
        void visit(int row, double[] logits);
    }

    /**
     * First and second derivatives of F, each [n].
     *
     * @param first along the first derivatives of n rows
     * @param second along their first and second derivatives
     */
    public record Derivatives(double[] first, double[] second) {}

    /** Makes the logits [V] of normalized final rows [n, D], some rows at a time. */
    private void forEachRow(Matrix normalized, RowVisitor visitor) {
        forEachRow(normalized, true, visitor);
    }

    /** Likewise; without the constants of the logits when the rows are derivatives of normalized rows. */
    private void forEachRow(Matrix normalized, boolean constants, RowVisitor visitor) {
        int vocabulary = model.config().vocabulary();
        int step = Math.max(1, Math.min(normalized.rows(), LOGITS_AT_ONCE / vocabulary));
        double[] row = new double[vocabulary];
        try (Buffer buffer = backend.allocate("logits", (long) step * vocabulary)) {
            for (int r = 0; r < normalized.rows(); r += step) {
                int n = Math.min(step, normalized.rows() - r);
                Matrix part = Matrix.of(buffer, n, vocabulary);
                Matrix rows = normalized.rows(r, n);
                model.unembedding().forEach(words -> {
                    Matrix own =
                            new Matrix(buffer, words.from(), n, words.matrix().rows(), vocabulary);
                    backend.multiply(1, rows, false, words.matrix(), true, 0, own);
                    if (constants) {
                        backend.addBias(own, words.bias());
                    }
                });
                for (int i = 0; i < n; i++) {
                    backend.download(buffer, part.at(i), row, 0, vocabulary);
                    visitor.visit(r + i, row);
                }
            }
        }
    }

    /** The logits of normalized final rows [n, D], as [n, V]. */
    double[] logits(Matrix normalized) {
        int vocabulary = model.config().vocabulary();
        long elements = (long) normalized.rows() * vocabulary;
        if (elements > Integer.MAX_VALUE - 8) {
            throw new MemoryBudgetException("the logits of " + normalized.rows() + " tokens over " + vocabulary
                    + " words are " + elements + " numbers, one array holds " + (Integer.MAX_VALUE - 8)
                    + ": ask for fewer tokens");
        }
        double[] logits = HostMemory.doubles("the logits", elements);
        forEachRow(normalized, (row, values) -> System.arraycopy(values, 0, logits, row * vocabulary, vocabulary));
        return logits;
    }

    /** F of the linearized run. */
    public double value(Linearization run, Resolved f) {
        return values(run.at(model.top()).rows(f.position(), 1), f)[0];
    }

    /** F of each of the final residual rows [n, D], which all stand at F's position. */
    public double[] values(Matrix rows, Resolved f) {
        if (rows.rows() == 0) {
            return new double[0];
        }
        int width = model.config().width();
        if (f.kind() == Observable.Kind.LINEAR) {
            return dots(rows, f.weights(), 0);
        }
        try (Buffer buffer = backend.allocate("final normalized", (long) rows.rows() * width)) {
            Matrix normalized = Matrix.of(buffer, rows.rows(), width);
            norm.value(rows, normalized);
            if (f.kind() == Observable.Kind.LOG_PROBABILITY) {
                double[] values = new double[rows.rows()];
                forEachRow(normalized, (row, logits) -> values[row] = logits[f.answer()] - logSumExp(logits));
                return values;
            }
            double[] direction = direction(f);
            return dots(normalized, fold(direction), constant(direction));
        }
    }

    private double[] dots(Matrix rows, double[] weights, double constant) {
        double[] dots = new double[rows.rows()];
        try (Buffer buffer = backend.allocate("weights of the observable", weights.length)) {
            backend.upload(weights, 0, buffer, 0, weights.length);
            backend.dots(rows, null, 0, Matrix.of(buffer, 1, weights.length), dots, 0);
        }
        for (int i = 0; i < dots.length; i++) {
            dots[i] += constant;
        }
        return dots;
    }

    private static double logSumExp(double[] x) {
        double max = Double.NEGATIVE_INFINITY;
        for (double value : x) {
            max = Math.max(max, value);
        }
        double sum = 0;
        for (double value : x) {
            sum += Math.exp(value - max);
        }
        return max + Math.log(sum);
    }

    /** The output-matrix direction w with F = (n gain + bias) w, [D], of a logit or a logit difference. */
    private double[] direction(Resolved f) {
        double[] w = model.outputRow(f.answer());
        if (f.kind() == Observable.Kind.LOGIT_DIFFERENCE) {
            double[] minus = model.outputRow(f.foil());
            for (int i = 0; i < w.length; i++) {
                w[i] -= minus[i];
            }
        }
        return w;
    }

    private double[] fold(double[] direction) {
        double[] folded = model.finalGain();
        for (int i = 0; i < folded.length; i++) {
            folded[i] *= direction[i];
        }
        return folded;
    }

    private double constant(double[] direction) {
        double[] bias = model.finalBias();
        double sum = 0;
        for (int i = 0; i < bias.length; i++) {
            sum += bias[i] * direction[i];
        }
        return sum;
    }

    /** Writes dF/dR[L] at F's position to a row [1, D] of the backend; it is zero at every other position. */
    public void gradient(Linearization run, Resolved f, Matrix row) {
        double[] gradient = normalizedGradient(run, f);
        backend.upload(gradient, 0, row.buffer(), row.offset(), gradient.length);
        if (f.kind() != Observable.Kind.LINEAR) {
            RaggedRows one = RaggedRows.of(run.length(), new int[] {f.position()}, new int[] {f.position()});
            norm.tangent(row, one, 0, run.finalNorm(), row);
        }
    }

    /** dF by the normalized final row at F's position, [D]; by R[L] itself for a linear F, which sees no LayerNorm. */
    private double[] normalizedGradient(Linearization run, Resolved f) {
        return switch (f.kind()) {
            case LINEAR -> f.weights().clone();
            case LOG_PROBABILITY -> logProbabilityGradient(run, f);
            case LOGIT, LOGIT_DIFFERENCE -> fold(direction(f));
        };
    }

    /**
     * First and second derivatives of F along n families of final rows, R[L] + epsilon dx + epsilon^2 / 2 ddx. With n the normalized
     * row and l the logits: n'' is the tangent of LayerNorm at ddx plus its curvature at dx, l'' = W n'', and
     * (log p(a))'' = l''_a - sum of p l'' - variance of l' under p.
     *
     * @param rows the batch, whose rows at F's position these are
     * @param dx [n, D]
     * @param ddx [n, D]
     */
    public Derivatives derivatives(Linearization run, Resolved f, RaggedRows rows, Matrix dx, Matrix ddx) {
        int n = dx.rows();
        if (n == 0) {
            return new Derivatives(new double[0], new double[0]);
        }
        double[] gradient = normalizedGradient(run, f);
        if (f.kind() == Observable.Kind.LINEAR) {
            return new Derivatives(dots(dx, gradient, 0), dots(ddx, gradient, 0));
        }
        int fromRow = rows.start(f.position());
        Norm.Primal at = run.finalNorm();
        try (Buffer buffer = backend.allocate("final normalized", (long) n * dx.columns())) {
            Matrix dn = Matrix.of(buffer, n, dx.columns());
            norm.tangent(ddx, rows, fromRow, at, dn);
            norm.addCurvature(dx, rows, fromRow, at, dn);
            double[] second = dots(dn, gradient, 0);
            norm.tangent(dx, rows, fromRow, at, dn);
            double[] first = dots(dn, gradient, 0);
            if (f.kind() == Observable.Kind.LOG_PROBABILITY) {
                double[] p = probabilities(run, f);
                forEachRow(dn, false, (row, slopes) -> second[row] -= variance(p, slopes));
            }
            return new Derivatives(first, second);
        }
    }

    private static double variance(double[] p, double[] x) {
        double mean = 0;
        for (int v = 0; v < p.length; v++) {
            mean += p[v] * x[v];
        }
        double variance = 0;
        for (int v = 0; v < p.length; v++) {
            variance += p[v] * (x[v] - mean) * (x[v] - mean);
        }
        return variance;
    }

    /** The softmax of the logits at F's position, [V]. */
    private double[] probabilities(Linearization run, Resolved f) {
        double[] p = logits(run.finalNormalized().rows(f.position(), 1));
        double normalizer = logSumExp(p);
        for (int v = 0; v < p.length; v++) {
            p[v] = Math.exp(p[v] - normalizer);
        }
        return p;
    }

    /** d log p(answer) / d normalized = W' (e_answer - softmax(logits)), with W the folded output matrix. */
    private double[] logProbabilityGradient(Linearization run, Resolved f) {
        int vocabulary = model.config().vocabulary();
        int width = model.config().width();
        double[] weights = probabilities(run, f);
        for (int v = 0; v < vocabulary; v++) {
            weights[v] = (v == f.answer() ? 1 : 0) - weights[v];
        }
        double[] gradient = new double[width];
        try (Buffer left = backend.allocate("token weights", vocabulary);
                Buffer right = backend.allocate("observable gradient", width)) {
            backend.upload(weights, 0, left, 0, vocabulary);
            Matrix sum = Matrix.of(right, 1, width);
            model.unembedding().forEach(words -> {
                int n = words.matrix().rows();
                Matrix own = new Matrix(left, words.from(), 1, n, n);
                backend.multiply(1, own, false, words.matrix(), false, words.from() == 0 ? 0 : 1, sum);
            });
            backend.download(right, 0, gradient, 0, width);
        }
        return gradient;
    }
}
