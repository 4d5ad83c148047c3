package dev.greenfield.backend.reference;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.AttentionTangents;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.BlockOperations;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.BufferLedger;
import dev.greenfield.backend.ColumnOperations;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.model.Activation;
import dev.greenfield.model.Precision;
import java.util.Arrays;
import java.util.stream.IntStream;

/** The operations as their definitions say, in double precision, on Java arrays. Reference, not engine: simple and slow. */
public final class ReferenceBackend implements Backend {
    /** Terms that a matrix product adds up at a time. */
    private static final int SUMMANDS = 16;

    private final Arithmetic arithmetic;
    private final ReferenceLayerNorm layerNorm;
    private final ReferenceAttention attention;
    private final ReferenceAttentionTangents attentionTangents;
    private final ReferenceActivation activation;
    private final ReferenceColumns columns;
    private final ReferenceBlocks blocks;
    private final ReferenceInjection injection;
    private final BufferLedger ledger = new BufferLedger();

    /** The float64 oracle. */
    public ReferenceBackend() {
        this(Arithmetic.DOUBLE);
    }

    /** The same loops, rounded as {@code arithmetic} says. */
    public ReferenceBackend(Arithmetic arithmetic) {
        this.arithmetic = arithmetic;
        this.layerNorm = new ReferenceLayerNorm(arithmetic);
        this.attention = new ReferenceAttention(arithmetic);
        this.attentionTangents = new ReferenceAttentionTangents(arithmetic, attention);
        this.activation = new ReferenceActivation(arithmetic);
        this.blocks = new ReferenceBlocks(arithmetic, activation);
        this.columns = new ReferenceColumns(arithmetic, layerNorm);
        this.injection = new ReferenceInjection(arithmetic);
    }

    private double r(double x) {
        return arithmetic.round(x);
    }

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public String device() {
        return "plain Java on " + Runtime.getRuntime().availableProcessors() + " processors";
    }

    @Override
    public Precision precision() {
        return Precision.FP64;
    }

    @Override
    public BufferLedger ledger() {
        return ledger;
    }

    @Override
    public void keepWithin(long bytes) {
        // Nothing is kept: what is closed is the garbage collector's.
    }

    @Override
    public long defaultBudget() {
        // Java's heap bounds it, and some of the heap is for everything else.
        return Runtime.getRuntime().maxMemory() / 10 * 8;
    }

    @Override
    public long maxBufferLength() {
        return Integer.MAX_VALUE - 8;
    }

    @Override
    public int preferredChunkRows() {
        return 256;
    }

    @Override
    public int preferredAttentionRows() {
        return 256;
    }

    @Override
    public double condensationThreshold() {
        return 1;
    }

    @Override
    public String arrangement() {
        return "as written";
    }

    @Override
    public Buffer allocate(String label, long elements) {
        if (elements > maxBufferLength()) {
            throw new MemoryBudgetException("'" + label + "' needs " + elements
                    + " elements, one buffer of the reference" + " backend holds at most " + maxBufferLength()
                    + ": ask for less at once, or use another backend");
        }
        try {
            return new ReferenceBuffer(label, new double[(int) elements], ledger);
        } catch (OutOfMemoryError e) {
            throw new MemoryBudgetException("'" + label + "' needs " + MemoryBudgetException.amount(elements * 8)
                    + " of Java heap and that is not free: start Java with a larger -Xmx or " + Remedy.LOWER_MEMORY);
        }
    }

    @Override
    public void upload(double[] from, int at, Buffer to, long offset, int count) {
        double[] x = ReferenceBuffer.of(to);
        for (int i = 0; i < count; i++) {
            x[(int) offset + i] = r(from[at + i]);
        }
    }

    @Override
    public void upload(float[] from, int at, Buffer to, long offset, int count) {
        double[] x = ReferenceBuffer.of(to);
        for (int i = 0; i < count; i++) {
            x[(int) offset + i] = from[at + i];
        }
    }

    @Override
    public void download(Buffer from, long offset, double[] to, int at, int count) {
        System.arraycopy(ReferenceBuffer.of(from), (int) offset, to, at, count);
    }

