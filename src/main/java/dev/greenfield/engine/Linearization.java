package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.Rotary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;

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
    private final RunMemory memory;
    private final List<BlockPrimal> blocks = new ArrayList<>();
    private final List<Buffer> field =
            new ArrayList<>(); // [2L + 1, T, D], level after level, as many in each as it holds
    private final int levels; // in each of those buffers but the last
    private final Norm.Primal finalNorm; // of the last LayerNorm
    private KeptMaps keptMaps; // null until somebody has use for them

    /** Runs the model on {@code tokens}, which must be valid for it. */
    public Linearization(DeviceModel model, int[] tokens) {
        this(model, tokens, null);
    }

    private Linearization(DeviceModel model, int[] tokens, Source source) {
        this.source = source;
        this.model = model;
        this.backend = model.backend();
        this.tokens = tokens.clone();
        this.memory = new RunMemory(backend, tokens.length);
        ModelConfig config = model.config();
        config.checkTokens(tokens);
        try {
            int all = 2 * config.layers() + 1;
            long level = (long) config.width() * tokens.length;
            levels = (int) Math.max(1, Math.min(all, backend.maxBufferLength() / level));
            for (int from = 0; from < all; from += levels) {
                field.add(memory.perToken("field", (long) Math.min(levels, all - from) * config.width()));
            }
            finalNorm = new Norm(backend, config, true).allocate(memory);
            for (int l = 0; l < config.layers(); l++) {
                blocks.add(model.block(l).allocate(memory));
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

    /** The same run, sources included, of the same model on another backend. Close it on its own. */
    public Linearization on(DeviceModel other) {
        return new Linearization(other, tokens, source);
    }

    private static double[] sum(double[] a, double[] b) {
        double[] sum = a.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += b[i];
        }
        return sum;
    }

    private void forward() {
        RaggedRows rows = RaggedRows.sequence(tokens.length);
        HalfDepth bottom = HalfDepth.ofDepth(0);
        HalfDepth top = model.top();
        try (Workspace w = Workspace.ofForward(backend, model.config(), tokens.length)) {
            model.embed(tokens, at(bottom));
            insert(bottom, at(bottom), rows);
            Task.run("run", "half blocks", bottom.stepsTo(top), task -> {
                for (HalfDepth h = bottom; h.isBelow(top); h = h.above()) {
                    task.to(bottom.stepsTo(h));
                    Matrix x = at(h); // [T, D]
                    Matrix next = at(h.above()); // [T, D]
                    int above = h.block() + 1;
                    try (BlockVisit visit =
                            model.visit(h.block(), above < model.config().layers() ? above : -1)) {
                        visit.part(h).forward(x, next, rows, block(h), w);
                    }
                    insert(h.above(), next, rows);
                }
            });
        }
        requireFinite();
        new Norm(backend, model.config(), true).forward(at(top), finalNorm);
    }

    /** The source in the stream of this run, or null. */
    public Source source() {
        return source;
    }

    /** Adds the source's vectors at a level to the rows [R, D] of a batch at their tokens. */
    void insert(HalfDepth level, Matrix x, RaggedRows rows) {
        if (source != null) {
            source.vectors().forEach((site, vector) -> {
                if (site.halfDepth().equals(level)) {
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
        backend.squaredNorms(at(model.top()), squares, 0);
        for (int t = 0; t < squares.length; t++) {
            if (!Double.isFinite(squares[t])) {
                throw new InputException(
                        "the final residual at token " + t + " is not finite: this model's numbers leave the"
                                + " range of " + backend.precision().label() + "; " + Remedy.USE_REFERENCE);
            }
        }
    }

    /** The stream at a level, [T, D]. */
    Matrix at(HalfDepth level) {
        int width = model.config().width();
        Buffer buffer = field.get(level.index() / levels);
        return new Matrix(buffer, (long) (level.index() % levels) * tokens.length * width, tokens.length, width, width);
    }

    /** The primal of the block that begins at a level or whose middle it is. */
    BlockPrimal block(HalfDepth level) {
        return blocks.get(level.block());
    }

    /**
     * The maps of tokens that this run keeps.
     *
     * @param room for how many there is room, where there are none yet
     */
    synchronized KeptMaps keptMaps(IntSupplier room) {
        if (keptMaps == null) {
            keptMaps = new KeptMaps(backend, model.config().width(), mlps(), tokens.length, room.getAsInt());
        }
        return keptMaps;
    }

    /** Room for the maps of given tokens, for somebody else to close. */
    KeptMaps keptMaps(KeptTokens planned) {
        return new KeptMaps(backend, model.config().width(), mlps(), tokens.length, planned.count(), planned::has);
    }

    private List<MlpPart.Primal> mlps() {
        return blocks.stream().map(BlockPrimal::mlp).toList();
    }

    /** n [T, D] of the last norm. */
    Matrix finalNormalized() {
        return finalNorm.normalized();
    }

    /** What derivatives of the last norm need. */
    Norm.Primal finalNorm() {
        return finalNorm;
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
        return field(HalfDepth.ofDepth(0), model.config().layers() + 1);
    }

    /** The residual stream in the middle of each block ({@code resid_mid}), [L, T, D]. */
    public Field middleField() {
        return field(HalfDepth.middleOf(0), model.config().layers());
    }

    /** Every other level of the stream from one on, [depths, T, D]. */
    private Field field(HalfDepth lowest, int depths) {
        double[] values = HostMemory.doubles(
                "the field", depths, tokens.length, model.config().width());
        int perDepth = values.length / depths;
        HalfDepth level = lowest;
        for (int i = 0; i < depths; i++) {
            Matrix x = at(level);
            backend.downloadLater(x.buffer(), x.offset(), values, i * perDepth, perDepth);
            level = level.above().above();
        }
        backend.await();
        return Field.wrap(depths, tokens.length, model.config().width(), values);
    }

    /**
     * What each head of block l adds to the stream at l + 1/2, z_h W_O^h with z_h its attention's output: [H T, D] in the order
     * head, token. The heads of a token sum to what the attention adds, but for the output bias, which is no head's.
     */
    public double[] headOutputs(int l) {
        try (BlockVisit visit = model.visit(l, -1)) {
            return visit.block().attention().headOutputs(blocks.get(l));
        }
    }

    /** The attention probabilities of block l, [H, T, T] in the order head, query token, key token. */
    public double[] attention(int l) {
        return model.block(l).attention().patterns(blocks.get(l));
    }

    /** What the stream receives of changed outputs of block l's heads. */
    public Reception reception(int l) {
        return model.block(l).attention().reception(blocks.get(l));
    }

    /** The logits of one position, [V], computed on the host so that they need no memory of the backend. */
    public double[] logits(int position) {
        double[] x = new double[model.config().width()];
        backend.download(finalNorm.normalized().buffer(), finalNorm.normalized().at(position), x, 0, x.length);
        double[] gain = model.finalGain();
        double[] bias = model.finalBias();
        for (int i = 0; i < x.length; i++) {
            x[i] = x[i] * gain[i] + bias[i];
        }
        return model.outputs(x);
    }

    /** Bytes that a linearization of {@code tokens} tokens holds. */
    public static long bytes(DeviceModel model, int tokens) {
        ModelConfig config = model.config();
        long rotary = IntStream.range(0, config.layers())
                .mapToObj(config.architecture().attention()::rotary)
                .filter(Objects::nonNull)
                .distinct()
                .mapToLong(Rotary::width)
                .sum();
        long elements = (2L * config.layers() + 1) * config.width() + Norm.primalElements(config) + rotary;
        for (int l = 0; l < config.layers(); l++) {
            for (BlockPart part : model.block(l).parts()) {
                elements += part.primalElements();
            }
        }
        return (long) model.backend().precision().bytes() * tokens * elements;
    }

    @Override
    public synchronized void close() {
        if (keptMaps != null) {
            keptMaps.close();
        }
        memory.close();
    }
}
