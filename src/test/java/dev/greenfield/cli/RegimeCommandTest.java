package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.regime.LinearRegime;
import dev.greenfield.regime.Radius;
import dev.greenfield.regime.RegimeGrid;
import dev.greenfield.regime.RegimeMap;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.safetensors.DType;
import dev.greenfield.testing.Errors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the regime and propagate commands write, against what the library computes. */
@Tag("slow")
class RegimeCommandTest {
    private static final String PROMPT = "<|endoftext|> The capital of Korea is";
    private static final String CORRUPT = "<|endoftext|> The capital of Norway is";
    private static final Observable F = Observable.logitDifference("Seoul", "Oslo");

    @TempDir
    private Path out;

    private Cli done(String command, String... more) {
        return Cli.done(Cli.with(
                new String[] {
                    command,
                    "--prompt",
                    PROMPT,
                    "--answer",
                    "Seoul",
                    "--foil",
                    "Oslo",
                    "--backend",
                    "reference",
                    "--out",
                    out.toString(),
                    "--quiet"
                },
                more));
    }

    private static Model model() throws IOException {
        return Greenfield.load("demo", Options.defaults().backend("reference"));
    }

    @Test
    void oneSiteIsTheLibrarys() throws IOException {
        Cli cli = done("regime", "--depth", "1", "--token", "4", "--epsilon", "0.3,-1e-2,1e-3");
        assertThat(cli.out()).contains("second order", "4 Korea", "20 %");
        double[] epsilons = {0.3, -1e-2, 1e-3};
        try (Model model = model()) {
            Run run = model.run(PROMPT);
            Site site = Site.of(1, 4);
            Source source = run.relativeSource(site, run.sensitivity(F).at(site));
            LinearRegime regime = run.linearRegimes(List.of(source), F, RegimeGrid.of(1e-3, 1e-2, 0.3))
                    .get(0);
            assertThat(Cli.tensor(out, "sweep.epsilon", DType.F64, 3)).containsExactly(epsilons);
            double[] measured =
                    run.effects(Arrays.stream(epsilons).mapToObj(source::times).toList(), F);
            assertThat(Cli.tensor(out, "sweep.measured", DType.F64, 3)).containsExactly(measured, within(1e-9));
            double[] opposite = run.effects(
                    Arrays.stream(epsilons).mapToObj(e -> source.times(-e)).toList(), F);
            assertThat(Cli.tensor(out, "sweep.opposite", DType.F64, 3)).containsExactly(opposite, within(1e-9));
            double slope = run.sensitivity(F).predict(source);
            assertThat(Cli.tensor(out, "sweep.predicted", DType.F64, 3))
                    .containsExactly(Arrays.stream(epsilons).map(e -> e * slope).toArray(), within(1e-9));
            double curvature = run.secondOrder(List.of(source), F).second()[0];
            assertThat(curvature).isNotZero();
            assertThat(Cli.tensor(out, "sweep.second_order", DType.F64, 3))
                    .containsExactly(
                            Arrays.stream(epsilons)
                                    .map(e -> e * slope + e * e * curvature / 2)
                                    .toArray(),
                            within(1e-9));
            assertThat(Cli.tensor(out, "sweep.source", DType.F64, 128))
                    .containsExactly(source.vectors().get(site), within(1e-12));
            JsonNode results = Cli.result(out).path("results");
            for (int i = 0; i < 4; i++) {
                String q = Double.toString(regime.grid().tolerances()[i]);
                JsonNode radius = results.path("radius").path(q);
                JsonNode bounds = results.path("radius_bounds").path(q);
                if (regime.radius(i).kind() == Radius.Kind.FOUND) {
                    assertThat(radius.asDouble()).isCloseTo(regime.radius(i).value(), within(1e-9));
                    assertThat(bounds.path("kind").asText()).isEqualTo("found");
                    assertThat(radius.asDouble())
                            .isBetween(
                                    bounds.path("low").asDouble(),
                                    bounds.path("high").asDouble());
                } else {
                    assertThat(radius.isNull()).isTrue();
                    assertThat(bounds.path("low").asDouble())
                            .isCloseTo(regime.radius(i).low(), within(1e-9));
                }
            }
            assertThat(results.path("radius").path("0.1").isNumber()).isTrue();
            assertThat(results.path("slope").asDouble()).isCloseTo(slope, within(1e-9));
            assertThat(results.path("field_norm").asDouble())
                    .isCloseTo(run.field().norm(1, 4), within(1e-9));
            assertThat(results.path("site").path("token").asInt()).isEqualTo(4);
        }
        assertThat(Files.readString(out.resolve("report.html"))).contains("Linear regime", "Relative error");
    }

