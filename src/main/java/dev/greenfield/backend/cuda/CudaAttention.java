package dev.greenfield.backend.cuda;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.AttentionTangents;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.model.Precision;

/**
 * Launches the attention kernels of {@code cuda-kernels}: chooses the variant by precision and head width, and the grid and
 * shared memory as {@code attention.cuh} states them.
 */
final class CudaAttention implements AttentionTangents {
    /** Tokens of a tile of queries (or keys), which a warp works on. */
    private static final int TILE = 16;

    /** Warps, and so columns, of a block. */
    private static final int WARPS = 8;

    private static final int THREADS = 32 * WARPS;

    /** Warps, and so columns, of a block of kernels in which a warp takes one query. */
    private static final int QUERY_WARPS = 4;

    /** Elements of a result row that a warp of those holds. */
    private static final int QUERY_WIDTH = 128;

    private final Launcher launcher;
    private final BatchTables tables;
    private final DeviceMemory memory;
    private final String precision;
    private final int mostSharedBytes;
    private final int mostGroups; // of columns, in a launch

    /**
     * @param mostSharedBytes shared memory that the device lets a block have
     * @param launchColumns columns that a launch takes, rounded up to whole blocks
     */
    CudaAttention(
            Launcher launcher,
            BatchTables tables,
            DeviceMemory memory,
            Precision precision,
            int mostSharedBytes,
            int launchColumns) {
        this.launcher = launcher;
        this.tables = tables;
        this.memory = memory;
        this.precision = precision.label();
        this.mostSharedBytes = mostSharedBytes;
        this.mostGroups = (launchColumns + WARPS - 1) / WARPS;
    }

    /**
     * A kernel's variant.
     *
     * @param suffix of its name
     * @param capped what stands before the suffix in the names of kernels that are compiled apart for scores with a soft cap
     * @param slices blocks for some columns and a tile: heads, each as often as its width needs the variant
     * @param sharedBytes dynamic shared memory of kernels that have tiles
     */
    private record Variant(String suffix, String capped, int slices, int sharedBytes) {}

    void value(
            AttentionShape shape,
            Matrix qkv,
            RaggedRows rows,
            Matrix base,
            int queriesFrom,
            Matrix out,
            Buffer logSumExp) {
        BatchTables.Table table = tables.of(rows);
        Variant variant = variant(shape, qkv, base == null ? qkv : base, out);
        launcher.kernel("attention_" + variant.suffix).matrix(qkv);
        batch(table).matrix(base).matrix(out).buffer(logSumExp);
        numbers(shape, rows, queriesFrom).number(0);
        work(2, 4, shape, rows, queriesFrom);
        launch(rows, variant.slices, tiles(rows) - queriesFrom / TILE, 0);
    }

    void tangent(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix dout) {
        BatchTables.Table table = tables.of(rows);
        Variant variant = tiled(primal.shape(), primal.qkv(), dqkv, dout);
        launcher.kernel("attention_tangent_" + variant.capped + variant.suffix)
                .matrix(primal.qkv())
                .buffer(primal.logSumExp())
                .matrix(dqkv);
        batch(table).matrix(dout);
        numbers(primal.shape(), rows, queriesFrom).number(0);
        work(4, 4, primal.shape(), rows, queriesFrom);
        launch(rows, variant.slices, tiles(rows) - queriesFrom / TILE, variant.sharedBytes);
    }

    /** Measured on a device, and slower; newborn columns are seen token by token, with copies and launches for each. */
    @Override
    public boolean pay() {
        return false;
    }

    @Override
    public void ofScores(
            AttentionPrimal primal, Matrix dv, Matrix scores, RaggedRows rows, int queriesFrom, Matrix dout) {
        launcher.owner().queue(() -> {
            BatchTables.Table table = tables.of(rows);
            Variant variant = tiled(primal.shape(), primal.qkv(), dv, dout);
            launcher.kernel("attention_scored_tangent_" + variant.suffix)
                    .matrix(primal.qkv())
                    .buffer(primal.logSumExp())
                    .address(CudaBuffer.address(scores, launcher.owner()))
                    .number(rows.columns() == 0 ? 0 : rows.last(0) + 1)
                    .matrix(dv);
            batch(table).matrix(dout);
            numbers(primal.shape(), rows, queriesFrom).number(0);
            work(2, 4, primal.shape(), rows, queriesFrom);
            launch(rows, variant.slices, tiles(rows) - queriesFrom / TILE, variant.sharedBytes);
        });
    }

