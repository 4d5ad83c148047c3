package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.backend.Backends;
import dev.greenfield.cli.Cli;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands on two devices write what they write on one. */
@Tag("slow")
class DevicesCommandTest {
    private static final String MODEL = "random:2,2,16,40,16,seed=1";

    @TempDir
    Path temporary;

    @BeforeEach
    void requireTwo() {
        Backends.CUDA.open().close(); // skips where there is none
        Assumptions.assumeTrue(CudaDevice.count() > 1, "found one GPU, this takes two");
    }

    private Path suite(int pairs) throws IOException {
        List<String> entries = new ArrayList<>();
        for (int i = 0; i < pairs; i++) {
            entries.add(
                    "{\"tokens\": [1, %d, 5, 6], \"corrupt_tokens\": [1, %d, 5, 6], \"answer\": \"#3\", \"foil\": \"#4\"}"
                            .formatted(7 + i, 20 + i));
        }
        return Files.writeString(temporary.resolve("suite.json"), "[" + String.join(", ", entries) + "]");
    }

    /** Runs a command on one device and on both; the results without what may differ. */
    private void same(String... command) throws IOException {
        List<JsonNode> results = new ArrayList<>();
        List<byte[]> tensors = new ArrayList<>();
        for (String devices : List.of("0", "1,0")) {
            Path out = temporary.resolve(command[0] + "-" + devices.length());
            Cli.done(Cli.with(
                    command, "--model", MODEL, "--backend", "cuda", "--devices", devices, "--out", out.toString()));
            JsonNode result = Cli.result(out);
            assertThat(result.has("devices")).isEqualTo(devices.length() > 1);
            results.add(result.path("results"));
            Path file = out.resolve("tensors.safetensors");
            tensors.add(Files.exists(file) ? Files.readAllBytes(file) : new byte[0]);
        }
        assertThat(results.get(1)).isEqualTo(results.get(0));
        assertThat(tensors.get(1)).isEqualTo(tensors.get(0));
    }

    @Test
    void mapsOfASuite() throws IOException {
        same("map", "--suite", suite(5).toString(), "--probes", "3");
    }

    @Test
    void predictionsOfASuite() throws IOException {
        same("predict", "--suite", suite(3).toString(), "--kinds", "noise", "--steps", "2");
    }

    @Test
    void aStudy() throws IOException {
        same("study", "--suite", suite(2).toString());
    }

    @Test
    void twoModelsOnASuite() throws IOException {
        same("scale", "--suite", suite(5).toString(), "--model-b", "random:1,2,16,40,16,seed=2", "--probes", "2");
    }

    @Test
    void anAverageOverASuite() throws IOException {
        same("green", "--average", "--suite", suite(5).toString());
    }

    @Test
    void commandsAboutOnePromptSayThatTheyUseTheFirst() {
        Cli two = Cli.run("sensitivity", "--model", MODEL, "--tokens", "1,2", "--answer", "#3", "--devices", "1,0");
        assertThat(two.exit()).isZero();
        assertThat(two.err()).contains("sensitivity is done by device 1 alone");
        Cli map = Cli.run("map", "--model", MODEL, "--tokens", "1,2", "--probes", "2", "--devices", "1,0");
        assertThat(map.exit()).isZero();
        assertThat(map.err()).doesNotContain("alone");
    }

    @Test
    void devicesThatCannotBeAreRefusedInOneLine() {
        Cli missing = Cli.run("field", "--model", MODEL, "--tokens", "1,2", "--devices", "5");
        assertThat(missing.exit()).isEqualTo(3);
        assertThat(missing.err())
                .contains("found 2 GPUs, expected one with number 5")
                .contains("--devices");
        for (String wrong : List.of("x", "", "0,0", "-1", "0,")) {
            Cli refused = Cli.run("field", "--model", MODEL, "--tokens", "1,2", "--devices", wrong);
            assertThat(refused.exit()).isEqualTo(2);
            assertThat(refused.err()).contains("expected numbers of GPUs").hasLineCount(1);
        }
        Cli cpu = Cli.run("field", "--model", MODEL, "--tokens", "1,2", "--devices", "0", "--backend", "cpu");
        assertThat(cpu.exit()).isEqualTo(2);
        assertThat(cpu.err()).contains("only the cuda backend has devices");
    }
}
