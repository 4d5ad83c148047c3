package dev.greenfield.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.WeightPlacement;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is kept of scores that come by in parts is what all of them together say. */
class VocabularyScanTest {
    private static final int CHOSEN = 11;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** A capped model, so that cap, probabilities and ranks have to agree; parts of 7 tokens and 3 rows of scores at a time. */
    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void partsAddUpToTheWhole(Backends which) throws IOException {
        try (Backend backend = which.open();
                ModelSource source = ModelSource.open(
                        "random:gemma2:layers=2,heads=2,width=16,inner=24,vocabulary=40,positions=16,seed=3");
                DeviceModel model =
                        new DeviceModel(source, backend, new WeightPlan(WeightPlacement.STREAMED, 1, 7 * 16));
                Linearization run = new Linearization(model, new int[] {3, 1, 4, 1, 5})) {
            MemoryBudget budget = new MemoryBudget(backend, Long.MAX_VALUE);
            VocabularyScan scan = new VocabularyScan(model, budget, 4, 3 * 7);
            List<VocabularyScan.Level> levels = IntStream.rangeClosed(0, 4)
                    .mapToObj(index -> new VocabularyScan.Level(new HalfDepth(index), null))
                    .toList();
            TokenLead[][] found = scan.logits(run, levels, CHOSEN);
            assertThat(found).hasDimensions(5, 5);
            for (int t = 0; t < 5; t++) {
                check(found[4][t], run.logits(t), which == Backends.REFERENCE ? 1e-12 : 1e-5);
            }
            // Budget for one level at a time gives the same.
            long room = model.missingUnembeddingBytes() + 16 * 5 * 8;
            MemoryBudget tight = new MemoryBudget(backend, backend.ledger().bytes() + room);
            TokenLead[][] again = new VocabularyScan(model, tight, 4, 1).logits(run, levels, CHOSEN);
            for (int l = 0; l < 5; l++) {
                for (int t = 0; t < 5; t++) {
                    assertThat(again[l][t].rank()).isEqualTo(found[l][t].rank());
                    assertThat(again[l][t].top()).isEqualTo(found[l][t].top());
                }
            }
        }
    }

    private static void check(TokenLead lead, double[] logits, double tolerance) {
        Integer[] order = IntStream.range(0, logits.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(v -> -logits[v]));
        assertThat(lead.top()).containsExactly(order[0], order[1], order[2], order[3]);
        int n = order.length;
        assertThat(lead.bottom()).containsExactly(order[n - 1], order[n - 2], order[n - 3], order[n - 4]);
        assertThat(lead.topScores()[3]).isCloseTo(logits[order[3]], within(tolerance));
        assertThat(lead.bottomScores()[0]).isCloseTo(logits[order[n - 1]], within(tolerance));
        assertThat(lead.chosenScore()).isCloseTo(logits[CHOSEN], within(tolerance));
        assertThat(lead.rank()).isEqualTo(Arrays.asList(order).indexOf(CHOSEN) + 1);
        double sum = 0;
        for (double logit : logits) {
            sum += Math.exp(logit);
        }
        assertThat(lead.logSumExp()).isCloseTo(Math.log(sum), within(tolerance));
    }

    @Test
    void equalScoresGoByIdAndFewTokensAreAllKept() {
        TokenLead lead = new TokenLead(4, 2, 5);
        lead.take(0, new double[] {9, 5, 7}, 1, 2); // tokens 0 and 1
        lead.take(2, new double[] {5}, 0, 1);
        assertThat(lead.top()).containsExactly(1, 0, 2);
        assertThat(lead.bottom()).containsExactly(0, 2, 1);
        assertThat(lead.bottomScores()).containsExactly(5, 5, 7);
        assertThat(lead.rank()).isEqualTo(2);
        assertThat(lead.logSumExp()).isCloseTo(Math.log(2 * Math.exp(5) + Math.exp(7)), within(1e-12));
    }
}
