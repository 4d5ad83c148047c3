package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.green.LowRank;
import dev.greenfield.lattice.Site;
import dev.greenfield.lens.DecodedDirection;
import dev.greenfield.lens.Jacobians;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands put the directions that they find into words, the library's. */
class DecodedDirectionsTest {
    private static final Path PUBLISHED = Path.of("src", "test", "data", "lens", "published.pt");
    private static final int D = 16;

    @TempDir
    private Path temporary;

    private JsonNode decoded(String command, String... more) throws IOException {
        Path out = temporary.resolve(command);
        String[] common = {
            command, "--model", Cli.SMALL, "--tokens", "3,1,4,1,5", "--backend", "reference", "--out", out.toString()
        };
        Cli cli = Cli.done(Cli.with(common, more));
        JsonNode decoded = Cli.result(out).path("results").path("decoded");
        assertThat(cli.out().contains("reads, most")).isEqualTo(!decoded.isMissingNode());
        assertThat(Files.readString(out.resolve("report.html")).contains(">reads, most</td>"))
                .isEqualTo(!decoded.isMissingNode());
        return decoded;
    }

    private static void same(JsonNode ends, DecodedDirection expected) {
        assertThat(ends.path("top")).hasSameSizeAs(expected.top());
        for (int i = 0; i < expected.top().size(); i++) {
            JsonNode top = ends.path("top").get(i);
            assertThat(top.path("token_id").asInt())
                    .isEqualTo(expected.top().get(i).id());
            assertThat(top.path("text").asText())
                    .isEqualTo(expected.top().get(i).text());
            assertThat(top.path("score").asDouble())
                    .isEqualTo(expected.top().get(i).score());
            assertThat(ends.path("bottom").get(i).path("score").asDouble())
                    .isEqualTo(expected.bottom().get(i).score());
        }
    }

