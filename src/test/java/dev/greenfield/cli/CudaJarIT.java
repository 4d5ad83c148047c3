package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.cli.PackagedJar.Finished;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The packaged jar with {@code --backend cuda}, on the host stand-in: golden answers, and what it says when memory is short. */
class CudaJarIT {
    private static final Path STAND_IN =
            Path.of(System.getProperty("greenfield.standin", "target/standin")).toAbsolutePath();

    @TempDir
    private Path temporary;

    private PackagedJar jar;

    @BeforeEach
    void needsTheStandIn() throws IOException, InterruptedException {
        jar = new PackagedJar(temporary);
        assumeTrue(Files.exists(STAND_IN.resolve("libcublas.so.13")), "the host stand-in was not built");
        String doctor = jar.finish(cuda("doctor")).out();
        if (doctor.contains("built without nvcc")) {
            System.out.println("the cuda backend of the jar is not tested: no nvcc built its kernels");
        }
        assumeTrue(!doctor.contains("built without nvcc"), "the jar has no kernels");
        assertThat(doctor).contains("cuda: yes");
    }

    private ProcessBuilder cuda(String... args) {
        return jar.command(
                List.of(
                        "-Dgreenfield.cuda.libs=" + STAND_IN,
                        "-Dgreenfield.native.dir=" + temporary.resolve(".native")),
                args);
    }

    static List<String> golden() {
        return Golden.names();
    }

    private static String ids(int[] tokens) {
        return Arrays.stream(tokens).mapToObj(Integer::toString).collect(Collectors.joining(","));
    }

    /** The tensors that a command wrote, and its result.json. */
    private record Written(Safetensors tensors, JsonNode result) implements AutoCloseable {
        double[] values(String tensor) throws IOException {
            return tensors.tensor(tensor).toDoubles();
        }

        @Override
        public void close() {
            tensors.close();
        }
    }

    private Written run(Golden golden, String command, String... more) throws IOException, InterruptedException {
        Path out = temporary.resolve(command);
        List<String> args = new ArrayList<>(List.of(
                command,
                "--model",
                golden.model().toAbsolutePath().toString(),
                "--tokens",
                ids(golden.tokens()),
                "--backend",
                "cuda",
                "--out",
                out.toString()));
        args.addAll(List.of(more));
        Finished run = jar.finish(cuda(args.toArray(String[]::new)));
        assertThat(run.exit()).as(run.err()).isZero();
        return new Written(Safetensors.open(out.resolve("tensors.safetensors")), Cli.result(out));
    }

    private static void near(String tensor, Written written, Golden golden, double bound) throws IOException {
        assertThat(Errors.relative(written.values(tensor), golden.values(tensor)))
                .as(tensor)
                .isLessThan(bound);
    }

    @ParameterizedTest
    @MethodSource
    void golden(String name) throws IOException, InterruptedException {
        try (Golden golden = Golden.open(name)) {
            String[] observable = {"--answer", "#" + golden.text("answer"), "--foil", "#" + golden.text("foil")};
            try (Written written = run(golden, "sensitivity", observable)) {
                assertThat(written.result().get("backend").asText()).isEqualTo("cuda");
                assertThat(written.result().get("precision").asText()).isEqualTo("fp32");
                near("field", written, golden, 2e-5);
                near("logits", written, golden, 2e-5);
                near("sensitivity", written, golden, 1e-4);
                double expected = Double.parseDouble(golden.text("logit_difference"));
                double found =
                        written.result().get("results").get("logit_difference").asDouble();
                assertThat(Math.abs(found - expected)).isLessThan(2e-5 * Math.abs(expected));
            }
            String[] patch = Stream.concat(
                            Arrays.stream(observable), Stream.of("--corrupt-tokens", ids(golden.corruptTokens())))
                    .toArray(String[]::new);
            try (Written written = run(golden, "patch", patch)) {
                near("patch.measured", written, golden, 1e-3);
                near("patch.predicted", written, golden, 1e-4);
            }
            try (Written written = run(
                    golden,
                    "green",
                    "--depth",
                    golden.text("source_depth"),
                    "--token",
                    golden.text("source_token"),
                    "--to-depth",
                    golden.text("target_depth"))) {
                near("green", written, golden, 1e-4);
            }
        }
    }

    private Finished patchWith(int deviceMebibytes) throws IOException, InterruptedException {
        int[] tokens = IntStream.range(1, 25).toArray();
        int[] others = IntStream.range(2, 26).toArray();
        ProcessBuilder builder = cuda(
                "patch",
                "--model",
                "random:2,8,256,50,64",
                "--tokens",
                ids(tokens),
                "--corrupt-tokens",
                ids(others),
                "--answer",
                "#1",
                "--foil",
                "#2",
                "--backend",
                "cuda",
                "--memory",
                "1GiB");
        builder.environment().put("GREENFIELD_STANDIN_MEMORY", Long.toString((long) deviceMebibytes << 20));
        return jar.finish(builder);
    }

    /** cuBLAS takes 32 MiB, the weights 6, and a sweep over all sites at once 6 more: a budget of 1 GiB promises too much. */
    @Test
    void aSmallerDeviceGetsSmallerBatchesAndThenAMessage() throws IOException, InterruptedException {
        Finished plenty = patchWith(512);
        assertThat(plenty.exit()).as(plenty.err()).isZero();
        Finished halved = patchWith(41);
        assertThat(halved.exit()).as(halved.err()).isZero();
        assertThat(halved.out()).isEqualTo(plenty.out()).contains("correlation");
        Finished hopeless = patchWith(39);
        assertThat(hopeless.exit()).as(hopeless.err()).isEqualTo(4);
        assertThat(hopeless.err().lines().filter(line -> line.startsWith("greenfield: ")))
                .singleElement()
                .asString()
                .contains("the GPU has no", "are free and this model holds", "a shorter prompt");
    }

    @Test
    void nativesAreExtractedToTheDirectoryThatWasNamed() throws IOException, InterruptedException {
        try (Stream<Path> files = Files.list(temporary.resolve(".native"))) {
            // Besides them there are the folders of libraries that need each other.
            assertThat(files.filter(Files::isRegularFile)
                            .map(file -> file.getFileName().toString().substring(65))
                            .sorted())
                    .containsExactly(
                            "libJCublas2-12.6.0-linux-x86_64.so",
                            "libJCudaDriver-12.6.0-linux-x86_64.so",
                            "libcublas.so.12");
        }
    }
}
