package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The examples that help shows are run. {@link HelpTest} reads all of them. */
@Tag("slow")
class HelpExamplesTest {
    /** Examples that need the network, or write where they are called, or take seconds. */
    private static final Set<String> ONLY_READ = Set.of(
            "demo",
            "fetch openai-community/gpt2",
            "fetch EleutherAI/pythia-160m@main --dry-run",
            "study --suite docs/examples/suite.json --out greenfield-out",
            "scale --suite docs/examples/suite.json --model-b untrained --probes 16 --top 5 --out greenfield-out");

    @ParameterizedTest
    @MethodSource("dev.greenfield.cli.HelpTest#examples")
    void examplesWork(String example, @TempDir Path directory) {
        if (ONLY_READ.contains(example)) {
            return;
        }
        List<String> words = HelpTest.words(example);
        words.replaceAll(word ->
                word.matches("(greenfield-|maps/).*") ? directory.resolve(word).toString() : word);
        if (words.get(0).equals("merge")) {
            for (int shard = 1; shard <= 2; shard++) {
                Cli.done(
                        "map",
                        "--suite",
                        "docs/examples/suite.json",
                        "--probes",
                        "2",
                        "--shard",
                        shard + "/2",
                        "--out",
                        directory.resolve("maps/" + shard).toString());
            }
        }
        if (words.contains("--jacobian")) {
            String average = words.get(words.indexOf("--jacobian") + 1);
            Cli.done("green", "--average", "--suite", "docs/examples/suite.json", "--out", average);
        }
        assertThat(Cli.done(words.toArray(String[]::new)).out()).isNotBlank();
    }

    /** Commands whose help lists no seed draw nothing: whatever the seed, they write the same. */
    @ParameterizedTest
    @ValueSource(strings = {"field", "sensitivity", "lens", "infer", "transfer"})
    void whereNoSeedIsListedNoneMatters(String command, @TempDir Path directory) throws IOException {
        List<String> example =
                HelpTest.words(Commands.byName().get(command).examples().get(0));
        List<byte[]> tensors = new ArrayList<>();
        for (String seed : List.of("0", "7")) {
            Path out = directory.resolve(seed);
            Cli.done(Cli.with(
                    example.toArray(String[]::new), "--seed", seed, "--threads", "1", "--out", out.toString()));
            tensors.add(Files.readAllBytes(out.resolve("tensors.safetensors")));
        }
        assertThat(tensors.get(0)).isEqualTo(tensors.get(1));
    }
}