    @Test
    void singularVectors() throws IOException {
        JsonNode decoded = decoded(
                "green",
                "--depth",
                "0",
                "--token",
                "1",
                "--to-depth",
                "1",
                "--rank",
                "2",
                "--decode",
                "3",
                "--jacobian",
                PUBLISHED.toString());
        assertThat(decoded).hasSize(2);
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            Run run = model.run(3, 1, 4, 1, 5);
            LowRank part = run.green(Site.of(0, 1)).to(1).svd(2, 0);
            Jacobians jacobians = Jacobians.open(PUBLISHED, model.config());
            for (int k = 0; k < 2; k++) {
                JsonNode pair = decoded.get(k);
                int token = pair.path("token").asInt();
                double[] u = part.left(k);
                List<double[]> main = List.of(Arrays.copyOfRange(u, token * D, (token + 1) * D));
                double share = Arrays.stream(main.get(0)).map(x -> x * x).sum();
                assertThat(pair.path("share").asDouble())
                        .isCloseTo(share, within(1e-12))
                        .isGreaterThan(1.0 / 5);
                List<Site> site = List.of(Site.of(1, token));
                same(pair.path("writes"), run.decoder(3).written(main, site).get(0));
                same(
                        pair.path("jacobian_writes"),
                        run.decoder(3).transported(main, site, jacobians).get(0));
                same(
                        pair.path("reads"),
                        run.decoder(3).read(List.of(part.right(k))).get(0));
            }
        }
    }

    @Test
    void sourcesAtUnitLengthOrAsTheyAre() throws IOException {
        JsonNode inferred = decoded("infer", "--answer", "#7", "--target-change", "0.1", "--sites", "2");
        double[] source = Cli.tensor(temporary.resolve("infer"), "source", DType.F64, inferred.size(), D);
        JsonNode regime = decoded("regime", "--answer", "#7", "--depth", "0.5", "--token", "4", "--epsilon", "0.1");
        double[] along = Cli.tensor(temporary.resolve("regime"), "sweep.source", DType.F64, D);
        JsonNode propagated = decoded(
                "propagate",
                "--direction",
                "random",
                "--depth",
                "1",
                "--token",
                "2",
                "--randoms",
                "0",
                "--decode",
                "4");
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            Run run = model.run(3, 1, 4, 1, 5);
            double length = Math.sqrt(Arrays.stream(along).map(x -> x * x).sum());
            List<Site> last = List.of(Site.of(0, 4));
            DecodedDirection unit = run.decoder(5)
                    .written(List.of(Arrays.stream(along).map(x -> x / length).toArray()), last)
                    .get(0);
            assertThat(regime.get(0)
                            .path("writes")
                            .path("top")
                            .get(0)
                            .path("score")
                            .asDouble())
                    .isCloseTo(unit.top().get(0).score(), within(1e-12));
            assertThat(regime.get(0).path("depth").asDouble()).isEqualTo(0.5);
            JsonNode first = inferred.get(0);
            List<DecodedDirection> either = List.of(
                    words(run, source, 0, first.path("token").asInt()),
                    words(run, source, inferred.size() - 1, first.path("token").asInt()));
            assertThat(either.stream().map(words -> words.top().get(0).score()).toList())
                    .contains(first.path("writes")
                            .path("top")
                            .get(0)
                            .path("score")
                            .asDouble());
            double[] random = run.randomDirection(Site.of(1, 2), 0, 0);
            assertThat(propagated
                            .get(0)
                            .path("reads")
                            .path("top")
                            .get(3)
                            .path("score")
                            .asDouble())
                    .isCloseTo(
                            run.decoder(4)
                                    .read(List.of(random))
                                    .get(0)
                                    .top()
                                    .get(3)
                                    .score(),
                            within(1e-12));
        }
    }

    private static DecodedDirection words(Run run, double[] source, int row, int token) {
        double[] vector = Arrays.copyOfRange(source, row * D, (row + 1) * D);
        return run.decoder(5)
                .written(List.of(vector), List.of(Site.of(0, token)))
                .get(0);
    }

    @Test
    void noneWhereNoneAreWanted() throws IOException {
        assertThat(decoded("green", "--depth", "0", "--token", "1", "--rank", "2", "--decode", "0")
                        .isMissingNode())
                .isTrue();
    }

    @Test
    void averagedJacobians() throws IOException {
        Path suite = Files.writeString(temporary.resolve("suite.json"), "[{\"tokens\": [3, 1, 4, 1, 5]}]");
        Path out = temporary.resolve("average");
        Cli.done(
                "green",
                "--average",
                "--suite",
                suite.toString(),
                "--model",
                Cli.SMALL,
                "--backend",
                "reference",
                "--decode",
                "2",
                "--out",
                out.toString());
        JsonNode decoded = Cli.result(out).path("results").path("decoded");
        assertThat(decoded).hasSize(2 * 2);
        double[] average = Cli.tensor(out, "green.average", DType.F64, 3, D, D);
        assertThat(decoded.get(3).path("depth").asInt()).isEqualTo(1);
        // |J| is at least its two leading singular values, and close to sqrt(16) at depth 1 of a small random model.
        double squares = 0;
        for (int i = D * D; i < 2 * D * D; i++) {
            squares += average[i] * average[i];
        }
        double s1 = decoded.get(2).path("singular_value").asDouble();
        double s2 = decoded.get(3).path("singular_value").asDouble();
        assertThat(s1).isGreaterThanOrEqualTo(s2);
        assertThat(s1 * s1 + s2 * s2).isLessThan(squares).isGreaterThan(2 * squares / D);
        assertThat(decoded.get(2).path("reads").path("bottom")).hasSize(2);
    }

    @Test
    void refusals() {
        refused("--jacobian without --rank", "green", "--depth", "0", "--token", "1", "--jacobian", "src");
        refused("--decode '-1'", "green", "--depth", "0", "--token", "1", "--rank", "1", "--decode", "-1");
        refused("both --average and --jacobian", "green", "--average", "--suite", "x", "--jacobian", "src");
        refused("both --all-sites and --jacobian", "regime", "--answer", "#7", "--all-sites", "--jacobian", "src");
        refused("no such file", "infer", "--answer", "#7", "--target-change", "1", "--jacobian", "none.pt");
    }

    private static void refused(String message, String... words) {
        String[] prompt = words[1].equals("--average")
                ? new String[] {"--model", Cli.SMALL}
                : new String[] {"--model", Cli.SMALL, "--tokens", "3,1,4"};
        Cli cli = Cli.run(Cli.with(words, prompt));
        assertThat(cli.exit()).as(cli.err()).isEqualTo(2);
        assertThat(cli.err()).contains(message);
    }
}
