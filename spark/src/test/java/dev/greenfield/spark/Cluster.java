package dev.greenfield.spark;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A Spark cluster of this machine: a master and workers in this process, executors as processes of their own. */
final class Cluster implements AutoCloseable {
    /** The jar that executors and submitted programs take. */
    static final Path JAR = Path.of(System.getProperty("greenfield.spark")).toAbsolutePath();

    /** Jars of the tests' class path that are not Spark's. */
    private static final List<String> NOT_OF_SPARK = List.of(
            "greenfield",
            "junit",
            "assertj",
            "opentest4j",
            "apiguardian",
            "byte-buddy",
            "javacpp",
            "openblas",
            "jtokkit",
            "commons-rng",
            "commons-statistics",
            "commons-numbers",
            "ejml",
            "djl",
            "tokenizers",
            "api-0",
            "jna",
            "picocli",
            "surefire",
            "failsafe");

    /** What a distribution's bin/spark-submit does: the launcher says the command, with a zero byte after each word. */
    private static final String SUBMIT = """
            #!/bin/bash
            export SPARK_HOME="$(cd "$(dirname "$0")/.." && pwd)"
            export SPARK_SCALA_VERSION=2.13 # as load-spark-env.sh does
            words=()
            while IFS= read -r -d '' word; do words+=("$word"); done < <(
              "${JAVA_HOME:-/usr}/bin/java" -cp "$SPARK_HOME/jars/*" org.apache.spark.launcher.Main \\
                org.apache.spark.deploy.SparkSubmit "$@")
            words=("${words[@]:1}") # an empty one, and a line end, before the command
            exec "${words[0]#$'\\n'}" "${words[@]:1}"
            """;

    private final SparkSession spark;

    private Cluster(SparkSession spark) {
        this.spark = spark;
    }

    /**
     * A cluster of executors with one core each.
     *
     * @param more settings besides those that every test has
     */
    static Cluster start(int executors, Map<String, String> more) throws IOException {
        home();
        SparkSession.Builder builder = SparkSession.builder()
                .appName("greenfield")
                .master("local-cluster[" + executors + ",1,1024]")
                .config("spark.executor.memory", "1g")
                // Functions that tests hand to Spark are in their classes.
                .config(
                        "spark.executor.extraClassPath",
                        JAR
                                + File.pathSeparator
                                + Path.of("target", "test-classes").toAbsolutePath())
                .config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", "2")
                .config(
                        "spark.local.dir",
                        Files.createDirectories(Path.of("target", "spark-local"))
                                .toString());
        more.forEach(builder::config);
        return new Cluster(builder.getOrCreate());
    }

    /** A folder as a distribution of Spark is: its jars in {@code jars}. */
    static Path home() throws IOException {
        Path home = Path.of(System.getenv("SPARK_HOME"));
        Path jars = Files.createDirectories(home.resolve("jars"));
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path jar = Path.of(entry).toAbsolutePath();
            String name = jar.getFileName().toString();
            if (name.endsWith(".jar") && NOT_OF_SPARK.stream().noneMatch(name::startsWith)) {
                try {
                    Files.createSymbolicLink(jars.resolve(name), jar);
                } catch (FileAlreadyExistsException there) {
                    continue;
                }
            }
        }
        script(Files.createDirectories(home.resolve("bin")).resolve("spark-submit"), SUBMIT);
        return home;
    }

    /** Writes a script that can be run. */
    static Path script(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return file;
    }

    SparkSession spark() {
        return spark;
    }

    /** The prompts of a suite's file. */
    Dataset<Row> suite(Path file) {
        return spark.read().option("multiLine", true).json(file.toUri().toString());
    }

    /** What groups rows by length. Of a class of its own: executors have no library of tests. */
    static final class Length implements MapFunction<Row, Integer> {
        @Override
        public Integer call(Row row) {
            return row.getAs("length");
        }
    }

    /** The processes of the executors. */
    static List<ProcessHandle> executors() {
        return ProcessHandle.current()
                .descendants()
                .filter(process -> process.info()
                        .arguments()
                        .map(all ->
                                Arrays.asList(all).contains("org.apache.spark.executor.CoarseGrainedExecutorBackend"))
                        .orElse(false))
                .toList();
    }

    /** Runs a program and returns what it printed. */
    static String run(Map<String, String> environment, List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(Path.of("target"), "output", ".txt");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        boolean ended = process.waitFor(5, TimeUnit.MINUTES);
        String printed = Files.readString(output);
        if (!ended || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new AssertionError((ended ? "exit status " + process.exitValue() : "not ended") + " of "
                    + String.join(" ", command) + "\n" + printed);
        }
        return printed;
    }

    /** Greenfield's command line on one machine, out of the same jar. */
    static String greenfield(String... arguments) throws IOException, InterruptedException {
        return run(Map.of(), command(arguments));
    }

    /** What {@link #greenfield} runs. */
    static List<String> command(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                JAR + File.pathSeparator + home().resolve("jars") + "/*",
                "dev.greenfield.cli.Main"));
        command.addAll(Arrays.asList(arguments));
        return command;
    }

    /** The files of a folder, by name. */
    static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Override
    public void close() {
        spark.stop();
    }
}
