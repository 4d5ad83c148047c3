package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.function.LongConsumer;

/** Sums over rows in double precision: made on the device, brought to the host. */
final class CudaSums {
    private static final int THREADS = 256;

    private final Launcher launcher;
    private final BatchTables tables;
    private final DeviceMemory memory;
    private final Transfers transfers;
    private final CudaInjection injection;

    /**
     * @param injection which sends tables of numbers
     */
    CudaSums(Launcher launcher, BatchTables tables, DeviceMemory memory, Transfers transfers, CudaInjection injection) {
        this.launcher = launcher;
        this.tables = tables;
        this.memory = memory;
        this.transfers = transfers;
        this.injection = injection;
    }

    void squaredNorms(Matrix x, double[] into, int at) {
        downloaded(
                x.rows(),
                into,
                at,
                out -> launcher.kernel("squared_norms")
                        .matrix(x)
                        .address(out)
                        .size(x)
                        .launchSums(x));
        transfers.await("squared norms");
    }

    void dots(Matrix x, RaggedRows rows, int fromRow, Matrix targets, double[] into, int at) {
        long tokens = rows == null ? 0 : tables.of(rows).tokenOf(fromRow);
        downloaded(
                x.rows(),
                into,
                at,
                out -> launcher.kernel("dots")
                        .matrix(x)
                        .address(tokens)
                        .matrix(targets)
                        .address(out)
                        .size(x)
                        .launchSums(x));
        transfers.await("inner products");
    }

    /** These need not wait: they are there after the next wait. */
    void squaredNormMoments(Matrix x, RaggedRows rows, int[] groups, int moments, double[] into, int at) {
        int count = groups.length - 1;
        long start = tables.of(rows).start();
        injection.withTable(
                groups,
                table -> downloaded(
                        moments * count * rows.tokens(),
                        into,
                        at,
                        out -> launcher.kernel("squared_norm_moments")
                                .matrix(x)
                                .address(start)
                                .address(table)
                                .number(moments)
                                .address(out)
                                .number(x.columns())
                                .launch(count, rows.tokens(), 1, THREADS, 0)));
    }

    /** Numbers of double precision that an operation makes on the device, on their way to the host. */
    private void downloaded(int count, double[] into, int at, LongConsumer operation) {
        if (count == 0) {
            return;
        }
        DeviceMemory.Block block = memory.allocate("sums of rows", (long) Double.BYTES * count);
        try {
            operation.accept(block.address());
            transfers.downloadLater(
                    block,
                    Double.BYTES,
                    count,
                    "sums of rows",
                    (staging, place, i, n) -> staging.slice(place, n * Double.BYTES)
                            .order(staging.order())
                            .asDoubleBuffer()
                            .get(into, at + i, n));
        } finally {
            memory.free(block);
        }
    }
}
