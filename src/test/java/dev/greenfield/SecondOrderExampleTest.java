package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SecondOrder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The program of the theory page's section on second order. */
class SecondOrderExampleTest {
    @Test
    void predictsSmallPatchesAndTheirInteraction() throws IOException {
        try (Model model = Greenfield.demo()) {
            Run run = model.run("<|endoftext|> The capital of Korea is");
            Run donor = model.run("<|endoftext|> The capital of Norway is");
            Observable seoul = Observable.logitDifference("Seoul", "Oslo");
            Field displacement = donor.field().minus(run.field());
            Source early = Source.of(Site.of(1, 4), displacement.vector(1, 4));
            Source late = Source.of(Site.of(3, 5), displacement.vector(3, 5));
            Map<Site, double[]> sites = new LinkedHashMap<>(early.vectors());
            sites.putAll(late.vectors());
            SecondOrder f = run.secondOrder(List.of(early, late, Source.of(sites)), seoul);
            double interaction = f.second()[2] - f.second()[1] - f.second()[0];
            double[] tenth = f.predicted(0.1);
            double[] measured = run.effects(List.of(early.times(0.1), late.times(0.1)), seoul);

            for (int i = 0; i < measured.length; i++) {
                double first = 0.1 * f.first()[i];
                assertThat(Math.abs(tenth[i] - measured[i]))
                        .as("second order is nearer than first")
                        .isLessThan(0.5 * Math.abs(first - measured[i]));
            }
            // F(J1 + J2) - F(J1) - F(J2) + F at a tenth, which is a hundredth of J1' H J2 to leading order.
            double together = run.effects(List.of(Source.of(sites).times(0.1)), seoul)[0];
            double mixed = together - measured[0] - measured[1];
            assertThat(mixed).isCloseTo(0.005 * interaction, within(0.3 * Math.abs(0.005 * interaction)));
        }
    }

    /** What the page shows is what the test above does, line by line. */
    @Test
    void theTheoryPageShowsThatProgram() throws IOException {
        String here = Files.readString(Path.of("src/test/java/dev/greenfield/SecondOrderExampleTest.java"))
                .replaceAll("\\s", "");
        String page = Files.readString(Path.of("docs/theory.md"));
        String section = page.substring(page.indexOf("## Second order"));
        int start = section.indexOf("```java\n") + "```java\n".length();
        String program = section.substring(start, section.indexOf("```", start));
        assertThat(program.lines()).hasSizeGreaterThan(10);
        assertThat(program.lines())
                .allSatisfy(line ->
                        assertThat(here).contains(line.replaceAll("//.*", "").replaceAll("\\s", "")));
    }
}
