package dev.greenfield.backend.cuda;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.BackendException;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.Precision;
import dev.greenfield.backend.RaggedRows;

/**
 * Launches the attention kernels of {@code cuda-kernels}: chooses the variant by precision and head width, and the grid and
 * shared memory as {@code attention.cuh} states them.
 */
final class CudaAttention {
    /** Tokens of a tile of queries (or keys), which a warp works on. */
    private static final int TILE = 16;

    /** Warps, and so columns, of a block. */
    private static final int WARPS = 8;

    private static final int THREADS = 32 * WARPS;

    private final Launcher launcher;
    private final BatchTables tables;
    private final DeviceMemory memory;
    private final String precision;
    private final int mostSharedBytes;

    /**
     * @param mostSharedBytes shared memory that the device lets a block have
     */
    CudaAttention(
            Launcher launcher, BatchTables tables, DeviceMemory memory, Precision precision, int mostSharedBytes) {
        this.launcher = launcher;
        this.tables = tables;
        this.memory = memory;
        this.precision = precision.label();
        this.mostSharedBytes = mostSharedBytes;
    }

    void value(
            AttentionShape shape,
            Matrix qkv,
            RaggedRows rows,
            Matrix base,
            int queriesFrom,
            Matrix out,
            Buffer logSumExp) {
        BatchTables.Table table = tables.of(rows);
        begin("attention", shape).matrix(qkv);
        batch(table).matrix(base).matrix(out).buffer(logSumExp);
        numbers(shape, rows, queriesFrom);
        int tasks = rows.columns() * (tiles(rows) - queriesFrom / TILE);
        launcher.launch(blocks(tasks), 1, slices(shape), THREADS, 0);
    }

    void tangent(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix dout) {
        AttentionShape shape = primal.shape();
        BatchTables.Table table = tables.of(rows);
        begin("attention_tangent", shape)
                .matrix(primal.qkv())
                .buffer(primal.logSumExp())
                .matrix(dqkv);
        batch(table).matrix(dout);
        numbers(shape, rows, queriesFrom);
        int tiles = tiles(rows) - queriesFrom / TILE;
        launcher.launch(blocks(rows.columns()), tiles, slices(shape), THREADS, sharedBytes(shape));
    }

    void adjoint(AttentionPrimal primal, Matrix dout, RaggedRows rows, int queriesFrom, Matrix dqkv) {
        if (rows.rows() == 0) {
            return;
        }
        AttentionShape shape = primal.shape();
        long means = (long) shape.heads() * rows.rows();
        DeviceMemory.Block mean = memory.allocate("attention's mean scores", Float.BYTES * means);
        try {
            adjointPart("queries", slices(shape), primal, dout, rows, queriesFrom, dqkv, mean);
            // dk and dv have blocks of their own.
            adjointPart("keys", 2 * slices(shape), primal, dout, rows, queriesFrom, dqkv, mean);
        } finally {
            memory.free(mean);
        }
    }

    private void adjointPart(
            String part,
            int depth,
            AttentionPrimal primal,
            Matrix dout,
            RaggedRows rows,
            int queriesFrom,
            Matrix dqkv,
            DeviceMemory.Block mean) {
        AttentionShape shape = primal.shape();
        BatchTables.Table table = tables.of(rows);
        begin("attention_adjoint_" + part, shape)
                .matrix(primal.qkv())
                .buffer(primal.logSumExp())
                .matrix(dout);
        batch(table).matrix(dqkv).address(mean.address()).number(rows.rows());
        numbers(shape, rows, queriesFrom);
        launcher.launch(blocks(rows.columns()), tiles(rows), depth, THREADS, sharedBytes(shape));
    }

    private Launcher begin(String kernel, AttentionShape shape) {
        return launcher.kernel(kernel + "_" + precision + "_" + variant(shape));
    }

    private Launcher batch(BatchTables.Table table) {
        return launcher.address(table.start()).address(table.first()).address(table.last());
    }

    private void numbers(AttentionShape shape, RaggedRows rows, int queriesFrom) {
        launcher.number(rows.tokens())
                .number(rows.columns())
                .number(shape.heads())
                .number(shape.headWidth())
                .number((float) shape.scale())
                .number(queriesFrom);
    }

    private static int tiles(RaggedRows rows) {
        return (rows.tokens() + TILE - 1) / TILE;
    }

    /** Blocks for so many tasks of a warp. */
    private static int blocks(int tasks) {
        return (tasks + WARPS - 1) / WARPS;
    }

    /** Heads, each as often as its width needs the variant. */
    private int slices(AttentionShape shape) {
        int variant = variant(shape);
        return shape.heads() * ((shape.headWidth() + variant - 1) / variant);
    }

    private int sharedBytes(AttentionShape shape) {
        return sharedBytes(shape, variant(shape));
    }

    private static int sharedBytes(AttentionShape shape, int variant) {
        return Float.BYTES * (2880 * ((shape.headWidth() + 31) / 32) + 704 + 18 * variant);
    }

    /** Elements of a result row that a warp holds: heads that are wider are done in slices. */
    private int variant(AttentionShape shape) {
        int variant = shape.headWidth() > 64 && sharedBytes(shape, 128) <= mostSharedBytes ? 128 : 64;
        if (sharedBytes(shape, variant) > mostSharedBytes) {
            throw new BackendException(
                    "heads of width " + shape.headWidth() + " need " + sharedBytes(shape, variant)
                            + " bytes of shared memory, this GPU has " + mostSharedBytes,
                    "use --backend cpu");
        }
        return variant;
    }
}
