package dev.greenfield.cli.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.cli.Cli;
import dev.greenfield.green.DepthSpectra;
import dev.greenfield.lattice.Observable;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What map writes beside norms: gains through targets and singular values, against the library's and against each other. */
class MapReductionsCommandTest {
    private static final int LEVELS = 3;
    private static final int TOKENS = 4;

    @TempDir
    private Path out;

    private String[] map(String... more) {
        String[] common = {"map", "--model", Cli.SMALL, "--tokens", "3,1,4,1", "--backend", "reference"};
        return Cli.with(Cli.with(common, "--answer", "#2", "--out", out.toString()), more);
    }

    private double[] tensor(String name, long... shape) throws IOException {
        return Cli.tensor(out, name, DType.F64, shape);
    }

    @Test
    void gainsThroughTargetsAreTheLibrarys() throws IOException {
        Cli.done(map("--through", "--probes", "3", "--seed", "5"));
        double[] through = tensor("map.through", LEVELS, TOKENS, LEVELS, TOKENS);
        double[] gain = tensor("map.gain", LEVELS, TOKENS);
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            Run run = model.run(3, 1, 4, 1);
            ResponseMap map = run.responseMap()
                    .exact()
                    .gain(run.sensitivity(Observable.logit("#2")))
                    .compute();
            double[] expected = map.gain().norms(0);
            for (int i = 0; i < through.length; i++) {
                assertThat(through[i]).isCloseTo(expected[i], within(1e-10));
            }
        }
        // Through the one site that F is read from passes all of it.
        for (int source = 0; source < LEVELS * TOKENS; source++) {
            assertThat(through[source * LEVELS * TOKENS + LEVELS * TOKENS - 1]).isCloseTo(gain[source], within(1e-10));
        }
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("through_exact").asBoolean()).isTrue();
        assertThat(results.has("spectra_energy")).isFalse();
        assertThat(Files.readString(out.resolve("report.html")))
                .contains("Gain on F through every target")
                .doesNotContain("Singular values");
    }

    @Test
    void estimatesHaveTheirErrors() throws IOException {
        Cli.done(map("--through", "--probes", "3", "--mode", "forward"));
        double[] through = tensor("map.through", LEVELS, TOKENS, LEVELS, TOKENS);
        double[] errors = tensor("map.through.stderr", LEVELS, TOKENS, LEVELS, TOKENS);
        assertThat(Cli.result(out).path("results").path("through_exact").asBoolean())
                .isFalse();
        int estimated = 0;
        for (int i = 0; i < errors.length; i++) {
            boolean known = through[i] == 0 || i / (LEVELS * TOKENS) == i % (LEVELS * TOKENS);
            assertThat(errors[i] > 0).as("pair " + i).isEqualTo(!known);
            estimated += known ? 0 : 1;
        }
        assertThat(estimated).isGreaterThan(10);
    }

    @Test
    void spectraAreTheLibrarysAndHoldWhatTheySay() throws IOException {
        Cli cli = Cli.done(map("--spectra", "64", "--exact", "--seed", "5"));
        assertThat(cli.out()).contains("depth");
        double[] spectra = tensor("map.spectra", LEVELS, LEVELS, 64);
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            DepthSpectra expected = model.run(3, 1, 4, 1).responseMap().seed(5).spectra(64);
            assertThat(spectra).containsExactly(expected.all());
            // Two of the 64 hold a part of the energy, all of them hold all of it.
            DepthSpectra two = model.run(3, 1, 4, 1).responseMap().seed(5).spectra(2);
            ResponseMap map =
                    model.run(3, 1, 4, 1).responseMap().exact().seed(5).compute();
            double[][] energy = MapReductions.energy(two, map);
            double[] s = expected.from(0, 2);
            double whole = 0;
            for (double value : s) {
                whole += value * value;
            }
            assertThat(energy[0][2]).isCloseTo((s[0] * s[0] + s[1] * s[1]) / whole, within(1e-7));
            assertThat(energy[1][1]).isCloseTo(2 / 64.0, within(1e-12));
            assertThat(energy[2][0]).isNaN();
        }
        JsonNode energy = Cli.result(out).path("results").path("spectra_energy");
        assertThat(energy.path(0).path(2).asDouble()).isCloseTo(1, within(1e-9));
        assertThat(energy.path(2).path(0).isNull()).isTrue();
        assertThat(Files.readString(out.resolve("report.html")))
                .contains("Singular values to depth 2", "Energy of the leading singular values");
    }

    @Test
    void onlyLevelsThatWereAskedForHaveSpectra() throws IOException {
        Cli.done(map("--spectra", "2", "--sites", "0:1", "--targets", "1:*"));
        double[] spectra = tensor("map.spectra", LEVELS, LEVELS, 2);
        Map<Integer, Boolean> known = Map.of(0, false, 1, true, 2, false, 4, false, 5, false);
        known.forEach(
                (pair, there) -> assertThat(Double.isNaN(spectra[2 * pair])).isEqualTo(!there));
        assertThat(spectra[2]).isGreaterThanOrEqualTo(spectra[3]).isPositive();
        assertThat(Files.readString(out.resolve("report.html"))).contains("Singular values to depth 1");
    }
}
