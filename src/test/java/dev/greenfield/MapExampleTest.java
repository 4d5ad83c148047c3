package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.green.DepthSpectra;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SiteVectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The program of the guide's section on how a patch travels. */
class MapExampleTest {
    @Test
    void followsAPatchThroughTheDepths() throws IOException {
        try (Model model = Greenfield.demo()) {
            Run run = model.run("<|endoftext|> The capital of Korea is");
            Run donor = model.run("<|endoftext|> The capital of Norway is");
            SensitivityField s = run.sensitivity(Observable.logitDifference("Seoul", "Oslo"));
            SiteVectors patch = SiteVectors.of(donor.field().minus(run.field()));
            ResponseMap map = run.responseMap().directions(patch).gain(s).compute();
            double size = map.frobenius(Site.of(0, 4), Site.of(2, 5));
            double stays = map.gain().signed(Site.of(0, 4), 0, Site.of(2, 4), 0);
            double moves = map.gain().signed(Site.of(0, 4), 0, Site.of(2, 5), 0);
            DepthSpectra spectra = run.responseMap().spectra(8);

            double[] source = donor.field().minus(run.field()).vector(0, 4);
            assertThat(stays + moves)
                    .as("nothing else is at or after the source's token")
                    .isCloseTo(s.predict(Site.of(0, 4), source), within(1e-3));
            double[] response = run.green(Site.of(0, 4)).to(Site.of(2, 5)).apply(source);
            double sum = 0;
            for (double x : response) {
                sum += x * x;
            }
            assertThat(size).isCloseTo(Math.sqrt(sum), within(1e-4 * size));
            assertThat(spectra.from(0, 4)[0]).isGreaterThan(spectra.from(0, 4)[7]);
        }
    }

    /** What the page shows is what the test above does, line by line. */
    @Test
    void theGuideShowsThatProgram() throws IOException {
        String here = Files.readString(Path.of("src/test/java/dev/greenfield/MapExampleTest.java"))
                .replaceAll("\\s", "");
        String page = Files.readString(Path.of("docs/guide.md"));
        String section = page.substring(page.indexOf("### How does a patch travel?"));
        int start = section.indexOf("```java\n") + "```java\n".length();
        String program = section.substring(start, section.indexOf("```", start));
        assertThat(program.lines()).hasSize(6);
        assertThat(program.lines())
                .allSatisfy(line ->
                        assertThat(here).contains(line.replaceAll("//.*", "").replaceAll("\\s", "")));
    }
}