    @Override
    public void ofNewborn(AttentionPrimal primal, Matrix dqkv, RaggedRows columns, int queriesFrom, Matrix dout) {
        launcher.owner().queue(() -> {
            AttentionShape shape = primal.shape();
            int tokens = columns.tokens();
            try (Buffer outputs = launcher.owner().allocate("attention's outputs", (long) tokens * shape.width())) {
                Matrix of = Matrix.of(outputs, tokens, shape.width());
                value(shape, primal.qkv(), RaggedRows.sequence(tokens), null, queriesFrom, of, null);
                BatchTables.Table table = tables.of(columns);
                launcher.kernel("attention_newborn")
                        .matrix(primal.qkv())
                        .buffer(primal.logSumExp())
                        .matrix(of)
                        .matrix(dqkv);
                batch(table).matrix(dout);
                numbers(shape, columns, queriesFrom);
                work(1, 1, shape, columns, queriesFrom);
                launchByQueries(shape, columns, queriesFrom);
            }
        });
    }

    void curvature(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix ddout) {
        BatchTables.Table table = tables.of(rows);
        AttentionShape shape = primal.shape();
        Variant variant = bent(shape, primal.qkv(), dqkv, ddout);
        launcher.kernel("attention_curvature_" + variant.suffix)
                .matrix(primal.qkv())
                .buffer(primal.logSumExp())
                .matrix(dqkv);
        batch(table).matrix(ddout);
        numbers(shape, rows, queriesFrom).number(0);
        work(5, 5, shape, rows, queriesFrom);
        launch(rows, variant.slices, tiles(rows) - queriesFrom / TILE, variant.sharedBytes);
    }

    /** The grid of kernels in which a warp takes one query of one column. */
    private void launchByQueries(AttentionShape shape, RaggedRows rows, int queriesFrom) {
        int blocks = (rows.columns() + QUERY_WARPS - 1) / QUERY_WARPS;
        int slices = (shape.headWidth() + QUERY_WIDTH - 1) / QUERY_WIDTH;
        launcher.launch(blocks, rows.tokens() - queriesFrom, shape.heads() * slices, 32 * QUERY_WARPS, 0);
    }

    void adjoint(AttentionPrimal primal, Matrix dout, RaggedRows rows, int queriesFrom, Matrix dqkv) {
        if (rows.rows() == 0) {
            return;
        }
        BatchTables.Table table = tables.of(rows);
        Variant variant = tiled(primal.shape(), primal.qkv(), dout, dqkv);
        long means = (long) primal.shape().heads() * rows.rows();
        long sums = (long) primal.shape().heads() * rows.tokens();
        DeviceMemory.Block mean = memory.allocate("attention's mean scores", Float.BYTES * means);
        DeviceMemory.Block inverseSums = null;
        try {
            inverseSums = memory.allocate("sums of attention's probabilities", Float.BYTES * sums);
            for (String part : new String[] {"queries_" + variant.capped, "keys_"}) {
                launcher.kernel("attention_adjoint_" + part + variant.suffix)
                        .matrix(primal.qkv())
                        .buffer(primal.logSumExp())
                        .matrix(dout);
                batch(table)
                        .matrix(dqkv)
                        .address(mean.address())
                        .number(rows.rows())
                        .address(inverseSums.address());
                numbers(primal.shape(), rows, queriesFrom).number(0);
                // Queries: dP = dout v' and dq; keys: dP again, dk and dv.
                work(part.equals("keys_") ? 3 : 2, part.equals("keys_") ? 3 : 2, primal.shape(), rows, queriesFrom);
                // dk and dv have blocks of their own.
                int slices = part.equals("keys_") ? 2 * variant.slices : variant.slices;
                launch(rows, slices, tiles(rows), variant.sharedBytes);
            }
        } finally {
            memory.free(mean);
            if (inverseSums != null) {
                memory.free(inverseSums);
            }
        }
    }