    @Test
    void aDisplacementReachesTheOtherRunAtItsEpsilon() throws IOException {
        done("regime", "--depth", "1.5", "--token", "4", "--direction", "displacement", "--corrupt", CORRUPT);
        double whole =
                Cli.result(out).path("results").path("displacement_epsilon").asDouble();
        done(
                "regime",
                "--depth",
                "1.5",
                "--token",
                "4",
                "--direction",
                "displacement",
                "--corrupt",
                CORRUPT,
                "--epsilon",
                Double.toString(whole));
        try (Model model = model()) {
            Run run = model.run(PROMPT);
            double[] donor = model.run(CORRUPT).middleField().vector(1, 4);
            double patched = run.replacementEffects(List.of(Source.of(Site.mid(1, 4), donor)), F)[0];
            assertThat(Cli.tensor(out, "sweep.measured", DType.F64, 1)[0]).isCloseTo(patched, within(1e-8));
        }
    }

    @Test
    void allSitesAreTheLibrarys() throws IOException {
        Cli cli = done("regime", "--all-sites", "--epsilon", "1e-2,0.1,1");
        assertThat(cli.out()).contains("reliability flag", "radii of");
        try (Model model = model()) {
            Run run = model.run(PROMPT);
            RegimeMap map = run.regimeMap(SiteVectors.of(run.sensitivity(F).field()), F, RegimeGrid.of(1e-2, 0.1, 1));
            double[] radii = Cli.tensor(out, "radius.map", DType.F64, 4, 5, 6);
            double[] predicted = Cli.tensor(out, "radius.predicted", DType.F64, 4, 5, 6);
            for (int i = 0; i < 4; i++) {
                assertThat(Arrays.copyOfRange(radii, 30 * i, 30 * i + 30))
                        .containsExactly(Errors.flat(map.radius(i)), within(1e-9));
                assertThat(Arrays.copyOfRange(predicted, 30 * i, 30 * i + 30))
                        .containsExactly(Errors.flat(map.predictedRadius(i)), within(1e-9));
            }
            assertThat(Cli.tensor(out, "regime.slope", DType.F64, 5, 6))
                    .containsExactly(Errors.flat(map.values(LinearRegime::slope)), within(1e-9));
            Cli.tensor(out, "sweep.measured", DType.F64, 3, 5, 6);
            Cli.tensor(out, "radius.low", DType.F64, 4, 5, 6);
            JsonNode results = Cli.result(out).path("results");
            assertThat(results.path("sites").asInt()).isEqualTo(map.regimes().size());
            JsonNode flag = results.path("flag").path("0.1");
            assertThat(flag.path("within_factor").asInt())
                    .isEqualTo(map.agreement(2, 2).agree());
            assertThat(flag.path("verdicts")).hasSize(3);
        }
        assertThat(Files.readString(out.resolve("report.html"))).contains("Radius of the linear regime", "Korea");
    }

    @Test
    void propagationIsTheLibrarys() throws IOException {
        Cli cli = done(
                "propagate",
                "--depth",
                "1",
                "--token",
                "4",
                "--direction",
                "random",
                "--seed",
                "5",
                "--epsilon",
                "1e-3,0.5",
                "--randoms",
                "3",
                "--control");
        assertThat(cli.out()).contains("untrained control", "token share");
        try (Model model = model()) {
            Run run = model.run(PROMPT);
            Site site = Site.of(1, 4);
            double[] direction = run.randomDirection(site, 5, 0);
            double[] tangent = run.response(site, direction).toArray();
            assertThat(Cli.tensor(out, "response", DType.F64, 5, 6, 128)).containsExactly(tangent, within(1e-12));
            double[] measured = Cli.tensor(out, "response.measured", DType.F64, 2, 5, 6, 128);
            double norm = run.field().norm(1, 4);
            int size = 5 * 6 * 128;
            assertThat(Arrays.copyOfRange(measured, size, 2 * size))
                    .containsExactly(
                            run.measuredResponse(site, direction, 0.5 * norm).toArray(), within(1e-9));
            assertThat(Errors.relative(
                            Arrays.stream(measured)
                                    .limit(size)
                                    .map(x -> x / 1e-3 / norm)
                                    .toArray(),
                            tangent))
                    .isBetween(1e-9, 1e-1);
            Cli.tensor(out, "random.norm", DType.F64, 3, 5, 6);
            JsonNode results = Cli.result(out).path("results");
            assertThat(results.path("outside_cone").asDouble()).isZero();
            assertThat(results.path("depths")).hasSize(3);
            JsonNode share = results.path("depths").get(2).path("token_share");
            assertThat(share.path("value").asDouble()).isBetween(0.0, 1.0);
            assertThat(share.path("random_low").asDouble())
                    .isLessThanOrEqualTo(share.path("random_mean").asDouble());
            double[] control = Cli.tensor(out, "control.norm", DType.F64, 5, 6);
            assertThat(control).isNotEqualTo(Cli.tensor(out, "response.norm", DType.F64, 5, 6));
            try (Model untrained = model.untrained(5)) {
                assertThat(control)
                        .containsExactly(
                                Errors.flat(untrained
                                        .run(run.tokens())
                                        .response(site, direction)
                                        .norms()),
                                within(1e-9));
            }
        }
        assertThat(Files.readString(out.resolve("report.html")))
                .contains("The untrained control", "Token share by depth");
    }
}
