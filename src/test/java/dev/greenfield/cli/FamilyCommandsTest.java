package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.safetensors.DType;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every command on models of families whose blocks are not GPT-2's. They have no tokenizer: prompts are ids. */
@Tag("slow")
class FamilyCommandsTest {
    private static final String TOKENS = "5,17,3,60,9,41";
    private static final String OTHER = "5,20,3,61,9,12";

    @TempDir
    private Path temporary;

    static Stream<Arguments> commands() {
        List<String> commands = List.of(
                "field",
                "sensitivity --answer #7 --foil #9",
                "patch --answer #7 --foil #9 --corrupt-tokens " + OTHER,
                "patch --component attn --answer #7 --foil #9 --corrupt-tokens " + OTHER,
                "patch --component mlp --answer #7 --foil #9 --corrupt-tokens " + OTHER,
                "patch --component head --answer #7 --foil #9 --corrupt-tokens " + OTHER,
                "map --probes 2",
                "map --exact --answer #7",
                "green --depth 1 --token 2",
                "green --depth 1 --token 2 --rank 2",
                "regime --answer #7 --foil #9 --depth 1 --token 2",
                "propagate --depth 1 --token 2 --direction random",
                "infer --answer #7 --foil #9 --target-change 0.5");
        return Stream.of("gpt_neox", "gemma2", "olmo2", "gpt_neo", "gemma3")
                .flatMap(model -> commands.stream().map(command -> Arguments.of(model, command)));
    }

    private Cli run(String model, String command) {
        Path out = temporary.resolve("out");
        return Cli.run(Cli.with(
                command.split(" "),
                "--model",
                TestData.model(TestData.FAMILIES + model).toString(),
                "--tokens",
                TOKENS,
                "--backend",
                "cpu",
                "--out",
                out.toString()));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("commands")
    void everyCommandWorks(String model, String command) throws IOException {
        Cli cli = run(model, command);
        assertThat(cli.exit()).as(cli.err()).isZero();
        assertThat(Cli.list(temporary.resolve("out"))).contains("result.json", "tensors.safetensors");
    }

    /** What all heads of a block get together: heads of a parallel block are sources at the next depth. */
    @Test
    void patchesOfHeadsHaveARowForEach() throws IOException {
        assertThat(run("gpt_neox", "patch --component head --answer #7 --foil #9 --corrupt-tokens " + OTHER)
                        .exit())
                .isZero();
        double[] measured = Cli.tensor(temporary.resolve("out"), "patch.measured", DType.F32, 3, 4, 6);
        double[] predicted = Cli.tensor(temporary.resolve("out"), "patch.predicted", DType.F32, 3, 4, 6);
        Path other = temporary.resolve("attention");
        assertThat(Cli.run(
                                "patch",
                                "--component",
                                "attn",
                                "--answer",
                                "#7",
                                "--foil",
                                "#9",
                                "--corrupt-tokens",
                                OTHER,
                                "--model",
                                TestData.model(TestData.FAMILIES + "gpt_neox").toString(),
                                "--tokens",
                                TOKENS,
                                "--backend",
                                "cpu",
                                "--out",
                                other.toString())
                        .exit())
                .isZero();
        double[] attention = Cli.tensor(other, "patch.predicted", DType.F32, 3, 6);
        double size = Arrays.stream(attention).map(Math::abs).max().orElseThrow();
        for (int i = 0; i < attention.length; i++) {
            double heads = 0; // to first order the heads of a block sum to its attention
            for (int h = 0; h < 4; h++) {
                heads += predicted[(i / 6 * 4 + h) * 6 + i % 6];
            }
            assertThat(heads).isCloseTo(attention[i], within(1e-4 * size));
        }
        assertThat(Arrays.stream(measured).filter(change -> change != 0).count())
                .isPositive();
    }

    @ParameterizedTest
    @MethodSource("refused")
    void halfDepthsOfAParallelBlockAreRefusedInOneLine(String command) {
        Cli cli = run("gpt_neox", command);
        assertThat(cli.exit()).isEqualTo(2);
        assertThat(cli.err().lines().filter(line -> line.startsWith("greenfield: ")))
                .singleElement()
                .asString()
                .contains("found a half depth, expected whole depths only", "GPT-NeoX", "use the next depth");
        assertThat(temporary.resolve("out")).doesNotExist();
    }

    static List<String> refused() {
        return List.of(
                "map --half-depths --probes 2",
                "regime --answer #7 --depth 1.5 --token 2",
                "regime --answer #7 --all-sites --half-depths");
    }

    /** A result says which family its model is of. */
    @Test
    void resultsNameTheFamily() throws IOException {
        assertThat(run("gemma2", "field").exit()).isZero();
        JsonNode model = Cli.result(temporary.resolve("out")).path("model");
        assertThat(model.path("family").asText()).isEqualTo("gemma2");
    }
}
