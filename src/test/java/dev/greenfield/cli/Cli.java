package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a command did, run within this process.
 *
 * @param exit its status
 * @param out standard output
 * @param err standard error
 */
public record Cli(int exit, String out, String err) {
    /** A model small enough for every test. */
    public static final String SMALL = "random:2,2,16,40,16,seed=1";

    public static Cli run(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                args);
        return new Cli(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** Runs a command that must succeed. */
    public static Cli done(String... args) {
        Cli cli = run(args);
        assertThat(cli.exit()).as(cli.err()).isZero();
        return cli;
    }

    /** A command's arguments with more of them. */
    public static String[] with(String[] args, String... more) {
        List<String> all = new ArrayList<>(List.of(args));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    public static JsonNode result(Path directory) throws IOException {
        return new ObjectMapper().readTree(directory.resolve("result.json").toFile());
    }

    /** A tensor of a result directory, after a check of its type and shape. */
    public static double[] tensor(Path directory, String name, DType type, long... shape) throws IOException {
        try (Safetensors file = Safetensors.open(directory.resolve("tensors.safetensors"))) {
            Tensor tensor = file.tensor(name);
            assertThat(tensor.dtype()).isEqualTo(type);
            assertThat(tensor.shape()).as(name).containsExactly(shape);
            return tensor.toDoubles();
        }
    }

    /** Names of everything in a directory, hidden files too. */
    public static List<String> list(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }
}
