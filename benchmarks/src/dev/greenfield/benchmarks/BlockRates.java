package dev.greenfield.benchmarks;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.BlockOperations;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.HeadLayout;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.model.Activation;
import java.util.Arrays;
import java.util.function.Consumer;

/** The time of each operation that only blocks after GPT-2's have, alone, and of attention with windows and caps beside without. */
final class BlockRates {
    private final Backend backend;
    private final BlockOperations blocks;
    private final DeviceRates rates;
    private final Consumer<OperationRates.Row> found;
    private RaggedRows rows;
    private String shape;
    private double bytes; // of an element

    /** @param found receives each row as soon as it is there */
    BlockRates(Backend backend, DeviceRates rates, Consumer<OperationRates.Row> found) {
        this.backend = backend;
        this.blocks = backend.blocks();
        this.rates = rates;
        this.found = found;
        this.bytes = backend.precision().bytes();
    }

    /**
     * Measures on {@code columns} columns of {@code tokens} tokens.
     *
     * @param heads H
     * @param keyHeads K
     * @param headWidth h; the stream has H h elements
     * @param inner F
     */
    void measure(int heads, int keyHeads, int headWidth, int inner, int tokens, int columns) {
        int[] last = new int[columns];
        Arrays.fill(last, tokens - 1);
        rows = RaggedRows.of(tokens, new int[columns], last);
        norms(heads, keyHeads, headWidth);
        heads(heads, keyHeads, headWidth);
        gates(inner);
    }

    private String batch() {
        return " T=" + rows.tokens() + " C=" + rows.columns();
    }

    private void norms(int heads, int keyHeads, int headWidth) {
        int n = rows.rows();
        int normed = heads + keyHeads;
        int most = Math.max(heads, normed) * headWidth;
        try (Buffer x = rates.random("x", (long) n * most);
                Buffer y = rates.random("y", (long) n * most);
                Buffer normalized = rates.random("normalized", (long) rows.tokens() * most);
                Buffer inverse = rates.random("inverse", (long) rows.tokens() * normed)) {
            for (int groups : new int[] {1, normed}) {
                int width = (groups == 1 ? heads : normed) * headWidth;
                Matrix dx = Matrix.of(x, n, width);
                Matrix dy = Matrix.of(y, n, width);
                Matrix unit = Matrix.of(normalized, rows.tokens(), width);
                double all = n * (double) width * bytes;
                shape = "G=" + groups + " n=" + width / groups + batch();
                memory("rmsNorm", 2 * all, y, () -> blocks.rmsNorm(dx, groups, 1e-5, dy, null));
                memory(
                        "rmsNormTangent",
                        2 * all,
                        y,
                        () -> blocks.rmsNormTangent(dx, groups, rows, 0, unit, inverse, dy, false));
                memory(
                        "rmsNormCurvature",
                        3 * all,
                        y,
                        () -> blocks.rmsNormCurvature(dx, groups, rows, 0, unit, inverse, dy));
            }
        }
    }

    private void heads(int heads, int keyHeads, int headWidth) {
        int n = rows.rows();
        shape = "H=" + heads + " K=" + keyHeads + " h=" + headWidth + batch();
        int projected = (heads + 2 * keyHeads) * headWidth;
        int wide = 3 * heads * headWidth;
        try (Buffer x = rates.random("projected", (long) n * projected);
                Buffer y = rates.random("q, k, v", (long) n * wide);
                Buffer angles = rates.random("angles", (long) rows.tokens() * headWidth)) {
            Matrix narrow = Matrix.of(x, n, projected);
            Matrix spread = Matrix.of(y, n, wide);
            HeadLayout layout =
                    new HeadLayout(heads, keyHeads, headWidth, Matrix.of(angles, rows.tokens(), headWidth), null);
            double all = n * (double) (projected + wide) * bytes;
            memory("spreadHeads", all, y, () -> blocks.spreadHeads(layout, narrow, rows, spread));
            memory("gatherHeads", all, x, () -> blocks.gatherHeads(layout, spread, rows, narrow));
        }
    }

