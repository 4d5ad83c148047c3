package dev.greenfield.backend.cuda;

import dev.greenfield.backend.RaggedRows;
import java.util.ArrayList;
import java.util.List;

/**
 * The tables that describe a batch to kernels, in the GPU's memory: start [T + 1], first [C], last [C], token_of [R], one after
 * another. A sweep asks for the same batch in every operation, so the latest few are kept. Not safe for several threads: the
 * backend's lock guards it.
 */
final class BatchTables {
    private static final int KEPT = 8;
    private static final int THREADS = 128;

    private final DeviceMemory memory;
    private final Transfers transfers;
    private final Launcher launcher;
    private final List<Table> kept = new ArrayList<>(); // latest last

    BatchTables(DeviceMemory memory, Transfers transfers, Launcher launcher) {
        this.memory = memory;
        this.transfers = transfers;
        this.launcher = launcher;
    }

    /** One batch's tables, as device addresses. */
    static final class Table {
        private final RaggedRows rows;
        private final DeviceMemory.Block block;

        private Table(RaggedRows rows, DeviceMemory.Block block) {
            this.rows = rows;
            this.block = block;
        }

        long start() {
            return block.address();
        }

        long first() {
            return start() + Integer.BYTES * (rows.tokens() + 1L);
        }

        long last() {
            return first() + (long) Integer.BYTES * rows.columns();
        }

        /** The token of each row from {@code fromRow} on. */
        long tokenOf(int fromRow) {
            return last() + Integer.BYTES * ((long) rows.columns() + fromRow);
        }
    }

    /** The tables of a batch. Making them launches a kernel: ask before beginning to write another launch's arguments. */
    Table of(RaggedRows rows) {
        for (int i = kept.size() - 1; i >= 0; i--) {
            Table table = kept.get(i);
            if (table.rows == rows) {
                kept.remove(i);
                kept.add(table);
                return table;
            }
        }
        if (kept.size() == KEPT) {
            memory.free(kept.remove(0).block);
        }
        Table table = make(rows);
        kept.add(table);
        return table;
    }

    private Table make(RaggedRows rows) {
        int tokens = rows.tokens();
        int columns = rows.columns();
        long elements = tokens + 1L + 2L * columns + rows.rows();
        DeviceMemory.Block block = memory.allocate("tables of a batch", Integer.BYTES * elements);
        Table table = new Table(rows, block);
        try {
            fill(table);
        } catch (RuntimeException | Error e) {
            memory.free(block);
            throw e;
        }
        return table;
    }

    private void fill(Table table) {
        RaggedRows rows = table.rows;
        int tokens = rows.tokens();
        int columns = rows.columns();
        int[] entries = new int[tokens + 1 + 2 * columns];
        for (int t = 0; t <= tokens; t++) {
            entries[t] = rows.start(t);
        }
        for (int c = 0; c < columns; c++) {
            entries[tokens + 1 + c] = rows.first(c);
            entries[tokens + 1 + columns + c] = rows.last(c);
        }
        transfers.upload(table.block, entries, "tables of a batch");
        launcher.kernel("token_of_rows").address(table.start()).number(tokens).address(table.tokenOf(0));
        launcher.launch(tokens, 1, 1, THREADS, 0);
    }
}
