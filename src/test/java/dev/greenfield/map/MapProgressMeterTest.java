package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.Model;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Visitor;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.response.SweepMode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Progress is what has been pushed, said at most once a second. */
class MapProgressMeterTest {
    private final List<MapProgress> told = new ArrayList<>();
    private long nanos;

    @Test
    void halfDepthsAndBatches() {
        // Three columns of 2 rows, each through 3 half blocks of 10 flops a row.
        MapProgressMeter meter = new MapProgressMeter(
                new double[] {0, 60, 120, 180}, (level, r) -> 10 * r.rows(), told::add, () -> nanos);
        meter.restored(new Batches.Range(0, 1));
        assertThat(told).isEmpty();
        nanos = 5_000_000_000L;
        List<Integer> seen = new ArrayList<>();
        Visitor visitor = meter.watching((level, rows, columns, x) -> seen.add(level.index()));
        RaggedRows rows = RaggedRows.of(2, new int[] {0}, new int[] {1});
        for (int h = 0; h <= 3; h++) {
            visitor.visit(new HalfDepth(h), rows, new int[] {0}, null);
            nanos += 600_000_000;
        }
        assertThat(seen).containsExactly(0, 1, 2, 3);
        // 0, 0.6, 1.2 and 1.8 s after the start: only the third visit comes late enough, two half blocks are done by
        // then.
        assertThat(told).containsExactly(new MapProgress(60 + 40, 60, 180, 1.2));
        assertThat(told.get(0).flopsPerSecond()).isEqualTo(40 / 1.2);
        assertThat(told.get(0).secondsLeft()).isEqualTo(80 / (40 / 1.2));
        meter.computed(new Batches.Range(1, 2));
        assertThat(told).last().isEqualTo(new MapProgress(120, 60, 180, 2.4));
        // A batch that is tried again begins anew.
        visitor = meter.watching((level, r, columns, x) -> {});
        nanos += 2_000_000_000;
        visitor.visit(new HalfDepth(0), rows, new int[] {0}, null);
        assertThat(told).last().isEqualTo(new MapProgress(120, 60, 180, 4.4));
        meter.computed(new Batches.Range(2, 3));
        assertThat(told).hasSize(4).last().isEqualTo(new MapProgress(180, 60, 180, 4.4));
        assertThat(told.get(3).fraction()).isEqualTo(1);
        assertThat(told.get(3).secondsLeft()).isZero();
    }

    @Test
    void aMapSaysWhenItIsDone() throws IOException {
        try (Model model = TestModels.open("random:2,2,16,30,12,seed=4", Backends.REFERENCE.open())) {
            for (SweepMode mode : SweepMode.values()) {
                told.clear();
                ResponseMap.Request request =
                        model.run(1, 2, 3).responseMap().mode(mode).progress(told::add);
                double flops = request.plan().flops();
                request.compute();
                assertThat(told).isNotEmpty();
                MapProgress last = told.get(told.size() - 1);
                assertThat(last.doneFlops()).isEqualTo(flops).isEqualTo(last.totalFlops());
                assertThat(last.restoredFlops()).isZero();
            }
        }
    }
}