    private void gates(int inner) {
        int n = rows.rows();
        shape = "F=" + inner + batch();
        double half = n * (double) inner * bytes;
        try (Buffer x = rates.random("gates and values", 2L * n * inner);
                Buffer y = rates.random("hidden", (long) n * inner);
                Buffer factors = rates.random("factors", 2L * rows.tokens() * inner);
                Buffer bias = rates.random("bias", 2L * inner)) {
            Matrix dx = Matrix.of(x, n, 2 * inner);
            Matrix dh = Matrix.of(y, n, inner);
            Matrix kept = Matrix.of(factors, rows.tokens(), 2 * inner);
            memory("gateTangent", 3 * half, y, () -> blocks.gateTangent(dx, rows, 0, kept, dh));
            memory("gateAdjoint", 3 * half, x, () -> blocks.gateAdjoint(dh, rows, 0, kept, dx));
            memory("gateCurvature", 4 * half, y, () -> blocks.gateCurvature(dx, rows, 0, kept, dh));
            memory("gate", 3 * half, x, () -> blocks.gate(Activation.SILU, dx, bias, null));
        }
    }

    /** Attention and its derivatives: whole, in a window, and with a soft cap of scores. */
    void attention(int heads, int headWidth, int tokens, int columns, int window) {
        int[] last = new int[columns];
        Arrays.fill(last, tokens - 1);
        rows = RaggedRows.of(tokens, new int[columns], last);
        int width = heads * headWidth;
        double scale = 1 / Math.sqrt(headWidth);
        try (Buffer d = rates.random("dq, dk, dv", 3L * rows.rows() * width);
                Buffer o = rates.random("out", (long) rows.rows() * width);
                Buffer primal = rates.random("q, k, v", 3L * tokens * width);
                Buffer sums = backend.allocate("softmax normalizers", (long) heads * tokens)) {
            Matrix dqkv = Matrix.of(d, rows.rows(), 3 * width);
            Matrix out = Matrix.of(o, rows.rows(), width);
            Matrix qkv = Matrix.of(primal, tokens, 3 * width);
            AttentionShape plain = new AttentionShape(heads, headWidth, scale);
            for (AttentionShape each : new AttentionShape[] {
                plain,
                new AttentionShape(heads, headWidth, scale, window, 0),
                new AttentionShape(heads, headWidth, scale, 0, 30)
            }) {
                shape = "H=" + heads + " h=" + headWidth + batch() + (each.window() > 0 ? " window=" + window : "")
                        + (each.softCap() > 0 ? " cap=30" : "");
                backend.attention(each, qkv, RaggedRows.sequence(tokens), null, 0, out.rows(0, tokens), sums);
                AttentionPrimal forward = new AttentionPrimal(each, qkv, sums);
                double all = rows.rows() * (double) width * bytes;
                double product = 2 * pairs(each) * width;
                work(
                        "attention",
                        4 * all,
                        2 * product,
                        o,
                        () -> backend.attention(each, dqkv, rows, qkv, 0, out, null));
                work(
                        "attentionTangent",
                        4 * all,
                        4 * product,
                        o,
                        () -> backend.attentionTangent(forward, dqkv, rows, 0, out));
                work(
                        "attentionAdjoint",
                        4 * all,
                        4 * product,
                        d,
                        () -> backend.attentionAdjoint(forward, out, rows, 0, dqkv));
            }
        }
    }

    /** Pairs of a query and a key that it sees, in all columns. */
    private double pairs(AttentionShape shape) {
        double pairs = 0;
        for (int i = 0; i < rows.tokens(); i++) {
            pairs += i + 1 - shape.firstKey(i);
        }
        return rows.columns() * pairs;
    }

    private void memory(String operation, double least, Buffer result, Runnable work) {
        work(operation, least, 0, result, work);
    }

    private void work(String operation, double least, double flops, Buffer result, Runnable work) {
        double seconds = rates.secondsEach(result, work);
        found.accept(new OperationRates.Row(operation, shape, seconds, least, flops, 0, null));
    }
}
