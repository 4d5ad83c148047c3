package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.model.ModelConfig;

/**
 * The memory of one sweep over batches of at most {@code rows} rows: the batch itself, a second matrix of the same size, and
 * what the halves of a block need in between. Queries, keys and values are three times as wide as the stream, the MLP's hidden
 * layer four times: the first are only ever held for some columns, the second for a chunk of rows.
 */
final class Workspace implements AutoCloseable {
    private final int width;
    private final int attended;
    private final int projected;
    private final int inner;
    private final int upWidth;
    private final int chunk;
    private final int streamChunk;
    private final Buffer qkv;
    private final Buffer heads; // null where what is projected is q, k and v
    private final Buffer hidden;
    private final Buffer maps; // null where no token has rows enough for one
    private final Buffer bend; // null but for second derivatives
    private final Buffer copy; // null but for parallel blocks
    private final int mapsAtOnce;
    private final Backend backend;
    private Buffer keyFactors; // null until a level's tangents take the key path
    private Buffer keyNorms; // likewise, where heads have norms
    private final Retention retention; // null where nothing is known of other sweeps
    private Buffer x;
    private Buffer y;

    /** Memory for the forward pass: {@code rows} rows, none of whose tokens are condensed. */
    static Workspace ofForward(Backend backend, ModelConfig config, int rows) {
        return new Workspace(backend, config, rows, rows, false, null, 0);
    }

    /** Memory for the second derivatives of a sweep over a run of {@code tokens} tokens; all rows are in attention at once. */
    static Workspace ofSecondDerivatives(Backend backend, ModelConfig config, int rows, int tokens) {
        return new Workspace(backend, config, rows, rows, false, null, tokens);
    }

    /**
     * Memory of a sweep.
     *
     * @param attentionRows how many of the rows are at most in attention at once; see {@link ColumnTiles}
     * @param condenses whether a token may get a map of its own; see {@link Condensation}
     * @param retention what is known of other sweeps; null for nothing
     */
    Workspace(
            Backend backend, ModelConfig config, int rows, int attentionRows, boolean condenses, Retention retention) {
        this(backend, config, rows, attentionRows, condenses, retention, 0);
    }

    private Workspace(
            Backend backend,
            ModelConfig config,
            int rows,
            int attentionRows,
            boolean condenses,
            Retention retention,
            int bentTokens) {
        this.backend = backend;
        this.retention = retention;
        this.width = config.width();
        this.attended = config.architecture().attention().queryWidth();
        this.projected = config.architecture().attention().projectedWidth();
        this.inner = config.inner();
        this.upWidth = config.architecture().mlp().upWidth();
        // Planned maps are formed by the same products in every sweep, also in one of few rows.
        boolean planned = retention != null && retention.maps().planned();
        this.chunk = Math.max(1, planned ? backend.preferredChunkRows() : Math.min(rows, backend.preferredChunkRows()));
        this.streamChunk = Math.max(1, Math.min(rows, backend.preferredStreamRows()));
        this.mapsAtOnce = Condensation.mapsAtOnce(config, chunk);
        Buffer[] made = new Buffer[8];
        try {
            made[0] = backend.allocate("sweep rows", (long) rows * rowWidth(config));
            made[1] = backend.allocate("sweep rows", (long) rows * rowWidth(config));
            made[2] = backend.allocate(
                    "sweep q, k, v",
                    Math.max(attentionRows, Math.min(rows, chunk)) * AttentionPart.qkvElements(config));
            if (Heads.workElements(config) > 0) {
                made[6] = backend.allocate("sweep projections", attentionRows * Heads.workElements(config));
            }
            made[3] = backend.allocate("sweep MLP chunk", chunk * MlpPart.workElements(config));
            if (condenses) {
                made[4] = backend.allocate("MLPs of tokens", Condensation.mapElements(config, chunk));
            }
            if (bentTokens > 0) {
                made[5] = backend.allocate("activation second derivative", bentTokens * MlpPart.bendElements(config));
            }
            if (config.architecture().stream().parallel()) {
                made[7] = backend.allocate("what enters a block", (long) rows * width);
            }
        } catch (RuntimeException | Error e) {
            for (Buffer buffer : made) {
                if (buffer != null) {
                    buffer.close();
                }
            }
            throw e;
        }
        x = made[0];
        y = made[1];
        qkv = made[2];
        hidden = made[3];
        maps = made[4];
        bend = made[5];
        heads = made[6];
        copy = made[7];
    }

    /** Elements that a workspace takes per row of the batch, without what is held of some rows only. */
    static long elementsPerRow(ModelConfig config) {
        // A row of a nursery stands for as many of a grown column.
        return 2L * rowWidth(config)
                + (config.width() + Nursery.LEAST_ROWS - 1L) / Nursery.LEAST_ROWS
                + (config.architecture().stream().parallel() ? config.width() : 0);
    }

