package dev.greenfield.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the packaged jar in a directory, as a user does. What it prints goes to {@code .out} and {@code .err} there. */
final class PackagedJar {
    private static final Path JAR = Path.of(System.getProperty("greenfield.jar", "target/greenfield.jar"));
    private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");
    private static final int MINUTES = 4;

    private final Path directory;

    PackagedJar(Path directory) {
        this.directory = directory;
    }

    /** How a run ended. */
    record Finished(int exit, String out, String err, double seconds) {}

    ProcessBuilder command(String... args) {
        return command(List.of(), args);
    }

    /** A command whose Java gets these options. */
    ProcessBuilder command(List<String> javaOptions, String... args) {
        List<String> command = new ArrayList<>(List.of(JAVA.toString()));
        command.addAll(javaOptions);
        command.addAll(List.of("-jar", JAR.toAbsolutePath().toString()));
        command.addAll(List.of(args));
        return new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(directory.resolve(".out").toFile())
                .redirectError(directory.resolve(".err").toFile());
    }

    Finished finish(ProcessBuilder builder) throws IOException, InterruptedException {
        long start = System.nanoTime();
        Process process = builder.start();
        if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError("not done after " + MINUTES + " minutes: " + builder.command());
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Finished(process.exitValue(), text(".out"), text(".err"), seconds);
    }

    String text(String file) throws IOException {
        return Files.readString(directory.resolve(file), StandardCharsets.UTF_8);
    }
}