    @Override
    public void multiply(
            double alpha, Matrix a, boolean transposeA, Matrix b, boolean transposeB, double beta, Matrix c) {
        int inner = transposeA ? a.rows() : a.columns();
        if (inner != (transposeB ? b.columns() : b.rows())
                || c.rows() != (transposeA ? a.columns() : a.rows())
                || c.columns() != (transposeB ? b.rows() : b.columns())) {
            throw new IllegalArgumentException("shapes do not multiply: " + a + " and " + b + " into " + c);
        }
        double[] x = ReferenceBuffer.of(a);
        double[] y = ReferenceBuffer.of(b);
        double[] z = ReferenceBuffer.of(c);
        IntStream.range(0, c.rows()).parallel().forEach(i -> {
            double[] sum = new double[c.columns()];
            double[] part = new double[c.columns()];
            for (int k0 = 0; k0 < inner; k0 += SUMMANDS) {
                // Sums of few terms, then the sum of the sums: rounding grows with the logarithm, not with the length.
                Arrays.fill(part, 0);
                for (int k = k0; k < Math.min(k0 + SUMMANDS, inner); k++) {
                    double factor = arithmetic.factor(x[(int) (transposeA ? a.at(k) + i : a.at(i) + k)]);
                    int step = transposeB ? b.stride() : 1;
                    int from = (int) (transposeB ? b.offset() + k : b.at(k));
                    for (int j = 0; j < part.length; j++) {
                        part[j] = r(part[j] + r(factor * arithmetic.factor(y[from + j * step])));
                    }
                }
                for (int j = 0; j < sum.length; j++) {
                    sum[j] = r(sum[j] + part[j]);
                }
            }
            int to = (int) c.at(i);
            for (int j = 0; j < sum.length; j++) {
                z[to + j] = r(r(alpha * sum[j]) + (beta == 0 ? 0 : r(beta * z[to + j])));
            }
        });
    }

    @Override
    public void embed(Matrix words, int[] index, Matrix positions, Matrix x) {
        double[] word = ReferenceBuffer.of(words);
        double[] position = ReferenceBuffer.of(positions);
        double[] values = ReferenceBuffer.of(x);
        for (int t = 0; t < x.rows(); t++) {
            for (int j = 0; j < x.columns(); j++) {
                values[(int) x.at(t) + j] = r(word[(int) words.at(index[t]) + j] + position[(int) positions.at(t) + j]);
            }
        }
    }

    @Override
    public void addBias(Matrix x, Buffer bias) {
        double[] values = ReferenceBuffer.of(x);
        double[] b = ReferenceBuffer.of(bias);
        for (int i = 0; i < x.rows(); i++) {
            for (int j = 0; j < x.columns(); j++) {
                values[(int) x.at(i) + j] = r(values[(int) x.at(i) + j] + b[j]);
            }
        }
    }

    @Override
    public void addBranch(Matrix y, Buffer bias, Matrix x, Matrix sum) {
        double[] branch = ReferenceBuffer.of(y);
        double[] b = bias == null ? new double[y.columns()] : ReferenceBuffer.of(bias);
        double[] values = ReferenceBuffer.of(x);
        double[] sums = ReferenceBuffer.of(sum);
        for (int i = 0; i < x.rows(); i++) {
            for (int j = 0; j < x.columns(); j++) {
                double value = values[(int) x.at(i) + j];
                sums[(int) sum.at(i) + j] = r(value + r(branch[(int) y.at(i) + j] + b[j]));
            }
        }
    }

    @Override
    public void layerNorm(Matrix x, double epsilon, Matrix normalized, Buffer inverseStd) {
        layerNorm.value(x, epsilon, normalized, inverseStd);
    }

    @Override
    public void layerNormTangent(
            Matrix dx,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverseStd,
            Matrix dy,
            boolean accumulate) {
        layerNorm.tangent(dx, rows, fromRow, normalized, inverseStd, dy, accumulate);
    }

    @Override
    public void layerNormCurvature(
            Matrix dx, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverseStd, Matrix ddy) {
        layerNorm.curvature(dx, rows, fromRow, normalized, inverseStd, ddy);
    }

    @Override
    public void attention(
            AttentionShape shape,
            Matrix qkv,
            RaggedRows rows,
            Matrix base,
            int queriesFrom,
            Matrix out,
            Buffer logSumExp) {
        attention.value(shape, qkv, rows, base, queriesFrom, out, logSumExp);
    }

    @Override
    public AttentionTangents attentionTangents() {
        return attentionTangents;
    }

    @Override
    public void attentionTangent(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix dout) {
        attention.tangent(primal, dqkv, rows, queriesFrom, dout);
    }

