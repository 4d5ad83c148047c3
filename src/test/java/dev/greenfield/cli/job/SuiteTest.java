package dev.greenfield.cli.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.cli.Cli;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.statistics.RandomStreams;
import dev.greenfield.text.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands on many prompts: against the library prompt by prompt, in shards, and on files that are no suites. */
class SuiteTest {
    private static final int[][] PROMPTS = {{3, 1, 4}, {1, 5}, {9, 2, 6}, {5, 3, 5}, {8, 9}, {7, 9, 3, 2}, {3, 8, 4}};

    @TempDir
    private Path temporary;

    private Path suite(int[]... prompts) throws IOException {
        return write(Arrays.stream(prompts)
                .map(tokens -> "{\"tokens\": " + Arrays.toString(tokens) + ", \"remark\": [1, null]}")
                .toList()
                .toString());
    }

    private Path write(String text) throws IOException {
        return Files.writeString(temporary.resolve("suite.json"), text);
    }

    private static String[] map(Path suite, Path out, String... more) {
        String[] common = {"map", "--model", Cli.SMALL, "--suite", suite.toString(), "--out", out.toString()};
        return Cli.with(Cli.with(common, "--threads", "1"), more);
    }

    private static double[] rounded(double[] values) {
        return Arrays.stream(values).map(v -> (float) v).toArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "cpu"})
    void mapsAreThoseOfThePromptsAloneAndStatisticsAreOfWhatIsWritten(String backend) throws IOException {
        Path out = temporary.resolve("out");
        Path suite = suite(PROMPTS);
        Cli cli = Cli.done(map(suite, out, "--backend", backend, "--probes", "3", "--seed", "6"));
        assertThat(cli.out()).contains("7 prompts", "prompts by length");
        assertThat(Cli.list(out)).containsExactly("report.html", "result.json", "tensors.safetensors");
        DType type = backend.equals("cpu") ? DType.F32 : DType.F64;
        double[][] norms = new double[PROMPTS.length][];
        try (Model model =
                Greenfield.load(Cli.SMALL, Options.defaults().backend(backend).threads(1))) {
            for (int p = 0; p < PROMPTS.length; p++) {
                try (Run run = model.run(PROMPTS[p])) {
                    // Its number in the suite names its random directions.
                    ResponseMap map = run.responseMap()
                            .probes(3)
                            .seed(RandomStreams.prompt(6, p + 1))
                            .compute();
                    int t = PROMPTS[p].length;
                    norms[p] = Cli.tensor(out, "map.frobenius." + (p + 1), type, 3, t, 3, t);
                    double[] errors = Cli.tensor(out, "map.stderr." + (p + 1), type, 3, t, 3, t);
                    boolean single = type == DType.F32;
                    assertThat(norms[p]).containsExactly(single ? rounded(map.frobenius()) : map.frobenius());
                    assertThat(errors).containsExactly(single ? rounded(map.standardErrors()) : map.standardErrors());
                }
            }
        }
        // Two passes over the written values, by the definition.
        for (int[] length : new int[][] {{3, 0, 2, 3, 6}, {2, 1, 4}}) {
            int t = length[0];
            int[] members = Arrays.copyOfRange(length, 1, length.length);
            double[] mean = Cli.tensor(out, "map.mean." + t, type, 3, t, 3, t);
            double[] variance = Cli.tensor(out, "map.variance." + t, type, 3, t, 3, t);
            for (int i = 0; i < mean.length; i++) {
                int at = i;
                double m = Arrays.stream(members)
                        .mapToDouble(p -> norms[p][at])
                        .average()
                        .orElseThrow();
                double v = Arrays.stream(members)
                                .mapToDouble(p -> Math.pow(norms[p][at] - m, 2))
                                .sum()
                        / (members.length - 1);
                assertThat(mean[i]).isCloseTo(m, within(1e-6 * (1 + m)));
                assertThat(variance[i]).isCloseTo(v, within(1e-6 * (1 + v)));
            }
            assertThat(Arrays.stream(variance).max().orElseThrow()).isPositive();
        }
        assertThat(Cli.tensor(out, "map.mean.4", type, 3, 4, 3, 4)).containsExactly(norms[5]);
        try (Safetensors file = Safetensors.open(out.resolve("tensors.safetensors"))) {
            assertThat(file.contains("map.variance.4")).isFalse();
        }
        JsonNode result = Cli.result(out);
        assertThat(result.path("command").asText()).isEqualTo("map");
        assertThat(result.at("/suite/prompts").asInt()).isEqualTo(7);
        assertThat(result.at("/suite/sha256").asText()).isEqualTo(Digest.sha256(Files.readAllBytes(suite)));
        assertThat(result.at("/results/options/probes").asInt()).isEqualTo(3);
        assertThat(result.at("/results/shard").isNull()).isTrue();
        assertThat(result.at("/results/lengths").toString())
                .isEqualTo("[{\"tokens\":2,\"prompts\":2},{\"tokens\":3,\"prompts\":4},{\"tokens\":4,\"prompts\":1}]");
        assertThat(result.at("/results/prompts/5/tokens").toString()).isEqualTo("[7,9,3,2]");
        assertThat(result.at("/results/prompts/5/number").asInt()).isEqualTo(6);
        assertThat(Files.readString(out.resolve("report.html")))
                .contains("Mean response over 4 prompts of 3 tokens", "figure-3-data");
    }

    @Test
    void textsOfAnyNameAreReadAndSitesAreOfEveryPrompt() throws IOException {
        Path out = temporary.resolve("out");
        Path suite = write("""
                [{"clean": "<|endoftext|> The capital of Korea is", "corrupt": "<|endoftext|> x", "answer": "Seoul", "foil": "Oslo"},
                 {"prompt": "<|endoftext|> Alice lives in Sofia so Alice speaks"}]
                """);
        String[] common = {"map", "--suite", suite.toString(), "--out", out.toString(), "--exact", "--half-depths"};
        Cli.done(Cli.with(common, "--sites", "0-1:4", "--targets", "4:*"));
        double[] norms = Cli.tensor(out, "map.frobenius.2", DType.F32, 9, 8, 9, 8);
        assertThat(Arrays.stream(norms).filter(v -> !Double.isNaN(v)).count()).isEqualTo(3 * 8);
        assertThat(Cli.result(out).at("/results/prompts/0/text").asText())
                .isEqualTo("<|endoftext|> The capital of Korea is");
        assertThat(Cli.result(out).at("/results/prompts/1/token_text/4").asText())
                .isEqualTo("Sofia");
        try (Safetensors file = Safetensors.open(out.resolve("tensors.safetensors"))) {
            assertThat(file.names()).containsExactly("map.frobenius.1", "map.frobenius.2", "map.mean.6", "map.mean.8");
        }
        Cli wrong = Cli.run(Cli.with(common, "--sites", "0:6"));
        assertThat(wrong.exit()).isEqualTo(2);
        assertThat(wrong.err()).contains("--sites '0:6'", "tokens from 0 to 5", "entry 1 of the suite");
    }

    @Test
    void checkpointsAreKeptByPrompt() throws IOException {
        Path suite = suite(PROMPTS);
        Path kept = temporary.resolve("kept");
        String[] more = {"--probes", "3", "--checkpoint", kept.toString()};
        Cli.done(map(suite, temporary.resolve("first"), more));
        assertThat(Cli.list(kept)).hasSize(7).startsWith("prompt-0001").endsWith("prompt-0007");
        byte[] first = Files.readAllBytes(temporary.resolve("first").resolve("tensors.safetensors"));
        // One prompt broken off, one not begun: the others are taken as they are.
        Path log = kept.resolve("prompt-0003").resolve("batches.log");
        Files.write(log, Arrays.copyOf(Files.readAllBytes(log), (int) Files.size(log) - 5));
        for (String file : Cli.list(kept.resolve("prompt-0006"))) {
            Files.delete(kept.resolve("prompt-0006").resolve(file));
        }
        Cli again = Cli.done(map(suite, temporary.resolve("second"), more));
        assertThat(again.err()).contains("prompt-0003: dropped").contains("prompt-0004: all of 1 batch there");
        assertThat(Files.readAllBytes(temporary.resolve("second").resolve("tensors.safetensors")))
                .isEqualTo(first);
        Cli other = Cli.run(map(suite, temporary.resolve("third"), "--probes", "4", "--checkpoint", kept.toString()));
        assertThat(other.exit()).isEqualTo(2);
        assertThat(other.err()).contains("prompt-0001 was made with directions 3 random signs a site");
        assertThat(temporary.resolve("third")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({"1,cpu", "2,cpu", "3,reference", "7,cpu"})
    void mergedShardsAreTheUnshardedRunToTheBit(int count, String backend) throws IOException {
        Path suite = suite(PROMPTS);
        Path whole = temporary.resolve("whole");
        Path merged = temporary.resolve("merged");
        Cli.done(map(suite, whole, "--backend", backend));
        List<String> merge = new ArrayList<>(List.of("merge", "--out", merged.toString()));
        for (int i = count; i >= 1; i--) {
            Path part = temporary.resolve("part" + i);
            Cli.done(map(suite, part, "--backend", backend, "--shard", i + "/" + count));
            assertThat(Cli.result(part).at("/results/shard").asText()).isEqualTo(i + "/" + count);
            int first = i;
            assertThat(Cli.result(part).at("/results/prompts").findValuesAsText("number"))
                    .containsExactlyElementsOf(IntStream.rangeClosed(1, 7)
                            .filter(n -> (n - first) % count == 0)
                            .mapToObj(String::valueOf)
                            .toList());
            merge.add(part.toString());
        }
        assertThat(Cli.done(merge.toArray(String[]::new)).out()).contains("7 prompts");
        assertThat(merged.resolve("tensors.safetensors")).hasSameBinaryContentAs(whole.resolve("tensors.safetensors"));
        ObjectNode one = (ObjectNode) Cli.result(whole);
        ObjectNode other = (ObjectNode) Cli.result(merged);
        assertThat(other.at("/results/merged_shards").asInt()).isEqualTo(count);
        ((ObjectNode) other.path("results")).remove("merged_shards");
        assertThat(other.remove("timings").fieldNames())
                .toIterable()
                .containsExactlyElementsOf(() -> one.remove("timings").fieldNames());
        assertThat(other.remove("created").asText())
                .isGreaterThanOrEqualTo(one.remove("created").asText());
        assertThat(other).isEqualTo(one);
        assertThat(Files.readString(merged.resolve("report.html"))).contains("Merged from", "figure-3-data");
    }

    @Test
    void shardsThatDoNotBelongTogetherAreNotMerged() throws IOException {
        Path suite = suite(PROMPTS);
        Path[] parts = new Path[3];
        for (int i = 1; i <= 3; i++) {
            parts[i - 1] = temporary.resolve("part" + i);
            Cli.done(map(suite, parts[i - 1], "--shard", i + "/3"));
        }
        refused(List.of(parts[0], parts[2]), "missing 2/3");
        refused(List.of(parts[0], parts[1], parts[2], parts[1]), "part2' and shard", "both number 2/3");
        refused(List.of(parts[0], parts[1], temporary.resolve("none")), "none'", "found no result.json");
        Cli self = Cli.run("merge", "--out", parts[0].toString(), parts[0].toString(), parts[1].toString());
        assertThat(self.exit()).isEqualTo(2);
        assertThat(self.err()).contains("is one of the shards");
        Path other = temporary.resolve("other");
        String[][] differences = {
            {"seed 1", "--seed", "1"},
            {"option probes 3", "--probes", "3"},
            {"option exact true", "--exact"},
            {"option half_depths true", "--half-depths"},
            {"option sites 0:0", "--sites", "0:0"},
            {"backend reference", "--backend", "reference"},
        };
        for (String[] difference : differences) {
            String[] more = Arrays.copyOfRange(difference, 1, difference.length);
            Cli.done(Cli.with(map(suite, other, "--shard", "3/3"), more));
            refused(List.of(parts[0], parts[1], other), "other' was made with " + difference[0], "one run");
        }
        Cli.done(map(suite, other, "--shard", "2/4"));
        refused(List.of(parts[0], parts[1], other), "number 2/4", "one division");
        Cli.done(map(suite, other));
        refused(List.of(parts[0], parts[1], other), "another command than map --suite --shard");
        String[] model = map(suite, other, "--shard", "3/3");
        model[2] = "random:2,2,16,40,16,seed=2";
        Cli.done(model);
        refused(List.of(parts[0], parts[1], other), "the model with sha256");
        Cli.done(map(suite(PROMPTS[3], PROMPTS[2], PROMPTS[1], PROMPTS[0]), other, "--shard", "3/3"));
        refused(List.of(parts[0], parts[1], other), "the suite with sha256");
        Path result = parts[2].resolve("result.json");
        String sound = Files.readString(result);
        String version = "\"version\" : \"" + Greenfield.version() + "\"";
        assertThat(sound).contains(version);
        Files.writeString(result, sound.replace(version, "\"version\" : \"0.0.1\""));
        refused(List.of(parts[0], parts[1], parts[2]), "Greenfield 0.0.1");
        refused(List.of(parts[2], parts[1], parts[0]), "Greenfield 0.0.1", "merge with the version");
        Files.writeString(result, sound.replace("\"number\" : 6", "\"number\" : 7"));
        refused(List.of(parts[0], parts[1], parts[2]), "list of prompts", "make the shard again");
        Files.writeString(result, sound.replace("\"seed\"", "\"sead\""));
        refused(List.of(parts[0], parts[1], parts[2]), "has no seed");
        Files.writeString(result, "{");
        refused(List.of(parts[0], parts[1], parts[2]), "malformed JSON");
        Files.writeString(result, sound);
        Files.copy(
                parts[1].resolve("tensors.safetensors"),
                parts[2].resolve("tensors.safetensors"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        refused(List.of(parts[0], parts[1], parts[2]), "map.frobenius.3");
    }

    private void refused(List<Path> shards, String... words) {
        Path out = temporary.resolve("refused");
        String[] args = Cli.with(
                new String[] {"merge", "--out", out.toString()},
                shards.stream().map(Path::toString).toArray(String[]::new));
        Cli cli = Cli.run(args);
        assertThat(cli.exit()).as(cli.err()).isEqualTo(2);
        assertThat(cli.err()).startsWith("greenfield: ").contains(words);
        assertThat(cli.err().strip()).doesNotContain("\n");
        assertThat(out).doesNotExist();
    }

    /** The same prompt twice is two estimates: their errors are independent, so that the mean of both is better than either. */
    @Test
    void promptsDoNotShareTheirProbes() throws IOException {
        Path out = temporary.resolve("twice");
        Cli.done(map(suite(new int[][] {{1, 2, 3}, {1, 2, 3}}), out, "--backend", "reference", "--probes", "3"));
        double[] one = Cli.tensor(out, "map.frobenius.1", DType.F64, 3, 3, 3, 3);
        double[] two = Cli.tensor(out, "map.frobenius.2", DType.F64, 3, 3, 3, 3);
        int different = 0;
        for (int i = 0; i < one.length; i++) {
            different += one[i] != two[i] ? 1 : 0;
        }
        assertThat(different).isGreaterThan(15); // all pairs that are neither zero nor the identity
    }

    @Test
    void theConventionOfThePublishedLensIsItsSkips() throws IOException {
        int[] prompt = new int[20];
        Arrays.setAll(prompt, i -> (7 * i + 3) % 30);
        Path suite = suite(new int[][] {prompt});
        String[] green = {
            "green",
            "--average",
            "--model",
            "random:2,2,16,30,24",
            "--suite",
            suite.toString(),
            "--backend",
            "reference"
        };
        Path out = temporary.resolve("lens");
        Cli.done(Cli.with(green, "--convention", "jlens", "--out", out.toString()));
        double[] mean = Cli.tensor(out, "green.average", DType.F64, 3, 16, 16);
        double[] expected = new double[3 * 256];
        try (Model model =
                Greenfield.load("random:2,2,16,30,24", Options.defaults().backend("reference"))) {
            Run run = model.run(prompt);
            for (int l = 0; l < 3; l++) {
                for (int t = 16; t <= 18; t++) {
                    for (int to = t; to <= 18; to++) {
                        double[] block =
                                run.green(Site.of(l, t)).to(Site.of(2, to)).materialize();
                        for (int i = 0; i < 256; i++) {
                            expected[l * 256 + i] += block[i] / 3;
                        }
                    }
                }
            }
        }
        assertThat(mean).containsExactly(expected, within(1e-12));
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("convention").asText()).isEqualTo("jlens");
        assertThat(results.path("skip").asInt()).isEqualTo(16);
        assertThat(results.path("skip_last").asInt()).isEqualTo(1);
        Path lower = temporary.resolve("lower");
        Cli.done(Cli.with(green, "--skip", "16", "--skip-last", "1", "--to-depth", "1", "--out", lower.toString()));
        assertThat(Cli.tensor(lower, "green.average", DType.F64, 2, 16, 16)[511])
                .isEqualTo(1, within(1e-12));
        assertThat(Cli.run(Cli.with(green, "--convention", "jlens", "--skip", "2"))
                        .err())
                .contains("both --convention jlens and --skip are given");
        assertThat(Cli.run(Cli.with(green, "--convention", "other")).err()).contains("expected jlens");
        assertThat(Cli.run("green", "--convention", "jlens").err()).contains("--convention without --average");
    }

    @Test
    void theAveragedJacobianIsTheLibrarys() throws IOException {
        Path out = temporary.resolve("out");
        Path suite = suite(PROMPTS);
        Cli cli = Cli.done(
                "green",
                "--average",
                "--model",
                Cli.SMALL,
                "--suite",
                suite.toString(),
                "--backend",
                "reference",
                "--out",
                out.toString());
        assertThat(cli.out()).contains("averaged Jacobian to depth 2, over 7 prompts, 13 source tokens");
        double[] mean = Cli.tensor(out, "green.average", DType.F64, 3, 16, 16);
        double[] expected = new double[3 * 256];
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            for (int[] prompt : PROMPTS) {
                Run run = model.run(prompt);
                for (int l = 0; l < 3; l++) {
                    for (int t = 1; t < prompt.length; t++) {
                        double[] blocks = run.green(Site.of(l, t)).to(2).materialize(); // [T, D, D], zero before t
                        for (int i = 0; i < blocks.length; i++) {
                            expected[l * 256 + i % 256] += blocks[i] / (prompt.length - 1) / PROMPTS.length;
                        }
                    }
                }
            }
        }
        assertThat(mean).containsExactly(expected, within(1e-12));
        JsonNode results = Cli.result(out).path("results");
        assertThat(results.path("skip").asInt()).isEqualTo(1);
        assertThat(results.path("source_tokens").asInt()).isEqualTo(13);
        assertThat(results.path("frobenius").get(2).asDouble()).isCloseTo(4, within(1e-12));
        assertThat(results.path("prompts")).hasSize(7);
        assertThat(Files.readString(out.resolve("report.html"))).contains("Norm of the averaged Jacobian");
        Cli all = Cli.done(
                "green", "--average", "--model", Cli.SMALL, "--suite", suite.toString(), "--skip", "0", "--quiet");
        assertThat(all.out()).contains("20 source tokens");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{} | found an object, expected a list",
                "[] | found an empty list",
                "[{\"clean\": \"a\"} | malformed JSON",
                "[3] | entry 1: found a number",
                "[{\"tokens\": [1]}, {}] | entry 2: found no prompt",
                "[{\"tokens\": [1]}, {\"clean\": 7}] | entry 2, key 'clean': found a number",
                "[{\"tokens\": [1], \"answer\": null}] | entry 1, key 'answer': found null",
                "[{\"tokens\": [1], \"prompt\": \"a\"}] | entry 1: found both 'prompt' and 'tokens'",
                "[{\"tokens\": 1}] | entry 1, key 'tokens': found a number",
                "[{\"tokens\": []}] | entry 1, key 'tokens': found an empty list",
                "[{\"tokens\": [1, 2.5]}] | key 'tokens': found '2.5' at place 1",
                "[{\"tokens\": [1, 99999999999]}] | found '99999999999' at place 1",
                "[{\"tokens\": [1]}, {\"tokens\": [1, 40]}] | entry 2, key 'tokens': token 1",
                "[{\"prompt\": \"\"}] | entry 1, key 'prompt': found an empty text",
                "[{\"prompt\": \"The\"}] | entry 1, key 'prompt': found a text for a model without",
            })
    void filesThatAreNoSuites(String text, String message) throws IOException {
        Path suite = write(text);
        Path out = temporary.resolve("out");
        List<String[]> commands = List.of(map(suite, out), new String[] {
            "green", "--average", "--model", Cli.SMALL, "--suite", suite.toString(), "--out", out.toString()
        });
        for (String[] command : commands) {
            Cli cli = Cli.run(Cli.with(command, "--quiet"));
            assertThat(cli.exit()).isEqualTo(2);
            assertThat(cli.err()).contains("--suite '", "suite.json'", message);
            assertThat(cli.err().strip()).doesNotContain("\n");
            assertThat(Cli.list(temporary)).containsExactly("suite.json");
        }
    }

    @Test
    void whatDoesNotFitIsRefusedBeforeAnythingIsComputed() throws IOException {
        Path out = temporary.resolve("out");
        Path suite = suite(new int[] {1, 2}, new int[16]);
        Cli cli = Cli.run(map(suite, out, "--memory", "50KiB", "--backend", "cpu"));
        assertThat(cli.exit()).as(cli.err()).isEqualTo(4);
        assertThat(cli.err()).contains("16 tokens", "--memory").doesNotContain("of 2 prompts");
        assertThat(Cli.list(temporary)).containsExactly("suite.json");
    }

    @Test
    void aPromptWithoutSourcesIsNamed() throws IOException {
        Path suite = suite(PROMPTS);
        Cli cli = Cli.run("green", "--average", "--model", Cli.SMALL, "--suite", suite.toString(), "--skip", "2");
        assertThat(cli.exit()).isEqualTo(2);
        assertThat(cli.err()).contains("--skip 2, entry 2 of the suite", "2 tokens");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "\"foil\": \"#2\"|no answer",
                "\"answer\": \"#99\"|key 'answer'",
                "\"answer\": \"#1\", \"foil\": \"#1\"|same token",
                "\"answer\": \"#1\"|no corrupt prompt",
                "\"answer\": \"#1\", \"corrupt_tokens\": [1, 2]|3 tokens, the corrupt prompt 2",
                "\"answer\": \"#1\", \"corrupt_tokens\": [3, 1, 4]|same tokens",
                "\"answer\": \"#1\", \"corrupt_tokens\": [3, 1, 99]|id 99",
                "\"answer\": \"#1\", \"corrupt_tokens\": \"3\"|expected a list of token ids",
                "\"answer\": \"#1\", \"corrupt_tokens\": [1], \"corrupt\": \"a\"|both 'corrupt' and 'corrupt_tokens'"
            })
    void comparisonsThatAreNoneAreRefused(String keys, String message) throws IOException {
        Path suite = write("[{\"tokens\": [3, 1, 4], " + keys + "}]");
        Path out = temporary.resolve("out");
        Cli cli = Cli.run("predict", "--model", Cli.SMALL, "--suite", suite.toString(), "--out", out.toString());
        assertThat(cli.exit()).isEqualTo(2);
        assertThat(cli.err()).contains("entry 1", message);
        assertThat(out).doesNotExist();
    }
}
