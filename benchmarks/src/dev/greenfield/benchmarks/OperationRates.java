package dev.greenfield.benchmarks;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.backend.cuda.CudaBackend;
import dev.greenfield.backend.cuda.KernelTimes;
import dev.greenfield.backend.cuda.UnfusedAttention;
import dev.greenfield.model.Activation;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What each operation of a sweep that is not a matrix product reaches alone, on a batch whose columns live at all tokens: bytes a second, each operand
 * read or written once, and for attention flops a second, and the time of the same by cuBLAS and cuDNN.
 */
final class OperationRates {
    /**
     * One operation.
     *
     * @param operation as {@link Backend} names it
     * @param shape of the batch, for people
     * @param seconds each
     * @param bytes the fewest that must be read and written
     * @param flops of attention's products that causality leaves; 0 for operations that memory bounds
     * @param unfusedSeconds the same by libraries; 0 where there is nothing to compare with
     * @param note why there is nothing, or null
     */
    record Row(
            String operation,
            String shape,
            double seconds,
            double bytes,
            double flops,
            double unfusedSeconds,
            String note) {}

    /** How often an adjoint is done to see its two kernels apart. */
    private static final int ADJOINTS = 20;

    private final Backend backend;
    private final DeviceRates rates;
    private final Consumer<Row> found;
    private String shape;

    /** @param found receives each row as soon as it is there */
    OperationRates(Backend backend, DeviceRates rates, Consumer<Row> found) {
        this.backend = backend;
        this.rates = rates;
        this.found = found;
    }

    /** Measures every operation on {@code columns} columns of {@code tokens} tokens. */
    void measure(int width, int heads, int tokens, int columns) {
        AttentionShape attention = new AttentionShape(heads, width / heads, 1 / Math.sqrt((double) width / heads));
        int[] last = new int[columns];
        Arrays.fill(last, tokens - 1);
        RaggedRows rows = RaggedRows.of(tokens, new int[columns], last);
        int n = rows.rows();
        int inner = 4 * width;
        shape = "D=" + width + " H=" + heads + " T=" + tokens + " C=" + columns;
        double element = backend.precision().bytes();
        try (Buffer x = rates.random("x", (long) n * width);
                Buffer y = rates.random("y", (long) n * width);
                Buffer three = rates.random("q, k, v", 3L * n * width);
                Buffer hidden = rates.random("hidden", (long) n * inner);
                Buffer second = rates.random("second hidden", (long) n * inner);
                Buffer primal = rates.random("q, k, v of the forward pass", 3L * tokens * width);
                Buffer normalized = rates.random("normalized", (long) tokens * width);
                Buffer derivative = rates.random("derivative", (long) tokens * inner);
                Buffer vector = rates.random("vector", Math.max(inner, tokens));
                Buffer out = rates.random("out", (long) tokens * width);
                Buffer logSumExp = backend.allocate("softmax normalizers", (long) heads * tokens)) {
            Matrix dx = Matrix.of(x, n, width);
            Matrix dy = Matrix.of(y, n, width);
            Matrix dqkv = Matrix.of(three, n, 3 * width);
            Matrix qkv = Matrix.of(primal, tokens, 3 * width);
            Matrix unit = Matrix.of(normalized, tokens, width);
            Matrix ofToken = Matrix.of(out, tokens, width);
            double wide = n * (double) width * element;
            normsAndRows(dx, dy, rows, unit, vector, wide);
            hidden(Matrix.of(hidden, n, inner), Matrix.of(second, n, inner), rows, derivative, vector, 4 * wide);
            RaggedRows sequence = RaggedRows.sequence(tokens);
            backend.attention(attention, qkv, sequence, null, 0, ofToken, logSumExp);
            AttentionPrimal forward = new AttentionPrimal(attention, qkv, logSumExp);
            attention(forward, dqkv, dy, rows, wide);
            String problem = backend instanceof CudaBackend ? UnfusedAttention.problem() : "not on a GPU";
            double tangent = rates.secondsEach(y, () -> backend.attentionTangent(forward, dqkv, rows, 0, dy));
            double unfused = problem == null ? unfused(attention, qkv, dqkv, dy, out, tokens, columns) : 0;
            found.accept(
                    new Row("attentionTangent", shape, tangent, 4 * wide, 4 * pairs(rows, width), unfused, problem));
        }
    }

