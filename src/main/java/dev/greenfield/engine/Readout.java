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
    private final LogitCap cap;

    public Readout(DeviceModel model) {
        this.model = model;
        this.backend = model.backend();
        this.norm = new Norm(backend, model.config(), true);
        this.cap = LogitCap.of(model.config());
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

    /** Likewise; without the constants and the cap of the logits when the rows are derivatives of normalized rows. */
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
                    if (constants) {
                        cap.apply(row);
                    }
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
            if (!cap.exists()) { // one product: the difference of two would round twice
                double[] direction = direction(f, 1, 1);
                return dots(normalized, fold(direction), constant(direction));
            }
            double[] values = logits(normalized, f.answer());
            if (f.kind() == Observable.Kind.LOGIT_DIFFERENCE) {
                double[] minus = logits(normalized, f.foil());
                for (int i = 0; i < values.length; i++) {
                    values[i] -= minus[i];
                }
            }
            return values;
        }
    }

    /** The logit of one token for normalized final rows [n, D], [n]. */
    double[] logits(Matrix normalized, int token) {
        double[] row = model.outputRow(token);
        double[] logits = dots(normalized, fold(row), constant(row));
        cap.apply(logits);
        return logits;
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

    /**
     * The output-matrix direction w with F = (n gain + bias) w, [D], of a logit or a logit difference; where logits have a cap, that of
     * dF.
     *
     * @param slope of the answer's logit as a function of the logit before the cap
     * @param foilSlope likewise of the foil's
     */
    private double[] direction(Resolved f, double slope, double foilSlope) {
        double[] w = model.outputRow(f.answer());
        double[] minus =
                f.kind() == Observable.Kind.LOGIT_DIFFERENCE ? model.outputRow(f.foil()) : new double[w.length];
        for (int i = 0; i < w.length; i++) {
            w[i] = slope * w[i] - foilSlope * minus[i];
        }
        return w;
    }

    /** The same at a run. */
    private double[] direction(Linearization run, Resolved f) {
        return direction(f, cap.slope(capped(run, f, f.answer())), cap.slope(capped(run, f, f.foil())));
    }

    /** The capped logit of a token at F's position; 0 where there is no cap or no token, since nobody needs it then. */
    private double capped(Linearization run, Resolved f, int token) {
        return cap.exists() && token >= 0 ? logits(run.finalNormalized().rows(f.position(), 1), token)[0] : 0;
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
            case LOGIT, LOGIT_DIFFERENCE -> fold(direction(run, f));
        };
    }

    /**
     * First and second derivatives of F along n families of final rows, R[L] + epsilon dx + epsilon^2 / 2 ddx. With n the normalized
     * row and l the logits: n'' is the tangent of LayerNorm at ddx plus its curvature at dx, l'' = W n'', and
     * (log p(a))'' = l''_a - sum of p l'' - variance of l' under p. Where logits have a cap C, l'' is that of C(l): C' l'' + C'' l'^2.
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
                LogProbability point = logProbability(run, f);
                forEachRow(dn, false, (row, slopes) -> second[row] += point.bend(slopes));
            } else if (cap.exists()) {
                addBends(run, f, f.answer(), 1, dn, second);
                if (f.kind() == Observable.Kind.LOGIT_DIFFERENCE) {
                    addBends(run, f, f.foil(), -1, dn, second);
                }
            }
            return new Derivatives(first, second);
        }
    }

    /** Adds sign C'' l'^2 of one token's logit to each row's second derivative. */
    private void addBends(Linearization run, Resolved f, int token, int sign, Matrix dn, double[] second) {
        double bend = sign * cap.bend(capped(run, f, token));
        double[] slopes = dots(dn, fold(model.outputRow(token)), 0);
        for (int i = 0; i < slopes.length; i++) {
            second[i] += bend * slopes[i] * slopes[i];
        }
    }

    /**
     * log p(answer) as a function of the logits before their cap, at F's position of a run.
     *
     * @param gradient by each logit, (e_answer - p) C', [V]
     * @param p the softmax of capped logits, [V]
     * @param capped the logits, [V]
     */
    private record LogProbability(double[] gradient, double[] p, double[] capped, int answer, LogitCap cap) {
        /** The second derivative along logits that move at these slopes and do not bend. */
        double bend(double[] slopes) {
            double mean = 0;
            double bends = 0;
            for (int v = 0; v < p.length; v++) {
                mean += p[v] * cap.slope(capped[v]) * slopes[v];
                bends += ((v == answer ? 1 : 0) - p[v]) * cap.bend(capped[v]) * slopes[v] * slopes[v];
            }
            double variance = 0;
            for (int v = 0; v < p.length; v++) {
                double off = cap.slope(capped[v]) * slopes[v] - mean;
                variance += p[v] * off * off;
            }
            return bends - variance;
        }
    }

    private LogProbability logProbability(Linearization run, Resolved f) {
        double[] capped = logits(run.finalNormalized().rows(f.position(), 1));
        double normalizer = logSumExp(capped);
        double[] p = new double[capped.length];
        double[] gradient = new double[capped.length];
        for (int v = 0; v < p.length; v++) {
            p[v] = Math.exp(capped[v] - normalizer);
            gradient[v] = ((v == f.answer() ? 1 : 0) - p[v]) * cap.slope(capped[v]);
        }
        return new LogProbability(gradient, p, capped, f.answer(), cap);
    }

    /** d log p(answer) / d normalized = W' (e_answer - softmax(logits)), with W the folded output matrix. */
    private double[] logProbabilityGradient(Linearization run, Resolved f) {
        int vocabulary = model.config().vocabulary();
        int width = model.config().width();
        double[] weights = logProbability(run, f).gradient();
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
