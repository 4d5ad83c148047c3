package dev.greenfield.backend.cuda;

import dev.greenfield.natives.NativeExtraction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs a main class in a Java of its own, for what would spoil this one: other libraries, other limits, broken devices. */
final class ChildJvm {
    private static final long SECONDS = 120;

    private ChildJvm() {}

    /** How a run ended. */
    record Finished(int exit, String out, String err) {}

    /**
     * Runs {@code main} on this test's class path with this test's library settings.
     *
     * @param environment added to this process's
     * @param properties {@code -Dname=value} settings, later ones win
     */
    static Finished run(Map<String, String> environment, List<String> properties, String main, String... args)
            throws IOException, InterruptedException {
        return run(Path.of("").toAbsolutePath(), environment, properties, main, args);
    }

    /** The same in a folder. */
    static Finished run(
            Path folder, Map<String, String> environment, List<String> properties, String main, String... args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx1g", "-XX:+UseSerialGC"));
        for (String name :
                new String[] {LibraryFolders.PROPERTY, NativeExtraction.DIRECTORY, "greenfield.test.backends"}) {
            if (System.getProperty(name) != null) {
                command.add("-D" + name + "=" + System.getProperty(name));
            }
        }
        command.addAll(properties);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        command.addAll(Arrays.asList(args));
        Path out = Files.createTempFile("out", ".txt");
        Path err = Files.createTempFile("err", ".txt");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
            builder.directory(folder.toFile()).environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new AssertionError("not done after " + SECONDS + " s: " + command);
            }
            return new Finished(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** Whether this run's libraries are those of the host stand-in. */
    static boolean onStandIn() {
        return Stream.of(System.getProperty(LibraryFolders.PROPERTY, "").split(":", -1))
                .anyMatch(folder -> folder.endsWith("standin"));
    }
}
