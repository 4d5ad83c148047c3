package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.lens.Jacobians;
import dev.greenfield.lens.Lens;
import dev.greenfield.lens.LensReading;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lens command writes, prints and draws what the library reads. */
class LensCommandTest {
    private static final String[] PROMPT = {
        "lens", "--model", Cli.SMALL, "--tokens", "3,1,4,1,5", "--backend", "reference"
    };

    @TempDir
    private Path temporary;

    private static double[] flat(double[][] values) {
        return Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
    }

    /** With the published form: depth 0 has no matrix there. */
    @Test
    void writesWhatTheLibraryReads() throws IOException {
        Path out = temporary.resolve("out");
        String file = Path.of("src", "test", "data", "lens", "published.pt").toString();
        String[] more = {"--answer", "#7", "--top", "2", "--jacobian", file, "--out", out.toString()};
        Cli cli = Cli.done(Cli.with(PROMPT, more));
        assertThat(cli.out())
                .contains("logit lens: the most probable token", "Jacobian lens:", "rank of #7 at token 4");
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            Lens lens = model.run(3, 1, 4, 1, 5)
                    .lens()
                    .top(2)
                    .of("#7")
                    .jacobians(Jacobians.open(Path.of(file), model.config()))
                    .compute();
            JsonNode results = Cli.result(out).path("results");
            check(out, results, "logit", lens.logit(), 0);
            check(out, results, "jacobian", lens.jacobian().orElseThrow(), 1);
            assertThat(results.path("jacobian_lens").get(0).isNull()).isTrue();
            assertThat(results.path("chosen").path("token_id").asInt()).isEqualTo(7);
            assertThat(results.path("depths").get(2).asInt()).isEqualTo(2);
        }
        String page = Files.readString(out.resolve("report.html"));
        assertThat(page)
                .contains("<h3 id=\"figure-2-title\">Logit lens</h3>", "<h3 id=\"figure-3-title\">Jacobian lens</h3>")
                .contains("class=\"grid-box\"")
                .contains("depth 1, 2 #4&#10;");
    }

    private static void check(Path out, JsonNode results, String name, LensReading reading, int from)
            throws IOException {
        assertThat(Cli.tensor(out, "lens." + name + ".rank", DType.F64, 3, 5)).containsExactly(flat(reading.ranks()));
        assertThat(Cli.tensor(out, "lens." + name + ".probability", DType.F64, 3, 5))
                .containsExactly(flat(reading.probabilities()));
        for (int l = from; l < 3; l++) {
            JsonNode site = results.path(name + "_lens").get(l).get(2);
            assertThat(site).hasSize(2);
            assertThat(site.get(1).path("token_id").asInt())
                    .isEqualTo(reading.top(l, 2).get(1).id());
            assertThat(site.get(1).path("logit").asDouble())
                    .isEqualTo(reading.top(l, 2).get(1).logit());
            assertThat(results.path(name + "_ranks").get(l).asDouble()).isEqualTo(reading.ranks()[l][4]);
        }
    }

    /** Without an answer the token is what the model says at the position, so that its last rank there is 1. */
    @Test
    void followsWhatTheModelSays() throws IOException {
        Path out = temporary.resolve("out");
        Cli.done(Cli.with(PROMPT, "--position", "2", "--half-depths", "--out", out.toString()));
        double[] ranks = Cli.tensor(out, "lens.logit.rank", DType.F64, 5, 5);
        assertThat(ranks[4 * 5 + 2]).isEqualTo(1);
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("depths").get(1).asDouble()).isEqualTo(0.5);
        assertThat(results.path("logit_lens").get(4).get(2)).hasSize(5);
        assertThat(results.has("jacobian_lens")).isFalse();
    }

    @Test
    void refusesAMissingFileBeforeItOpensAModel() {
        Cli cli = Cli.run(
                Cli.with(PROMPT, "--jacobian", temporary.resolve("none.pt").toString()));
        assertThat(cli.exit()).isEqualTo(2);
        assertThat(cli.err()).contains("--jacobian", "no such file").doesNotContain("backend reference");
    }
}
