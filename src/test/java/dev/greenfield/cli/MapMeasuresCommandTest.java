package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.propagation.MapMeasures;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The measures that the map command prints and writes are the library's, of the model and of its control. */
class MapMeasuresCommandTest {
    private static final String[] MAP = {
        "map", "--model", Cli.SMALL, "--tokens", "3,1,4,1,5", "--backend", "reference", "--probes", "4"
    };

    @TempDir
    private Path temporary;

    @Test
    void measuresAndControlAreTheLibrarys() throws IOException {
        Path out = temporary.resolve("out");
        Cli cli = Cli.done(Cli.with(MAP, "--seed", "7", "--control", "--front", "0.2", "--out", out.toString()));
        assertThat(cli.out())
                .contains("spread of responses over tokens (model / untrained control)", "token share")
                .contains("decay of the median |G| with token distance: exponent")
                .contains("the same for the untrained control: exponent");
        JsonNode results = Cli.result(out).path("results");
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"));
                Model control = model.untrained(7)) {
            check(out, "map", results.path("measures"), map(model));
            check(out, "control", results.path("control"), map(control));
        }
        assertThat(results.path("control").path("seed").asLong()).isEqualTo(7);
        assertThat(results.path("measures").path("front_fraction").asDouble()).isEqualTo(0.2);
        String page = Files.readString(out.resolve("report.html"));
        for (String part : new String[] {
            "How responses propagate",
            "Decay of the response with token distance",
            "The front",
            "\"name\":\"depth distance 1, control\"",
            "\"partner\":0",
            "The untrained control. Propagation by depth distance"
        }) {
            assertThat(page.contains(part)).as(part).isTrue();
        }
    }

    /** Measures of a map without tokens at its ends are those of the tokens that are left, which skipped ones do not change. */
    @Test
    void tokensAtBothEndsAreLeftOut() throws IOException {
        Path out = temporary.resolve("skipped");
        Cli cli = Cli.done(Cli.with(MAP, "--seed", "7", "--skip", "1", "--skip-last", "1", "--out", out.toString()));
        assertThat(cli.out()).contains("token share").doesNotContain("without the first token");
        double[] norms = Cli.tensor(out, "map.frobenius", DType.F64, 3, 5, 3, 5);
        Path whole = temporary.resolve("whole");
        assertThat(Cli.done(Cli.with(MAP, "--seed", "7", "--mode", "forward", "--out", whole.toString()))
                        .out())
                .contains("the same without the first token: exponent");
        Path forward = temporary.resolve("forward");
        Cli.done(Cli.with(
                MAP,
                "--seed",
                "7",
                "--mode",
                "forward",
                "--skip",
                "1",
                "--skip-last",
                "1",
                "--out",
                forward.toString()));
        double[] all = Cli.tensor(whole, "map.frobenius", DType.F64, 3, 5, 3, 5);
        double[] kept = Cli.tensor(forward, "map.frobenius", DType.F64, 3, 5, 3, 5);
        for (int i = 0; i < norms.length; i++) {
            int source = i / 15 % 5;
            int target = i % 5;
            boolean skipped = source == 0 || source == 4 || target == 0 || target == 4;
            assertThat(Double.isNaN(norms[i])).isEqualTo(skipped);
            if (!skipped) {
                assertThat(kept[i]).isCloseTo(all[i], within(1e-12));
            }
        }
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("skip").asInt()).isEqualTo(1);
        assertThat(results.path("skip_last").asInt()).isEqualTo(1);
        JsonNode measures = results.path("measures");
        assertThat(measures.path("without_first_token").isNull()).isTrue();
        assertThat(measures.path("sources").asInt()).isEqualTo(2 * 3);
        assertThat(measures.path("depth_distances")
                        .path(0)
                        .path("incomplete_rows")
                        .asInt())
                .isZero();
        assertThat(measures.path("depth_distances").path(0).path("rows").asInt())
                .isEqualTo(2 * 2);
        JsonNode later = Cli.result(whole).path("results").path("measures").path("without_first_token");
        assertThat(later.path("sources").asInt()).isEqualTo(2 * 4);
        Cli none = Cli.run(Cli.with(MAP, "--skip", "3", "--skip-last", "2"));
        assertThat(none.exit()).isEqualTo(2);
        assertThat(none.err()).contains("has 5 tokens, of which none is left");
    }

    private static ResponseMap map(Model model) {
        return model.run(3, 1, 4, 1, 5).responseMap().probes(4).seed(7).compute();
    }

    private static void check(Path out, String name, JsonNode fields, ResponseMap map) throws IOException {
        MapMeasures expected =
                MapMeasures.of(map, MapMeasures.Settings.seeded(7).front(0.2));
        assertThat(Cli.tensor(out, name + ".frobenius", DType.F64, 3, 5, 3, 5)).containsExactly(map.frobenius());
        assertThat(Cli.tensor(out, name + ".stderr", DType.F64, 3, 5, 3, 5)).containsExactly(map.standardErrors());
        double[] median = Cli.tensor(out, name + ".profile.median", DType.F64, 3, 5);
        double[] mean = Cli.tensor(out, name + ".profile.mean", DType.F64, 3, 5);
        double[] count = Cli.tensor(out, name + ".profile.count", DType.F64, 3, 5);
        for (int i = 0; i < 15; i++) {
            // Boxed, so that NaN, where there are no pairs, equals NaN.
            assertThat(median[i]).isEqualTo((Double) expected.profile().median(i / 5, i % 5));
            assertThat(mean[i]).isEqualTo((Double) expected.profile().mean(i / 5, i % 5));
            assertThat(count[i]).isEqualTo(expected.profile().count(i / 5, i % 5));
        }
        assertThat(count[5 + 2]).as("two source depths, three tokens").isEqualTo(6);
        assertThat(fields.path("sources").asInt()).isEqualTo(10);
        assertThat(fields.path("decay").path("exponent").asDouble())
                .isEqualTo(expected.decay().exponent().value());
        assertThat(fields.path("decay").path("bootstrap_high").asDouble())
                .isEqualTo(expected.exponent().high());
        assertThat(fields.path("depth_distances")).hasSize(2);
        for (int d = 0; d < 2; d++) {
            JsonNode at = fields.path("depth_distances").path(d);
            MapMeasures.AtDistance own = expected.distances().get(d);
            assertThat(at.path("depth_distance").asDouble()).isEqualTo(d + 1);
            assertThat(at.path("rows").asInt()).isEqualTo(own.rows());
            assertThat(at.path("token_share").path("mean").asDouble())
                    .isEqualTo(own.tokenShare().value(), within(1e-15));
            assertThat(at.path("front").path("mean").asDouble())
                    .isEqualTo(own.front().value());
            JsonNode low = at.path("participation").path("low");
            assertThat(low.isNull()).as("four rows have no interval").isEqualTo(d == 1);
            assertThat(low.isNull() || low.asDouble() == own.participation().low())
                    .isTrue();
            assertThat(at.path("decay").path("exponential").path("rate").asDouble())
                    .isEqualTo(own.decay().rate().value());
        }
    }

    @Test
    void halfDepthsCountInHalves() throws IOException {
        Path out = temporary.resolve("out");
        Cli.done(Cli.with(MAP, "--half-depths", "--out", out.toString()));
        JsonNode results = Cli.result(out).path("results");
        JsonNode distances = results.path("measures").path("depth_distances");
        assertThat(distances).hasSize(4);
        assertThat(distances.path(0).path("depth_distance").asDouble()).isEqualTo(0.5);
        // From the middle of a block the next half step mixes no tokens: rows from whole depths only, four tokens each.
        assertThat(distances.path(0).path("rows").asInt()).isEqualTo(8);
        assertThat(results.has("control")).isFalse();
        String page = Files.readString(out.resolve("report.html"));
        assertThat(page.contains("depth distance 0.5")).isTrue();
        assertThat(page.contains(", control")).isFalse();
    }

    @Test
    void mapsOfOneTargetHaveADecayButNoSpread() throws IOException {
        Path out = temporary.resolve("out");
        Cli cli = Cli.done(Cli.with(MAP, "--targets", "2:4", "--out", out.toString()));
        assertThat(cli.out()).contains("spread over tokens: not measured").contains("decay of the median |G|");
        JsonNode measures = Cli.result(out).path("results").path("measures");
        assertThat(measures.path("depth_distances").path(0).path("rows").asInt())
                .isZero();
        assertThat(measures.path("depth_distances")
                        .path(0)
                        .path("incomplete_rows")
                        .asInt())
                .as("four of depth 0, whose next depth was not asked for, four of depth 1")
                .isEqualTo(8);
        assertThat(measures.path("depth_distances")
                        .path(0)
                        .path("front")
                        .path("mean")
                        .isNull())
                .isTrue();
        assertThat(measures.path("decay").path("token_distances").asInt()).isEqualTo(4);
        // One token: nothing moves, and that is said.
        cli = Cli.done("map", "--model", Cli.SMALL, "--tokens", "3", "--exact", "--backend", "reference");
        assertThat(cli.out()).contains("not defined, found 0 token distances");
    }

    @Test
    void whatCannotBeMeasuredIsRefusedBeforeTheMapIsComputed() {
        Cli same = Cli.run(Cli.with(MAP, "--control", "--seed", "1"));
        assertThat(same.exit()).isEqualTo(2);
        assertThat(same.err())
                .contains("itself the random initialization of seed 1", "--seed")
                .doesNotContain("response map,");
        for (String wrong : new String[] {"0", "1.5", "-0.1", "NaN", "some"}) {
            Cli cli = Cli.run(Cli.with(MAP, "--front", wrong));
            assertThat(cli.exit()).isEqualTo(2);
            assertThat(cli.err()).contains("--front '" + wrong + "'", "above 0 and at most 1");
        }
    }
}
