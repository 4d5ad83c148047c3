package dev.greenfield.backend.cuda;

import dev.greenfield.backend.RaggedRows;
import java.util.ArrayList;
import java.util.List;

/**
 * The tables that describe a batch to kernels, in the GPU's memory: start [T + 1], first [C], last [C], token_of [R], one after
 * another. Those of a part of a batch are made on the device from the whole batch's, without a copy from the host: start and
 * token_of, and row_of [R], where its rows stand in the whole batch; first and last are a range of the whole batch's. A sweep asks
 * for the same batch in every operation, so the latest few are kept. Not safe for several threads: the backend's lock guards it.
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
        private final Table whole; // of the batch that this is a part of, or null
        private int parts; // kept tables that point into this one
        private final long start;
        private final long first;
        private final long last;
        private final long tokenOf;
        private final long rowOf;

        /** Of a batch of its own. */
        private Table(RaggedRows rows, DeviceMemory.Block block) {
            this.rows = rows;
            this.block = block;
            this.whole = null;
            start = block.address();
            first = start + Integer.BYTES * (rows.tokens() + 1L);
            last = first + (long) Integer.BYTES * rows.columns();
            tokenOf = last + (long) Integer.BYTES * rows.columns();
            rowOf = 0;
        }

        /** Of a part of a batch. */
        private Table(RaggedRows rows, DeviceMemory.Block block, Table whole) {
            this.rows = rows;
            this.block = block;
            this.whole = whole;
            start = block.address();
            first = whole.first + (long) Integer.BYTES * rows.firstColumn();
            last = whole.last + (long) Integer.BYTES * rows.firstColumn();
            tokenOf = start + Integer.BYTES * (rows.tokens() + 1L);
            rowOf = tokenOf + (long) Integer.BYTES * rows.rows();
        }

        long start() {
            return start;
        }

        long first() {
            return first;
        }

        long last() {
            return last;
        }

        /** The token of each row from {@code fromRow} on. */
        long tokenOf(int fromRow) {
            return tokenOf + (long) Integer.BYTES * fromRow;
        }

        /** Where each row from {@code fromRow} on stands in the whole batch; 0 for a batch that is no part. */
        long rowOf(int fromRow) {
            return rowOf == 0 ? 0 : rowOf + (long) Integer.BYTES * fromRow;
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
        Table whole = rows.isPart() ? of(rows.whole()) : null;
        Table table = whole == null ? make(rows) : make(rows, whole);
        kept.add(table);
        if (kept.size() > KEPT) {
            forget();
        }
        return table;
    }

    /** Gives up the table that was asked for longest ago, but none that kept ones point into: there is always one of the latter. */
    private void forget() {
        for (int i = 0; i < kept.size() - 1; i++) {
            Table table = kept.get(i);
            if (table.parts == 0) {
                kept.remove(i);
                if (table.whole != null) {
                    table.whole.parts--;
                }
                memory.free(table.block);
                return;
            }
        }
    }

    private Table make(RaggedRows rows, Table whole) {
        int tokens = rows.tokens();
        long elements = tokens + 1L + 2L * rows.rows();
        DeviceMemory.Block block = memory.allocate("tables of a part of a batch", Integer.BYTES * elements);
        Table table = new Table(rows, block, whole);
        try {
            launcher.kernel("rows_of_part")
                    .address(whole.start)
                    .number(tokens)
                    .number(rows.firstColumn())
                    .number(rows.columns())
                    .address(table.start)
                    .address(table.tokenOf)
                    .address(table.rowOf);
            launcher.launch(tokens, 1, 1, THREADS, 0);
        } catch (RuntimeException | Error e) {
            memory.free(block);
            throw e;
        }
        whole.parts++;
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