    /** Elements of a row that holds the stream at one time and the heads' outputs at another. */
    static int rowWidth(ModelConfig config) {
        return Math.max(config.width(), config.architecture().attention().queryWidth());
    }

    /** Takes {@code count} rows from row {@code from} on. */
    interface RowWork {
        void take(int from, int count);
    }

    /** The rows from (inclusive) to (exclusive) in chunks that the MLP works on at once: equal ones, none of them a small rest. */
    void forEachChunk(int from, int to, RowWork work) {
        forEach(from, to, chunk, work);
    }

    /** Likewise in chunks that a token's own map is applied to at once. */
    void forEachStreamChunk(int from, int to, RowWork work) {
        forEach(from, to, streamChunk, work);
    }

    private static void forEach(int from, int to, int most, RowWork work) {
        int parts = Math.max(1, (to - from + most - 1) / most);
        int chunk = Math.max(1, (to - from + parts - 1) / parts);
        for (int r = from; r < to; r += chunk) {
            Cancellation.check();
            work.take(r, Math.min(chunk, to - r));
        }
    }

    /** The batch, [rows, D]. */
    Matrix x(int rows) {
        return Matrix.of(x, rows, width);
    }

    /** Work space of the batch's shape, [rows, D]. */
    Matrix y(int rows) {
        return Matrix.of(y, rows, width);
    }

    /** Work space [rows, A] for the outputs of all heads; shares its memory with {@link #y}. */
    Matrix attended(int rows) {
        return Matrix.of(y, rows, attended);
    }

    /** Work space [rows, 3A] for rows that are in attention. */
    Matrix qkv(int rows) {
        return Matrix.of(qkv, rows, 3 * attended);
    }

    /** Work space [rows, A] for tangents of values, where queries and keys have none; at the front of {@link #qkv}. */
    Matrix values(int rows) {
        return Matrix.of(qkv, rows, attended);
    }

    /** Work space [rows, n] behind {@link #values} of as many rows, for scores; n is at most 2 A. */
    Matrix scores(int rows, int n) {
        return new Matrix(qkv, (long) rows * attended, rows, n, n);
    }

    /** Work space for factors of scores; the same for all levels of a sweep. */
    Buffer keyFactors(long elements) {
        if (keyFactors == null || keyFactors.length() < elements) {
            keyFactors = closed(keyFactors);
            keyFactors = backend.allocate("factors of scores", elements);
        }
        return keyFactors;
    }

    /** Work space for the norms of heads that factors of scores go through; likewise. */
    Buffer keyNorms(long elements) {
        if (keyNorms == null || keyNorms.length() < elements) {
            keyNorms = closed(keyNorms);
            keyNorms = backend.allocate("norms of heads", elements);
        }
        return keyNorms;
    }

    private static Buffer closed(Buffer buffer) {
        if (buffer != null) {
            buffer.close();
        }
        return null;
    }

    /** Work space [rows, (H + 2 K) h] for what is projected, null where that is q, k and v themselves; see {@link Heads}. */
    Matrix projected(int rows) {
        return heads == null ? null : Matrix.of(heads, rows, projected);
    }

    /** Work space [rows, D] for what a half of a block adds to the stream; shares its memory with {@link #qkv}. */
    Matrix branch(int rows) {
        return Matrix.of(qkv, rows, width);
    }

    /** Work space [rows, W] for the MLP's hidden layer of at most as many rows as a chunk has; see {@link HiddenLayer}. */
    Matrix hidden(int rows) {
        return Matrix.of(hidden, rows, upWidth);
    }

    /** Work space [rows, F] in the memory of {@link #hidden}. */
    Matrix scaled(int rows) {
        return Matrix.of(hidden, rows, inner);
    }

    /** What this sweep knows of others; null for nothing. */
    Retention retention() {
        return retention;
    }

    /** How many tokens' maps there is room for; with more than one, {@link #scaled} has as many times D rows. */
    int mapsAtOnce() {
        return mapsAtOnce;
    }

    /** Work space [n D, D] for the maps of {@code n} tokens, one below the other. */
    Matrix maps(int n) {
        return Matrix.of(maps, n * width, width);
    }

    /** Work space [T, W] for what curvatures of one block's hidden layer need. */
    Matrix bend(int tokens) {
        return Matrix.of(bend, tokens, upWidth);
    }

    /** Work space [rows, D] for the batch as it entered a block whose halves both read that. */
    Matrix copy(int rows) {
        return Matrix.of(copy, rows, width);
    }

    /** Makes what was written to {@link #y} the batch. */
    void swap() {
        Buffer old = x;
        x = y;
        y = old;
    }

    @Override
    public void close() {
        x.close();
        y.close();
        qkv.close();
        hidden.close();
        keyFactors = closed(keyFactors);
        keyNorms = closed(keyNorms);
        if (heads != null) {
            heads.close();
        }
        if (maps != null) {
            maps.close();
        }
        if (bend != null) {
            bend.close();
        }
        if (copy != null) {
            copy.close();
        }
    }
}