    @Override
    public void attentionCurvature(
            AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix ddout) {
        attention.curvature(primal, dqkv, rows, queriesFrom, ddout);
    }

    @Override
    public void attentionAdjoint(AttentionPrimal primal, Matrix dout, RaggedRows rows, int queriesFrom, Matrix dqkv) {
        attention.adjoint(primal, dout, rows, queriesFrom, dqkv);
    }

    @Override
    public void activation(Activation kind, Matrix u, Buffer bias, Matrix derivative) {
        double[] x = ReferenceBuffer.of(u);
        double[] b = ReferenceBuffer.of(bias);
        for (int i = 0; i < u.rows(); i++) {
            for (int j = 0; j < u.columns(); j++) {
                int at = (int) u.at(i) + j;
                double argument = r(x[at] + b[j]);
                x[at] = activation.value(kind, argument);
                if (derivative != null) {
                    ReferenceBuffer.of(derivative)[(int) derivative.at(i) + j] = activation.derivative(kind, argument);
                }
            }
        }
    }

    @Override
    public void activationTangent(Matrix du, RaggedRows rows, int fromRow, Matrix derivative, Matrix dg) {
        double[] x = ReferenceBuffer.of(du);
        double[] y = ReferenceBuffer.of(dg);
        double[] d = ReferenceBuffer.of(derivative);
        for (int i = 0; i < du.rows(); i++) {
            int slope = (int) derivative.at(rows.tokenOf(fromRow + i));
            for (int j = 0; j < du.columns(); j++) {
                y[(int) dg.at(i) + j] = r(x[(int) du.at(i) + j] * d[slope + j]);
            }
        }
    }

    @Override
    public void activationSecondDerivative(Activation kind, Matrix u, Buffer bias) {
        double[] x = ReferenceBuffer.of(u);
        double[] b = ReferenceBuffer.of(bias);
        for (int i = 0; i < u.rows(); i++) {
            for (int j = 0; j < u.columns(); j++) {
                int at = (int) u.at(i) + j;
                x[at] = activation.secondDerivative(kind, r(x[at] + b[j]));
            }
        }
    }

    @Override
    public void activationCurvature(Matrix du, RaggedRows rows, int fromRow, Matrix secondDerivative, Matrix ddg) {
        double[] x = ReferenceBuffer.of(du);
        double[] y = ReferenceBuffer.of(ddg);
        double[] d = ReferenceBuffer.of(secondDerivative);
        for (int i = 0; i < du.rows(); i++) {
            int second = (int) secondDerivative.at(rows.tokenOf(fromRow + i));
            for (int j = 0; j < du.columns(); j++) {
                double step = x[(int) du.at(i) + j];
                int at = (int) ddg.at(i) + j;
                y[at] = r(y[at] + r(d[second + j] * r(step * step)));
            }
        }
    }

    @Override
    public void grow(Matrix from, RaggedRows fromRows, int[] origin, Matrix base, Matrix to, RaggedRows toRows) {
        injection.grow(from, fromRows, origin, base, to, toRows);
    }

    @Override
    public void inject(Matrix x, int[] index, Matrix sources, double keep) {
        injection.inject(x, index, sources, keep);
    }

    @Override
    public void injectUnits(Matrix x, int[] index, int[] component) {
        injection.injectUnits(x, index, component);
    }

    @Override
    public void injectSigns(Matrix x, int[] index, long[] bits) {
        injection.injectSigns(x, index, bits);
    }

    @Override
    public BlockOperations blocks() {
        return blocks;
    }

    @Override
    public ColumnOperations columns() {
        return columns;
    }

    @Override
    public void squaredNorms(Matrix x, double[] into, int at) {
        ReferenceSums.squaredNorms(x, into, at);
    }

    @Override
    public void squaredNormMoments(Matrix x, RaggedRows rows, int[] groups, int moments, double[] into, int at) {
        ReferenceSums.squaredNormMoments(x, rows, groups, moments, into, at);
    }

    @Override
    public void dots(Matrix x, RaggedRows rows, int fromRow, Matrix targets, double[] into, int at) {
        ReferenceSums.dots(x, rows, fromRow, targets, into, at);
    }

    @Override
    public void close() {
        // Java arrays need no freeing; open buffers are the caller's leaks and stay in the ledger.
    }
}
