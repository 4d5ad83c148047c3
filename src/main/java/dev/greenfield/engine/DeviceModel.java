package dev.greenfield.engine;

import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.Architecture;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A model's weights on a backend. The gain of each LayerNorm is folded into the matrix that follows it, and its bias into
 * that matrix's bias, in double precision: (n g + b) W + c = n (g W) + (b W + c). Normalization is then all that is left of
 * a LayerNorm, and its Jacobian is symmetric.
 */
public final class DeviceModel implements AutoCloseable {
    /** Rows read at a time while uploading. */
    private static final int ROWS = 64;

    private final Backend backend;
    private final ModelSource source;
    private final ModelConfig config;
    private final TokenRows rows;
    private final List<Buffer> buffers = new ArrayList<>();
    private final List<Block> blocks = new ArrayList<>();
    private final double[] finalGain;
    private final double[] finalBias;
    private Matrix unembedding;
    private boolean closed;
    private Buffer unembeddingBias;

    /** Uploads the weights of {@code source}, which stays the caller's to close. */
    public DeviceModel(ModelSource source, Backend backend) {
        this.backend = backend;
        this.source = source;
        this.config = source.config();
        this.rows = new TokenRows(source);
        try {
            this.finalGain = gain("ln_f");
            this.finalBias = bias("ln_f.bias", config.width());
            Task.run("loading", "blocks", config.layers(), task -> {
                for (int l = 0; l < config.layers(); l++) {
                    int block = l;
                    task.run(1, () -> blocks.add(uploadBlock(block)));
                }
            });
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private Block uploadBlock(int l) {
        String prefix = "h." + l + ".";
        Architecture.Attention attention = config.architecture().attention();
        AttentionShape shape = new AttentionShape(
                config.heads(), config.headWidth(), config.attentionScale(l), attention.window(l), attention.softCap());
        boolean before = config.architecture().norm().placement().before();
        Linear qkv = folded(before ? prefix + "ln_1" : null, prefix + "attn.c_attn");
        Linear projection = folded(null, prefix + "attn.c_proj");
        Linear up = folded(before ? prefix + "ln_2" : null, prefix + "mlp.c_fc");
        Linear down = folded(null, prefix + "mlp.c_proj");
        AttentionPart first = new AttentionPart(
                backend,
                config,
                new AttentionPart.Weights(
                        shape,
                        new Heads(backend, config, l, qkv, headGain(prefix)),
                        projection,
                        postNorm(prefix + "attn.ln_post")));
        MlpPart second = new MlpPart(backend, config, new MlpPart.Weights(up, down, postNorm(prefix + "mlp.ln_post")));
        return config.architecture().stream().parallel()
                ? Block.parallel(first, second, new ParallelBlock(backend, first, second))
                : Block.serial(first, second);
    }

    /** The gains of the norms of queries, then of keys; null where there are none. */
    private Buffer headGain(String prefix) {
        if (config.architecture().attention().headNorms() == Architecture.HeadNorms.NONE) {
            return null;
        }
        double[] queries = gain(prefix + "attn.q_norm");
        double[] keys = gain(prefix + "attn.k_norm");
        Buffer gain = track(backend.allocate(prefix + "attn.qk_norm.weight", queries.length + keys.length));
        backend.upload(queries, 0, gain, 0, queries.length);
        backend.upload(keys, 0, gain, queries.length, keys.length);
        return gain;
    }

    /** The norm of what a half adds; null where this family has none there. */
    private PostNorm postNorm(String name) {
        if (!config.architecture().norm().placement().after()) {
            return null;
        }
        double[] values = gain(name);
        Buffer gain = track(backend.allocate(name + ".weight", values.length));
        backend.upload(values, 0, gain, 0, values.length);
        return new PostNorm(backend, config, gain);
    }

    /** What a norm's result is multiplied with; some families keep it less one. */
    private double[] gain(String norm) {
        double[] gain = vector(norm + ".weight");
        double offset = config.architecture().norm().gainOffset();
        for (int i = 0; i < gain.length; i++) {
            gain[i] += offset;
        }
        return gain;
    }

    /** A bias, or zeros where this family has none. */
    private double[] bias(String name, int length) {
        return source.has(name) ? vector(name) : new double[length];
    }

    /** Uploads diag(gain) W and bias W + c of a linear layer; without a LayerNorm before it, W and c. */
    private Linear folded(String norm, String layer) {
        Parameter weight = source.parameter(layer + ".weight");
        int in = (int) weight.shape()[0];
        int out = (int) weight.shape()[1];
        double[] gain = norm == null ? null : gain(norm);
        double[] shift = norm == null ? null : bias(norm + ".bias", in);
        double[] bias = bias(layer + ".bias", out);
        Buffer device = track(backend.allocate(layer + ".weight", (long) in * out));
        double[] rows = new double[ROWS * out];
        Task.run("loading", "rows", in, task -> {
            for (int i0 = 0; i0 < in; i0 += ROWS) {
                task.to(i0);
                int n = Math.min(ROWS, in - i0);
                weight.read((long) i0 * out, rows, 0, n * out);
                TokenRows.requireFinite(weight.name(), rows, n * out, (long) i0 * out);
                for (int i = 0; norm != null && i < n; i++) {
                    for (int j = 0; j < out; j++) {
                        bias[j] += shift[i0 + i] * rows[i * out + j];
                        rows[i * out + j] *= gain[i0 + i];
                    }
                }
                backend.upload(rows, 0, device, (long) i0 * out, n * out);
            }
        });
        Buffer deviceBias = track(backend.allocate(layer + ".bias", out));
        backend.upload(bias, 0, deviceBias, 0, out);
        Matrix matrix = Matrix.of(device, in, out);
        backend.keepAsFactor(matrix);
        return new Linear(backend, matrix, deviceBias);
    }

    private double[] vector(String name) {
        Parameter parameter = source.parameter(name);
        double[] values = new double[(int) parameter.shape()[0]];
        parameter.read(0, values, 0, values.length);
        TokenRows.requireFinite(name, values, values.length, 0);
        return values;
    }

    private Buffer track(Buffer buffer) {
        buffers.add(buffer);
        return buffer;
    }

    public ModelConfig config() {
        return config;
    }

    /** The model as data, where these weights came from; it says what their sha256 is. */
    public ModelSource source() {
        return source;
    }

    public Backend backend() {
        return backend;
    }

    Block block(int l) {
        requireOpen();
        return blocks.get(l);
    }

    /** The half block that begins at a level below the last depth. */
    BlockPart part(HalfDepth from) {
        return block(from.block()).part(from);
    }

    /** The last depth L, where the final residual is. */
    public HalfDepth top() {
        return HalfDepth.ofDepth(config.layers());
    }

    /** Writes token plus position embeddings to x [T, D]: depth 0 of the field. */
    void embed(int[] tokens, Matrix x) {
        int width = config.width();
        int[] words = Arrays.stream(tokens).distinct().toArray();
        int[] index = Arrays.stream(tokens).map(token -> indexOf(words, token)).toArray();
        int n = words.length;
        double scale = config.architecture().stream().embeddingScale();
        double[] values = HostMemory.doubles(
                "the embeddings", n + tokens.length, width); // words, then positions: one upload is quicker than two
        for (int w = 0; w < n; w++) {
            double[] word = rows.row("wte.weight", words[w]);
            for (int i = 0; i < width; i++) {
                values[w * width + i] = scale * word[i];
            }
        }
        for (int t = 0; t < tokens.length; t++) {
            if (config.architecture().attention().rotary() == null) {
                System.arraycopy(rows.row("wpe.weight", t), 0, values, (n + t) * width, width);
            } // else they are turned by their positions, and nothing is added
        }
        try (Buffer embeddings = backend.allocate("embeddings", values.length)) {
            backend.upload(values, 0, embeddings, 0, values.length);
            Matrix all = Matrix.of(embeddings, n + tokens.length, width);
            backend.embed(all.rows(0, n), index, all.rows(n, tokens.length), x);
        }
    }

    private static int indexOf(int[] values, int wanted) {
        int i = 0;
        while (values[i] != wanted) {
            i++;
        }
        return i;
    }

    /** The row of the output matrix that makes a token's logit, [D]. */
    double[] outputRow(int token) {
        return rows.row("lm_head.weight", token).clone();
    }

    /** The logits [V] of one row [D] after the last LayerNorm, on the host: the output matrix is read once and not kept. */
    double[] outputs(double[] x) {
        double[] logits = new double[config.vocabulary()];
        Parameter head = source.parameter("lm_head.weight");
        double[] rows = new double[ROWS * x.length];
        for (int v0 = 0; v0 < logits.length; v0 += ROWS) {
            int n = Math.min(ROWS, logits.length - v0);
            head.read((long) v0 * x.length, rows, 0, n * x.length);
            TokenRows.requireFinite("lm_head.weight", rows, n * x.length, (long) v0 * x.length);
            for (int v = 0; v < n; v++) {
                for (int i = 0; i < x.length; i++) {
                    logits[v0 + v] += rows[v * x.length + i] * x[i];
                }
            }
        }
        LogitCap.of(config).apply(logits);
        return logits;
    }

    double[] finalGain() {
        return finalGain.clone();
    }

    double[] finalBias() {
        return finalBias.clone();
    }

    /** The output matrix with the last LayerNorm's gain folded in, [V, D]; uploaded when first asked for. */
    synchronized Matrix unembedding() {
        requireOpen();
        if (unembedding == null) {
            int vocabulary = config.vocabulary();
            int width = config.width();
            Buffer deviceBias = backend.allocate("lm_head.bias", vocabulary);
            Buffer device;
            try {
                device = backend.allocate("lm_head.weight", (long) vocabulary * width);
            } catch (RuntimeException | Error e) {
                deviceBias.close(); // this may be tried again with smaller batches
                throw e;
            }
            unembeddingBias = track(deviceBias);
            track(device);
            Parameter head = source.parameter("lm_head.weight");
            double[] rows = new double[ROWS * width];
            double[] bias = new double[ROWS];
            for (int v0 = 0; v0 < vocabulary; v0 += ROWS) {
                int n = Math.min(ROWS, vocabulary - v0);
                head.read((long) v0 * width, rows, 0, n * width);
                TokenRows.requireFinite("lm_head.weight", rows, n * width, (long) v0 * width);
                for (int v = 0; v < n; v++) {
                    bias[v] = 0;
                    for (int i = 0; i < width; i++) {
                        bias[v] += rows[v * width + i] * finalBias[i];
                        rows[v * width + i] *= finalGain[i];
                    }
                }
                backend.upload(rows, 0, device, (long) v0 * width, n * width);
                backend.upload(bias, 0, unembeddingBias, v0, n);
            }
            unembedding = Matrix.of(device, vocabulary, width);
        }
        return unembedding;
    }

    /** What the last LayerNorm's bias adds to each logit, [V]. */
    synchronized Buffer unembeddingBias() {
        unembedding();
        return unembeddingBias;
    }

    /** Bytes that {@link #unembedding} would still take; 0 once it is there. */
    public synchronized long missingUnembeddingBytes() {
        long elements = (long) config.vocabulary() * (config.width() + 1);
        return unembedding == null ? elements * backend.precision().bytes() : 0;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the model is closed: open it again to use it");
        }
    }

    @Override
    public void close() {
        closed = true;
        buffers.forEach(Buffer::close);
        buffers.clear();
        blocks.clear();
        unembedding = null;
    }
}
