package dev.greenfield.engine;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.model.ModelConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One forward pass and all that tangents, cotangents and patched runs need of it: the residual stream at every half depth
 * and, per block, normalized x and 1/std of both LayerNorms, q, k, v, the softmax normalizers and act'. Transcendental
 * functions of the run are evaluated here and, for the probabilities, once a tile of attention; nowhere else. The pass may have
 * a source in its stream: everything is then linearized around the run that is patched so.
 */
public final class Linearization implements AutoCloseable {
    private final DeviceModel model;
    private final Backend backend;
    private final int[] tokens;
    private final Source source; // in the stream of this run; null for none
    private final List<Buffer> buffers = new ArrayList<>();
    private final List<Layers.Primal> blocks = new ArrayList<>();
    private final Buffer field; // [2L + 1, T, D]
    private final Matrix finalNormalized; // [T, D]
    private final Buffer finalInverseStd; // [T]

    /** Runs the model on {@code tokens}, which must be valid for it. */
    public Linearization(DeviceModel model, int[] tokens) {
        this(model, tokens, null);
    }

    private Linearization(DeviceModel model, int[] tokens, Source source) {
        this.source = source;
        this.model = model;
        this.backend = model.backend();
        this.tokens = tokens.clone();
        ModelConfig config = model.config();
        config.checkTokens(tokens);
        int count = tokens.length;
        int width = config.width();
        try {
            field = allocate("field", (2L * config.layers() + 1) * count * width);
            finalNormalized = matrix("final normalized", width);
            finalInverseStd = allocate("final 1/std", count);
            for (int l = 0; l < config.layers(); l++) {
                AttentionPrimal attention = new AttentionPrimal(
                        model.block(l).attention(),
                        matrix("q, k, v", 3 * width),
                        allocate("softmax normalizers", (long) config.heads() * count));
                blocks.add(new Layers.Primal(
                        matrix("normalized", width),
                        allocate("1/std", count),
                        attention,
                        matrix("normalized", width),
                        allocate("1/std", count),
                        matrix("activation derivative", config.inner())));
            }
            forward();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /**
     * The same run with a source in its stream besides those that it has. Sensitivities, tangents and patched runs of the new
     * linearization are those at that point, and further sources come on top.
     *
     * @param more its sites and lengths must be those of the run
     */
    public Linearization with(Source more) {
        Map<Site, double[]> all = new LinkedHashMap<>(source == null ? Map.of() : source.vectors());
        more.vectors().forEach((site, vector) -> all.merge(site, vector, Linearization::sum));
        return new Linearization(model, tokens, Source.of(all));
    }

    private static double[] sum(double[] a, double[] b) {
        double[] sum = a.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += b[i];
        }
        return sum;
    }

    private Buffer allocate(String label, long elements) {
        Buffer buffer = backend.allocate(label, elements);
        buffers.add(buffer);
        return buffer;
    }

    private Matrix matrix(String label, int columns) {
        return Matrix.of(allocate(label, (long) tokens.length * columns), tokens.length, columns);
    }

    private void forward() {
        Layers layers = new Layers(model);
        RaggedRows rows = RaggedRows.sequence(tokens.length);
        try (Workspace w = new Workspace(backend, model.config(), tokens.length)) {
            model.embed(tokens, atHalfDepth(0));
            insert(0);
            for (int l = 0; l < blocks.size(); l++) {
                Cancellation.check();
                Matrix middle = atHalfDepth(2 * l + 1);
                layers.attentionForward(l, atHalfDepth(2 * l), middle, rows, blocks.get(l), w);
                insert(2 * l + 1);
                layers.mlpForward(l, middle, atHalfDepth(2 * l + 2), blocks.get(l), w);
                insert(2 * l + 2);
            }
        }
        requireFinite();
        backend.layerNorm(atHalfDepth(2 * blocks.size()), model.config().epsilon(), finalNormalized, finalInverseStd);
    }

    /** The source in the stream of this run, or null. */
    public Source source() {
        return source;
    }

    private void insert(int halfDepth) {
        insert(halfDepth, atHalfDepth(halfDepth), RaggedRows.sequence(tokens.length));
    }

    /** Adds the source's vectors at a half depth to the rows of a batch at their tokens. */
    void insert(int halfDepth, Matrix x, RaggedRows rows) {
        if (source != null) {
            source.vectors().forEach((site, vector) -> {
                if (site.halfDepth() == halfDepth) {
                    add(vector, x, rows, site.token());
                }
            });
        }
    }

    private void add(double[] vector, Matrix x, RaggedRows rows, int token) {
        int n = rows.count(token);
        if (n == 0) {
            return;
        }
        try (Buffer copies = backend.allocate("sources", (long) n * vector.length)) {
            int[] index = new int[n];
            for (int i = 0; i < n; i++) {
                index[i] = rows.start(token) + i;
                backend.upload(vector, 0, copies, (long) i * vector.length, vector.length);
            }
            backend.inject(x, index, Matrix.of(copies, n, vector.length), 1);
        }
    }

    /** Whatever goes beyond the range of numbers in a block is not finite at the top. */
    private void requireFinite() {
        double[] squares = new double[tokens.length];
        backend.squaredNorms(atHalfDepth(2 * blocks.size()), squares, 0);
        for (int t = 0; t < squares.length; t++) {
            if (!Double.isFinite(squares[t])) {
                throw new InputException(
                        "the final residual at token " + t + " is not finite: this model's numbers leave the"
                                + " range of " + backend.precision().label() + "; " + Remedy.USE_REFERENCE);
            }
        }
    }

    /** The stream at a half depth, [T, D]. */
    Matrix atHalfDepth(int halfDepth) {
        int width = model.config().width();
        return new Matrix(field, (long) halfDepth * tokens.length * width, tokens.length, width, width);
    }

    Layers.Primal block(int l) {
        return blocks.get(l);
    }

    Matrix finalNormalized() {
        return finalNormalized;
    }

    Buffer finalInverseStd() {
        return finalInverseStd;
    }

    public DeviceModel model() {
        return model;
    }

    public int[] tokens() {
        return tokens.clone();
    }

    /** Number of tokens T. */
    public int length() {
        return tokens.length;
    }

    /** The residual stream at whole depths, [L+1, T, D]. */
    public Field field() {
        return field(0);
    }

    /** The residual stream in the middle of each block ({@code resid_mid}), [L, T, D]. */
    public Field middleField() {
        return field(1);
    }

    private Field field(int offset) {
        int depths = model.config().layers() + 1 - offset;
        int perDepth = tokens.length * model.config().width();
        double[] values = new double[Math.multiplyExact(depths, perDepth)];
        for (int l = 0; l < depths; l++) {
            backend.downloadLater(field, (long) (2 * l + offset) * perDepth, values, l * perDepth, perDepth);
        }
        backend.await();
        return Field.wrap(depths, tokens.length, model.config().width(), values);
    }

    /**
     * What each head of block l adds to the stream at l + 1/2, z_h W_O^h with z_h its attention's output: [H T, D] in the order
     * head, token. The heads of a token sum to what the attention adds, but for the output bias, which is no head's.
     */
    public double[] headOutputs(int l) {
        DeviceModel.BlockWeights block = model.block(l);
        int heads = block.attention().heads();
        int headWidth = block.attention().headWidth();
        int count = tokens.length;
        int width = model.config().width();
        double[] outputs = new double[Math.multiplyExact(heads * count, width)];
        try (Buffer z = backend.allocate("attention output", (long) count * width);
                Buffer head = backend.allocate("head output", (long) count * width)) {
            Matrix all = Matrix.of(z, count, width);
            Matrix one = Matrix.of(head, count, width);
            backend.attention(
                    block.attention(), blocks.get(l).attention().qkv(), RaggedRows.sequence(count), null, 0, all, null);
            for (int h = 0; h < heads; h++) {
                Matrix part = new Matrix(z, (long) h * headWidth, count, headWidth, width);
                backend.multiply(1, part, false, block.projection().rows(h * headWidth, headWidth), false, 0, one);
                backend.downloadLater(head, 0, outputs, h * count * width, count * width);
            }
            backend.await();
        }
        return outputs;
    }

    /** The logits of every position, [T, V] in the order position, token. */
    public double[] logits() {
        return new Readout(model).logits(finalNormalized);
    }

    /** The logits of one position, [V], computed on the host so that they need no memory of the backend. */
    public double[] logits(int position) {
        double[] x = new double[model.config().width()];
        backend.download(finalNormalized.buffer(), finalNormalized.at(position), x, 0, x.length);
        double[] gain = model.finalGain();
        double[] bias = model.finalBias();
        for (int i = 0; i < x.length; i++) {
            x[i] = x[i] * gain[i] + bias[i];
        }
        return model.outputs(x);
    }

    /** Bytes that a linearization of {@code tokens} tokens holds. */
    public static long bytes(DeviceModel model, int tokens) {
        ModelConfig c = model.config();
        long perBlock = 2L * c.width() + 3L * c.width() + 2L * c.width() + c.inner() + c.heads() + 2;
        return (long) model.backend().precision().bytes() * tokens * (c.layers() * perBlock + 2L * c.width() + 1);
    }

    @Override
    public void close() {
        buffers.forEach(Buffer::close);
    }
}
