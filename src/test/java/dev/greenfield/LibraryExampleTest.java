package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.green.GreenOperator;
import dev.greenfield.green.LinearOperator;
import dev.greenfield.green.LowRank;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The library as a stranger would call it, with what the guide and the README show. */
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

    /** The program of docs/theory.md, on demo's tokens: 4 is "Korea", 5 the last. */
    @Test
    void composesAndCutsOperators() throws IOException {
        try (Model model = Greenfield.demo()) {
            Run run = model.run("<|endoftext|> The capital of Korea is");
            GreenOperator lower = run.green(Site.of(1, 4)).to(2);
            GreenOperator upper = run.green(lower.targets()).to(Site.of(4, 5));
            LinearOperator whole = lower.then(upper);
            LinearOperator stays = lower.slice(lower.sources(), List.of(Site.of(2, 4)))
                    .then(upper.slice(List.of(Site.of(2, 4)), upper.targets()));
            LinearOperator moves = lower.slice(lower.sources(), List.of(Site.of(2, 5)))
                    .then(upper.slice(List.of(Site.of(2, 5)), upper.targets()));
            LowRank leading = stays.svd(4, 0);
            double[][] basis = {
                run.sensitivity(Observable.logitDifference("Seoul", "Oslo")).at(Site.of(4, 5))
            };
            double[] slope = whole.onOutputs(basis).materialize();

            double[] direct = run.green(Site.of(1, 4)).to(Site.of(4, 5)).materialize();
            assertThat(Errors.relative(whole.materialize(), direct)).isLessThan(1e-4);
            double[] parts = Vectors.plus(stays.materialize(), 1, moves.materialize());
            assertThat(Errors.relative(parts, direct)).isLessThan(1e-4);
            assertThat(leading.energy()).isBetween(0.2, 1.0);
            double[] transported =
                    run.sensitivity(Observable.logitDifference("Seoul", "Oslo")).at(Site.of(1, 4));
            assertThat(Errors.relative(slope, transported)).isLessThan(1e-4);
        }
    }

    /** What the page shows is what {@link #composesAndCutsOperators} does, line by line. */
    @Test
    void theTheoryPageShowsThatProgram() throws IOException {
        String here = Files.readString(Path.of("src/test/java/dev/greenfield/LibraryExampleTest.java"))
                .replaceAll("\\s", "");
        String page = Files.readString(Path.of("docs/theory.md"));
        int start = page.indexOf("```java\n") + "```java\n".length();
        String program = page.substring(start, page.indexOf("```", start));
        assertThat(program.lines()).hasSizeGreaterThan(10);
        assertThat(program.lines())
                .allSatisfy(line ->
                        assertThat(here).contains(line.replaceAll("//.*", "").replaceAll("\\s", "")));
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
