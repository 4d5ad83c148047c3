package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.GreenOperator;
import dev.greenfield.response.LowRank;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The library as a stranger would call it, with what the user guide and the README show. */
class LibraryExampleTest {
    @Test
    void asksEveryQuestionOfOneRun() throws IOException {
        try (Model model = Greenfield.demo()) {
            Run run = model.run("<|endoftext|> The capital of Korea is");
            Observable seoul = Observable.logitDifference("Seoul", "Oslo");

            SensitivityField s = run.sensitivity(seoul); // every site, one adjoint sweep
            assertThat(s.value()).isBetween(11.0, 25.0).isCloseTo(run.value(seoul), within(1e-6));
            assertThat(s.field().depths()).isEqualTo(5);

            Run donor = model.run("<|endoftext|> The capital of Norway is");
            PatchSweep sweep = run.patchSweep(donor, seoul);
            // Putting Norway in place of Korea where the country enters turns the answer over.
            assertThat(s.value() + sweep.measured()[0][4]).isCloseTo(donor.value(seoul), within(1e-3));
            assertThat(sweep.measured()[4][5]).isNotZero();
            assertThat(sweep.measured()[0][1]).isZero();

            GreenOperator g = run.green(Site.of(1, 4)).to(4);
            double[] source = new double[model.config().width()];
            source[0] = 1;
            double[] response = g.apply(source);
            assertThat(response).hasSize(run.tokens().length * model.config().width());
            Field everywhere = run.response(Site.of(1, 4), source);
            assertThat(everywhere.vector(4, 5)[0])
                    .isCloseTo(response[5 * model.config().width()], within(1e-5));

            LowRank leading = g.svd(8, 0);
            assertThat(leading.energy()).isBetween(0.3, 1.0);
        }
    }

    @Test
    void closingTheModelGivesAllMemoryBack() throws IOException {
        Model model = Greenfield.demo();
        model.run("<|endoftext|> The capital of Korea is");
        model.run("<|endoftext|> The capital of Norway is").sensitivity(Observable.logit("Oslo"));
        assertThat(model.backend().backend().ledger().openCount()).isPositive();
        model.close();
        assertThat(model.backend().backend().ledger().describeOpen()).isEmpty();
        model.close();
    }
}
