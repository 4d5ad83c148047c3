package dev.greenfield.backend.cuda;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import java.util.function.LongConsumer;

/** Sends sources to the rows that take them in: as they are, or as what describes them, to be made on the device. */
final class CudaInjection {
    private static final int THREADS = 256;

    private final Launcher launcher;
    private final DeviceMemory memory;
    private final Transfers transfers;

    CudaInjection(Launcher launcher, DeviceMemory memory, Transfers transfers) {
        this.launcher = launcher;
        this.memory = memory;
        this.transfers = transfers;
    }

    void inject(Matrix x, int[] index, Matrix sources, double keep) {
        Matrix injected = sources.rows(0, index.length);
        withTable(
                index,
                at -> launcher.kernel("inject")
                        .matrix(x)
                        .address(at)
                        .matrix(injected)
                        .number((float) keep)
                        .size(injected)
                        .launchElements(injected));
    }

    void units(Matrix x, int[] index, int[] component) {
        int n = index.length;
        int[] table = new int[2 * n];
        System.arraycopy(index, 0, table, 0, n);
        System.arraycopy(component, 0, table, n, n);
        withTable(
                table,
                at -> launcher.kernel("inject_units")
                        .matrix(x)
                        .address(at)
                        .address(at + (long) Integer.BYTES * n)
                        .number(n)
                        .launch((n + THREADS - 1) / THREADS, 1, 1, THREADS, 0));
    }

    void signs(Matrix x, int[] index, long[] bits) {
        int n = index.length;
        int halves = 2 * Backend.signWords(x.columns()); // words of 32 bits a row
        int[] table = new int[n + n * halves];
        System.arraycopy(index, 0, table, 0, n);
        for (int w = 0; w < n * halves / 2; w++) {
            table[n + 2 * w] = (int) bits[w];
            table[n + 2 * w + 1] = (int) (bits[w] >>> Integer.SIZE);
        }
        Matrix injected = x.rows(0, n); // as many rows as are written, for the size of the grid
        withTable(
                table,
                at -> launcher.kernel("inject_signs")
                        .matrix(x)
                        .address(at)
                        .address(at + (long) Integer.BYTES * n)
                        .number(halves)
                        .size(injected)
                        .launchElements(injected));
    }

    /** Gives whole numbers to an operation as a table on the device; without any there is nothing to do. */
    void withTable(int[] table, LongConsumer operation) {
        if (table.length == 0) {
            return;
        }
        DeviceMemory.Block block = memory.allocate("row numbers", (long) Integer.BYTES * table.length);
        try {
            transfers.upload(block, table, "row numbers");
            operation.accept(block.address());
        } finally {
            memory.free(block);
        }
    }
}
