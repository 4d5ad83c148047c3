package dev.greenfield.benchmarks;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.backend.cuda.CudaBackend;
import dev.greenfield.backend.cuda.UnfusedAttention;
import dev.greenfield.model.Activation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

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

    private final Backend backend;
    private final DeviceRates rates;

    OperationRates(Backend backend, DeviceRates rates) {
        this.backend = backend;
        this.rates = rates;
    }

    /** Measures every operation on {@code columns} columns of {@code tokens} tokens. */
    List<Row> measure(int width, int heads, int tokens, int columns) {
        AttentionShape attention = new AttentionShape(heads, width / heads, 1 / Math.sqrt((double) width / heads));
        int[] last = new int[columns];
        Arrays.fill(last, tokens - 1);
        RaggedRows rows = RaggedRows.of(tokens, new int[columns], last);
        int n = rows.rows();
        int inner = 4 * width;
        String shape = "D=" + width + " H=" + heads + " T=" + tokens + " C=" + columns;
        double element = backend.precision().bytes();
        List<Row> found = new ArrayList<>();
        try (Buffer x = rates.random("x", (long) n * width);
                Buffer y = rates.random("y", (long) n * width);
                Buffer three = rates.random("q, k, v", 3L * n * width);
                Buffer hidden = rates.random("hidden", (long) n * inner);
                Buffer primal = rates.random("q, k, v of the forward pass", 3L * tokens * width);
                Buffer normalized = rates.random("normalized", (long) tokens * width);
                Buffer derivative = rates.random("derivative", (long) tokens * inner);
                Buffer vector = rates.random("vector", Math.max(inner, tokens));
                Buffer out = rates.random("out", (long) tokens * width);
                Buffer logSumExp = backend.allocate("softmax normalizers", (long) heads * tokens)) {
            Matrix dx = Matrix.of(x, n, width);
            Matrix dy = Matrix.of(y, n, width);
            Matrix dqkv = Matrix.of(three, n, 3 * width);
            Matrix du = Matrix.of(hidden, n, inner);
            Matrix qkv = Matrix.of(primal, tokens, 3 * width);
            Matrix unit = Matrix.of(normalized, tokens, width);
            Matrix slope = Matrix.of(derivative, tokens, inner);
            double[] sums = new double[n];
            double wide = n * (double) width * element;
            found.add(memory("layerNorm", shape, 2 * wide, y, () -> backend.layerNorm(dx, 1e-5, dy, null)));
            found.add(memory(
                    "layerNormTangent",
                    shape,
                    2 * wide,
                    y,
                    () -> backend.layerNormTangent(dx, rows, 0, unit, vector, dy, false)));
            found.add(memory("addBranch", shape, 3 * wide, x, () -> backend.addBranch(dy, vector, dx, dx)));
            found.add(memory(
                    "activation",
                    shape,
                    8 * wide,
                    hidden,
                    () -> backend.activation(Activation.GELU_NEW, du, vector, null)));
            found.add(memory(
                    "activationTangent",
                    shape,
                    8 * wide,
                    hidden,
                    () -> backend.activationTangent(du, rows, 0, slope, du)));
            int[] same = new int[columns];
            Arrays.setAll(same, c -> c);
            found.add(memory("grow", shape, 2 * wide, y, () -> backend.grow(dx, rows, same, null, dy, rows)));
            found.add(memory("squaredNorms", shape, wide, x, () -> backend.squaredNorms(dx, sums, 0)));

            RaggedRows sequence = RaggedRows.sequence(tokens);
            backend.attention(attention, qkv, sequence, null, 0, Matrix.of(out, tokens, width), logSumExp);
            AttentionPrimal forward = new AttentionPrimal(attention, qkv, logSumExp);
            double pairs = columns * (tokens * (tokens + 1.0) / 2) * width;
            double value = rates.secondsEach(y, () -> backend.attention(attention, dqkv, rows, qkv, 0, dy, null));
            found.add(new Row("attention", shape, value, 4 * wide, 4 * pairs, 0, null));
            double adjoint = rates.secondsEach(three, () -> backend.attentionAdjoint(forward, dy, rows, 0, dqkv));
            double tangent = rates.secondsEach(y, () -> backend.attentionTangent(forward, dqkv, rows, 0, dy));
            String problem = backend instanceof CudaBackend ? UnfusedAttention.problem() : "not on a GPU";
            double unfused = problem == null ? unfused(attention, qkv, dqkv, dy, out, tokens, columns) : 0;
            found.add(new Row("attentionTangent", shape, tangent, 4 * wide, 8 * pairs, unfused, problem));
            found.add(new Row("attentionAdjoint", shape, adjoint, 4 * wide, 8 * pairs, 0, null));
        }
        return found;
    }

    private double unfused(
            AttentionShape shape, Matrix qkv, Matrix dqkv, Matrix dy, Buffer out, int tokens, int columns) {
        try (UnfusedAttention libraries = new UnfusedAttention((CudaBackend) backend, shape, tokens, columns)) {
            libraries.value(qkv, Matrix.of(out, tokens, shape.width()));
            return rates.secondsEach(dy.buffer(), () -> libraries.tangent(qkv, dqkv, dy));
        }
    }

    private Row memory(String operation, String shape, double bytes, Buffer result, Runnable work) {
        return new Row(operation, shape, rates.secondsEach(result, work), bytes, 0, 0, null);
    }
}
