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
import dev.greenfield.model.WeightPlacement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A model's weights on a backend. The gain of each LayerNorm is folded into the matrix that follows it, and its bias into
 * that matrix's bias, in double precision: (n g + b) W + c = n (g W) + (b W + c). Normalization is then all that is left of
 * a LayerNorm, and its Jacobian is symmetric.
 */
public final class DeviceModel implements AutoCloseable {
    private final Backend backend;
    private final ModelSource source;
    private final ModelConfig config;
    private final TokenRows rows;
    private final Shortcuts shortcuts;
    private final List<Buffer> buffers = new ArrayList<>();
    private final List<Block> blocks = new ArrayList<>();
    private final List<List<Linear>> layers = new ArrayList<>(); // of each block
    private final StreamedBlocks streamed; // null where all blocks stay on the backend
    private final Unembedding unembedding;
    private final double[] finalGain;
    private final double[] finalBias;
    private volatile boolean closed;

    /** Uploads the weights of {@code source}, to stay there. */
    public DeviceModel(ModelSource source, Backend backend) {
        this(source, backend, WeightPlan.resident());
    }

    /**
     * Uploads the weights of {@code source}, which stays the caller's to close, or makes room for those of a block or two.
     *
     * @param plan whether the weights of all blocks stay on the backend
     */
    public DeviceModel(ModelSource source, Backend backend, WeightPlan plan) {
        this(source, backend, plan, Shortcuts.here());
    }

    /** Likewise with given ways for its sweeps. */
    DeviceModel(ModelSource source, Backend backend, WeightPlan plan, Shortcuts shortcuts) {
        this.shortcuts = shortcuts;
        this.backend = backend;
        this.source = source;
        this.config = source.config();
        this.rows = new TokenRows(source);
        try {
            this.finalGain = gain("ln_f");
            this.finalBias = bias("ln_f.bias", config.width());
            this.unembedding =
                    new Unembedding(backend, config, source.parameter("lm_head.weight"), finalGain, finalBias, plan);
            Task.run("loading", "blocks", config.layers(), task -> {
                for (int l = 0; l < config.layers(); l++) {
                    int block = l;
                    layers.add(new ArrayList<>());
                    task.run(1, () -> {
                        blocks.add(describeBlock(block));
                        if (plan.placement() == WeightPlacement.RESIDENT) {
                            layers.get(block).forEach(this::upload);
                        }
                    });
                }
            });
            this.streamed = plan.placement() == WeightPlacement.RESIDENT
                    ? null
                    : new StreamedBlocks(backend, blocks, layers, plan.blocksAtOnce());
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private Block describeBlock(int l) {
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
                        postNorm(prefix + "attn.ln_post")),
                shortcuts);
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

    /** A linear layer of the block that is being described, after a LayerNorm or after none. */
    private Linear folded(String norm, String layer) {
        Parameter weight = source.parameter(layer + ".weight");
        int out = (int) weight.shape()[1];
        double[] gain = norm == null ? null : gain(norm);
        double[] shift = norm == null || !source.has(norm + ".bias") ? null : vector(norm + ".bias");
        Linear linear = new Linear(backend, new FoldedWeights(weight, gain, shift, bias(layer + ".bias", out)));
        layers.get(layers.size() - 1).add(linear);
        return linear;
    }

    /** Puts a layer on the backend, to stay there. */
    private void upload(Linear layer) {
        FoldedWeights stored = layer.stored();
        String name = stored.weight().name();
        Buffer weights = track(backend.allocate(name, (long) stored.in() * stored.out()));
        Buffer biases = track(backend.allocate(name.replace(".weight", ".bias"), stored.out()));
        Task.run("loading", "rows", stored.in(), task -> layer.put(weights, biases, task::to));
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

    /** The ways that its sweeps take. */
    Shortcuts shortcuts() {
        return shortcuts;
    }

    /** What decides in which order numbers are summed, in words; see {@link Backend#arrangement}. */
    public String arrangement() {
        return backend.arrangement() + "; " + shortcuts;
    }

    /** A block as it is built; what it computes with is there while it is visited. */
    Block block(int l) {
        requireOpen();
        return blocks.get(l);
    }

    /**
     * Sees to it that a block's weights are on the backend, until the visit is closed. No visit may begin within another.
     *
     * @param next the block that will be visited after it, which may then be read meanwhile; -1 for none
     */
    BlockVisit visit(int l, int next) {
        requireOpen();
        return streamed == null ? new BlockVisit(blocks.get(l), () -> {}) : streamed.visit(l, next);
    }

    /** Whether the weights of all blocks stay on the backend. */
    public WeightPlacement weights() {
        return streamed == null ? WeightPlacement.RESIDENT : WeightPlacement.STREAMED;
    }

    /** How the half block is built that begins at a level below the last depth. */
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
        double[] logits = unembedding.outputs(x);
        LogitCap.of(config).apply(logits);
        return logits;
    }

    double[] finalGain() {
        return finalGain.clone();
    }

    double[] finalBias() {
        return finalBias.clone();
    }

    /** The output matrix with the last LayerNorm's gain folded in; uploaded when it is first used. */
    Unembedding unembedding() {
        requireOpen();
        return unembedding;
    }

    /** Bytes that {@link #unembedding} would still take; 0 once it is there to stay. */
    public long missingUnembeddingBytes() {
        return unembedding.missingBytes();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the model is closed: open it again to use it");
        }
    }

    @Override
    public void close() {
        closed = true;
        if (streamed != null) {
            streamed.close();
        }
        if (unembedding != null) {
            unembedding.close();
        }
        buffers.forEach(Buffer::close);
        buffers.clear();
        blocks.clear();
    }
}
