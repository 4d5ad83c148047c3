package dev.greenfield.backend.cuda;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
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

    CudaAttention(Launcher launcher, BatchTables tables, DeviceMemory memory, Precision precision) {
        this.launcher = launcher;
        this.tables = tables;
        this.memory = memory;
        this.precision = precision.label();
    }

    void value(
            AttentionShape shape,
            Matrix qkv,
            RaggedRows rows,
            Matrix base,
            int queriesFrom,
            Matrix out,
            Buffer logSumExp) {
        begin("attention", shape).matrix(qkv);
        batch(rows).matrix(base).matrix(out).buffer(logSumExp);
        finish(shape, rows, queriesFrom, queriesFrom / TILE, 0);
    }

    void tangent(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix dout) {
        begin("attention_tangent", primal.shape())
                .matrix(primal.qkv())
                .buffer(primal.logSumExp())
                .matrix(dqkv);
        batch(rows).matrix(dout);
        finish(primal.shape(), rows, queriesFrom, queriesFrom / TILE, sharedBytes(primal.shape()));
    }

    void adjoint(AttentionPrimal primal, Matrix dout, RaggedRows rows, int queriesFrom, Matrix dqkv) {
        if (rows.rows() == 0) {
            return;
        }
        AttentionShape shape = primal.shape();
        long means = (long) shape.heads() * rows.rows();
        DeviceMemory.Block mean = memory.allocate("attention's mean scores", Float.BYTES * means);
        try {
            for (String part : new String[] {"attention_adjoint_queries", "attention_adjoint_keys"}) {
                begin(part, shape)
                        .matrix(primal.qkv())
                        .buffer(primal.logSumExp())
                        .matrix(dout);
                batch(rows).matrix(dqkv).address(mean.address()).number(rows.rows());
                finish(shape, rows, queriesFrom, 0, sharedBytes(shape));
            }
        } finally {
            memory.free(mean);
        }
    }

    private Launcher begin(String kernel, AttentionShape shape) {
        return launcher.kernel(kernel + "_" + precision + "_" + variant(shape));
    }

    private Launcher batch(RaggedRows rows) {
        BatchTables.Table table = tables.of(rows);
        return launcher.address(table.start()).address(table.first()).address(table.last());
    }

    private void finish(AttentionShape shape, RaggedRows rows, int queriesFrom, int firstTile, int sharedBytes) {
        launcher.number(rows.tokens())
                .number(rows.columns())
                .number(shape.heads())
                .number(shape.headWidth())
                .number((float) shape.scale())
                .number(queriesFrom);
        int tiles = (rows.tokens() + TILE - 1) / TILE - firstTile;
        int slices = (shape.headWidth() + variant(shape) - 1) / variant(shape);
        launcher.launch((rows.columns() + WARPS - 1) / WARPS, tiles, shape.heads() * slices, THREADS, sharedBytes);
    }

    private static int sharedBytes(AttentionShape shape) {
        return 0;
    }

    /** Elements of a head's output that a variant holds in registers; wider heads are done in slices. */
    private static int variant(AttentionShape shape) {
        return shape.headWidth() <= 64 ? 64 : 128;
    }
}