    /**
     * Tells a profile what the launch must do.
     *
     * @param products of queries and keys, or weights and values, that cannot be done without
     * @param passes how often D numbers a row are read or written
     */
    private void work(int products, int passes, AttentionShape shape, RaggedRows rows, int queriesFrom) {
        if (launcher.profiled()) {
            double bytes = (double) Float.BYTES * passes * rows.rows() * shape.width();
            launcher.work(bytes, LaunchWork.attentionFlops(products, shape, rows, queriesFrom));
        }
    }

    private Launcher batch(BatchTables.Table table) {
        return launcher.address(table.start()).address(table.first()).address(table.last());
    }

    private Launcher numbers(AttentionShape shape, RaggedRows rows, int queriesFrom) {
        return launcher.number(rows.tokens())
                .number(rows.columns())
                .number(shape.heads())
                .number(shape.headWidth())
                .number((float) shape.scale())
                .number(shape.window() == 0 ? rows.tokens() : Math.min(shape.window(), rows.tokens()))
                .number((float) shape.softCap())
                .number(queriesFrom);
    }

    private static int tiles(RaggedRows rows) {
        return (rows.tokens() + TILE - 1) / TILE;
    }

    /** The last argument is the first column: more columns than a grid has in z take several launches. */
    private void launch(RaggedRows rows, int slices, int tiles, int sharedBytes) {
        int groups = (rows.columns() + WARPS - 1) / WARPS;
        for (int group = 0; group < groups; group += mostGroups) {
            launcher.last(group * WARPS);
            launcher.launch(tiles, slices, Math.min(mostGroups, groups - group), THREADS, sharedBytes);
        }
    }

    private Variant variant(AttentionShape shape, Matrix a, Matrix b, Matrix c) {
        boolean vector = vector(shape, a, b, c);
        boolean wide = vector && shape.headWidth() > 64 && sharedBytes(shape, 128, 1) <= mostSharedBytes;
        int width = wide ? 128 : 64;
        String suffix = precision + "_" + (vector ? Integer.toString(width) : "any");
        return new Variant(
                suffix, shape.softCap() > 0 ? "capped_" : "", slices(shape, width), sharedBytes(shape, width, 1));
    }

    /** Whether a kernel may load 16 bytes at a time. */
    private boolean vector(AttentionShape shape, Matrix a, Matrix b, Matrix c) {
        return shape.headWidth() % 4 == 0 && launcher.aligned(a) && launcher.aligned(b) && launcher.aligned(c);
    }

    private static int slices(AttentionShape shape, int width) {
        return shape.heads() * ((shape.headWidth() + width - 1) / width);
    }

    /** The variant of kernels that have tiles in shared memory; the value needs none. */
    private Variant tiled(AttentionShape shape, Matrix a, Matrix b, Matrix c) {
        return held(shape, variant(shape, a, b, c));
    }

    /** The variant of the curvature: two results in registers leave no room for wide ones, and a soft cap has two tiles. */
    private Variant bent(AttentionShape shape, Matrix a, Matrix b, Matrix c) {
        String suffix = vector(shape, a, b, c) ? "64" : "any";
        return held(shape, new Variant(suffix, "", slices(shape, 64), sharedBytes(shape, 64, 2)));
    }

    private Variant held(AttentionShape shape, Variant variant) {
        if (variant.sharedBytes > mostSharedBytes) {
            throw new BackendException(
                    "heads of width " + shape.headWidth() + (shape.softCap() > 0 ? " with a soft cap" : "") + " need "
                            + variant.sharedBytes + " bytes of shared memory, this GPU has " + mostSharedBytes,
                    Remedy.USE_CPU.phrase());
        }
        return variant;
    }

    /** @param capTiles how many tiles as large as P's a soft cap takes */
    private static int sharedBytes(AttentionShape shape, int width, int capTiles) {
        int slopes = shape.softCap() > 0 ? capTiles * TILE * 40 : 0;
        return Float.BYTES * (2880 * ((shape.headWidth() + 31) / 32) + 704 + 18 * width + slopes);
    }
}
