package dev.greenfield.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Backends;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.model.ModelSource;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Batches of a checkpoint: short enough to save something now and then, long enough for products to be fast. */
class CheckpointPlanTest {
    private static final int COLUMNS = 1000;
    private static final int ROWS = 4; // of a column

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** Columns of equal work. */
    private List<Batches.Range> cut(Backends kind, double flops, long budget) throws IOException {
        int[] rows = new int[COLUMNS];
        Arrays.fill(rows, ROWS);
        double[] before = new double[COLUMNS + 1];
        for (int c = 0; c <= COLUMNS; c++) {
            before[c] = flops * c / COLUMNS;
        }
        try (ModelSource source = ModelSource.open("random:2,2,16,30,12");
                DeviceModel model = new DeviceModel(source, leaks.closing(kind.open()))) {
            List<Batches.Range> batches = CheckpointPlan.cut(model, rows, budget, before);
            int column = 0;
            for (Batches.Range batch : batches) {
                assertThat(batch.from()).isEqualTo(column);
                column = batch.to();
                assertThat(Batches.bytes(model, CheckpointPlan.rows(rows, batch)))
                        .isLessThanOrEqualTo(budget);
            }
            assertThat(column).isEqualTo(COLUMNS);
            return batches;
        }
    }

    private static int longest(List<Batches.Range> batches) {
        return batches.stream()
                .mapToInt(range -> range.to() - range.from())
                .max()
                .orElseThrow();
    }

    @Test
    void workAndRowsDecide() throws IOException {
        long plenty = 1L << 30;
        assertThat(cut(Backends.REFERENCE, 9e9, plenty)).hasSize(1);
        List<Batches.Range> ten = cut(Backends.REFERENCE, 1e11, plenty);
        assertThat(ten).hasSize(10);
        assertThat(longest(ten)).isEqualTo(COLUMNS / 10);
        // A thousand batches' work, but 4000 rows are no more than 15 times 256, or once 2048.
        List<Batches.Range> large = cut(Backends.REFERENCE, 1e13, plenty);
        assertThat(large).hasSize(15);
        assertThat(longest(large)).isBetween(66, 68);
        assertThat(cut(Backends.CPU, 1e15, plenty)).hasSize(1);
    }

    @Test
    void memoryDecidesWhereItIsShort() throws IOException {
        List<Batches.Range> little = cut(Backends.REFERENCE, 1e3, 200_000);
        assertThat(little).hasSizeGreaterThan(5);
        assertThat(cut(Backends.REFERENCE, 1e13, 200_000)).isEqualTo(little);
    }
}
