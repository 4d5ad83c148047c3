package dev.greenfield.inverse;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.lattice.Observable;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Wanted changes of a logit difference, achieved in the run: by sources everywhere and by sources at one site. */
@Tag("slow")
class WishedChangeTest {
    private static final double[] FRACTIONS = {0.01, 0.1, -0.1};
    private static final double[] CLOSE = {0.02, 0.1, 0.1}; // |achieved - wanted| / |wanted| that counts as achieved
    private static final double NEEDED = 0.9; // of the prompts

    /** Every so many of the 240 prompts; {@code -Dgreenfield.test.prompts=1} takes all. */
    private static final int EVERY = Integer.getInteger("greenfield.test.prompts", 4);

    @Test
    void changesAreAchieved() throws IOException {
        JsonNode prompts = TestData.facts();
        int[][] close = new int[2][FRACTIONS.length];
        int[][] closeAtFirst = new int[2][FRACTIONS.length];
        double[][] worst = new double[2][FRACTIONS.length];
        int count = 0;
        int linearizations = 0;
        try (Model model = Greenfield.load("demo", Options.defaults())) {
            for (int p = 0; p < prompts.size(); p += EVERY) {
                JsonNode pair = prompts.get(p);
                Observable f = Observable.logitDifference(
                        pair.path("answer").asText(), pair.path("foil").asText());
                count++;
                try (Run run = model.run(pair.path("clean").asText())) {
                    for (int method = 0; method < 2; method++) {
                        boolean oneSite = method == 1;
                        var found =
                                WishedChange.measure(() -> oneSite ? run.infer().sparse(1) : run.infer(), f, FRACTIONS);
                        for (int i = 0; i < FRACTIONS.length; i++) {
                            WishedChange wish = found.get(i);
                            assertThat(wish.wanted())
                                    .isCloseTo(
                                            FRACTIONS[i] * run.value(f), org.assertj.core.api.Assertions.within(1e-9));
                            close[method][i] += wish.error() <= CLOSE[i] ? 1 : 0;
                            closeAtFirst[method][i] += wish.firstOrderError() <= CLOSE[i] ? 1 : 0;
                            worst[method][i] = Math.max(worst[method][i], wish.error());
                            linearizations += wish.linearizations();
                        }
                    }
                }
            }
        }
        assertThat(count).isGreaterThanOrEqualTo(60);
        for (int method = 0; method < 2; method++) {
            for (int i = 0; i < FRACTIONS.length; i++) {
                System.out.printf(
                        "%s, %+.0f %%: %d of %d prompts achieved within %.0f %%, %d by the first-order source; largest error %.2e%n",
                        method == 0 ? "all sites" : "one site",
                        100 * FRACTIONS[i],
                        close[method][i],
                        count,
                        100 * CLOSE[i],
                        closeAtFirst[method][i],
                        worst[method][i]);
                assertThat(close[method][i]).isGreaterThanOrEqualTo((int) Math.ceil(NEEDED * count));
            }
        }
        System.out.printf("%.2f linearizations a wish%n", (double) linearizations / count / 6);
    }
}