    /** What goes over rows of the residual stream. */
    private void normsAndRows(Matrix dx, Matrix dy, RaggedRows rows, Matrix unit, Buffer vector, double wide) {
        int n = rows.rows();
        Buffer x = dx.buffer();
        Buffer y = dy.buffer();
        double[] sums = new double[n];
        int[] columns = new int[rows.columns()];
        Arrays.setAll(columns, c -> c);
        int[] ofFirstToken = new int[rows.tokens()];
        Arrays.setAll(ofFirstToken, t -> t % unit.rows());
        Matrix embedded = dx.rows(0, rows.tokens());
        memory("layerNorm", 2 * wide, y, () -> backend.layerNorm(dx, 1e-5, dy, null));
        memory("layerNormTangent", 2 * wide, y, () -> backend.layerNormTangent(dx, rows, 0, unit, vector, dy, false));
        memory("layerNormCurvature", 3 * wide, y, () -> backend.layerNormCurvature(dx, rows, 0, unit, vector, dy));
        memory("addBranch", 3 * wide, x, () -> backend.addBranch(dy, vector, dx, dx));
        memory("grow", 2 * wide, y, () -> backend.grow(dx, rows, columns, null, dy, rows));
        // One source a column, at its first token: what a sweep takes in at a depth.
        double injected = 3 * wide * rows.columns() / n;
        memory("inject", injected, y, () -> backend.inject(dy, columns, dx, 1));
        memory("squaredNorms", wide, x, () -> backend.squaredNorms(dx, sums, 0));
        memory("dots", wide, x, () -> backend.dots(dx, rows, 0, unit, sums, 0));
        double embedding = 3 * wide * rows.tokens() / n;
        memory("embed", embedding, x, () -> backend.embed(unit, ofFirstToken, unit, embedded));
    }

    /** What goes over rows of the MLP's hidden layer. */
    private void hidden(Matrix du, Matrix dg, RaggedRows rows, Buffer derivative, Buffer vector, double wide) {
        Matrix slope = Matrix.of(derivative, rows.tokens(), du.columns());
        Buffer u = du.buffer();
        memory("addBias", 2 * wide, u, () -> backend.addBias(du, vector));
        memory("activation", 2 * wide, u, () -> backend.activation(Activation.GELU_NEW, du, vector, null));
        memory("activationTangent", 2 * wide, u, () -> backend.activationTangent(du, rows, 0, slope, du));
        memory("activationCurvature", 3 * wide, dg.buffer(), () -> backend.activationCurvature(du, rows, 0, slope, dg));
    }

    /** Attention but its tangent; on a GPU the two kernels of the adjoint also apart, by events. */
    private void attention(AttentionPrimal forward, Matrix dqkv, Matrix dy, RaggedRows rows, double wide) {
        Matrix base = forward.qkv();
        double pairs = pairs(rows, forward.shape().width());
        Runnable adjoint = () -> backend.attentionAdjoint(forward, dy, rows, 0, dqkv);
        work(
                "attention",
                4 * wide,
                2 * pairs,
                dy,
                () -> backend.attention(forward.shape(), dqkv, rows, base, 0, dy, null));
        work(
                "attentionCurvature",
                5 * wide,
                5 * pairs,
                dy,
                () -> backend.attentionCurvature(forward, dqkv, rows, 0, dy));
        work("attentionAdjoint", 4 * wide, 4 * pairs, dqkv, adjoint);
        if (backend instanceof CudaBackend cuda) {
            for (Map.Entry<String, Double> kernel :
                    KernelTimes.ofALaunch(cuda, ADJOINTS, adjoint).entrySet()) {
                boolean keys = kernel.getKey().contains("keys");
                String name = keys ? "  its keys" : "  its queries";
                double flops = (keys ? 3 : 2) * pairs; // both compute dP = dout v'
                found.accept(new Row(name, shape, kernel.getValue(), (keys ? 3 : 2) * wide, flops, 0, null));
            }
        }
    }

    /** Flops of one product of queries and keys, or of weights and values: pairs that causality leaves, two for each element. */
    private static double pairs(RaggedRows rows, int width) {
        return rows.columns() * (rows.tokens() * (rows.tokens() + 1.0) / 2) * 2 * width;
    }

    private double unfused(
            AttentionShape shape, Matrix qkv, Matrix dqkv, Matrix dy, Buffer out, int tokens, int columns) {
        try (UnfusedAttention libraries = new UnfusedAttention((CudaBackend) backend, shape, tokens, columns)) {
            libraries.value(qkv, Matrix.of(out, tokens, shape.width()));
            return rates.secondsEach(dy.buffer(), () -> libraries.tangent(qkv, dqkv, dy));
        }
    }

    private void memory(String operation, double bytes, Buffer result, Runnable work) {
        found.accept(new Row(operation, shape, rates.secondsEach(result, work), bytes, 0, 0, null));
    }

    private void work(String operation, double bytes, double flops, Matrix result, Runnable work) {
        found.accept(new Row(operation, shape, rates.secondsEach(result.buffer(), work), bytes, flops, 0, null));
    }
}
