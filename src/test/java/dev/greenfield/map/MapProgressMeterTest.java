package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.Model;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Visitor;
import dev.greenfield.failure.Progress;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.response.SweepMode;
import dev.greenfield.testing.Heard;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Progress of a map is what has been pushed, in flops. */
class MapProgressMeterTest {
    private final Heard heard = new Heard();

    @Test
    void halfDepthsAndBatches() {
        Progress.watched(
                heard,
                () -> Task.call("response map", "flop", 180, task -> {
                    // Three columns of 2 rows, each through 3 half blocks of 10 flops a row.
                    MapProgressMeter meter =
                            new MapProgressMeter(new double[] {0, 60, 120, 180}, (level, r) -> 10 * r.rows(), task);
                    meter.restored(new Batches.Range(0, 1));
                    List<Integer> seen = new ArrayList<>();
                    Visitor visitor = meter.watching((level, rows, columns, x) -> seen.add(level.index()));
                    RaggedRows rows = RaggedRows.of(2, new int[] {0}, new int[] {1});
                    for (int h = 0; h <= 3; h++) {
                        visitor.visit(new HalfDepth(h), rows, new int[] {0}, null);
                    }
                    assertThat(seen).containsExactly(0, 1, 2, 3);
                    // A batch that is tried again begins anew: what was shown stays until the second try has come as
                    // far.
                    visitor = meter.watching((level, r, columns, x) -> {});
                    visitor.visit(new HalfDepth(0), rows, new int[] {0}, null);
                    meter.computed(new Batches.Range(1, 2));
                    meter.computed(new Batches.Range(2, 3));
                    return null;
                }));
        assertThat(heard.all())
                .extracting(Progress::done)
                .containsExactly(60.0, 60.0, 80.0, 100.0, 120.0, 120.0, 120.0, 180.0, 180.0);
        assertThat(heard.all()).allMatch(progress -> progress.kept() == 60 && progress.total() == 180);
    }

    @Test
    void aMapCountsThePlannedFlops() throws IOException {
        try (Model model = TestModels.open("random:2,2,16,30,12,seed=4", Backends.REFERENCE.open())) {
            for (SweepMode mode : SweepMode.values()) {
                Heard told = new Heard();
                MapRequest request = model.run(1, 2, 3).responseMap().mode(mode).progress(told);
                double flops = request.plan().flops();
                request.compute();
                told.requireWhole("response map");
                Progress last = told.last();
                assertThat(last.done()).isEqualTo(flops).isEqualTo(last.total());
                assertThat(last.kept()).isZero();
                assertThat(last.unit()).isEqualTo("flop");
            }
        }
    }
}
