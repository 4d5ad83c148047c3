package dev.greenfield.spark;

import dev.greenfield.BackendChoice;
import dev.greenfield.Options;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import dev.greenfield.model.Beginning;
import dev.greenfield.model.Precision;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Option;

/** Options that every command of {@link Main} has; they mean what they mean on one machine. */
final class JobOptions {
    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description = "A directory, a name of the hub's cache, or demo. Default: demo.")
    private String model = "demo";

    @Option(
            names = "--suite",
            paramLabel = "FILE",
            required = true,
            description = "Prompts: a JSON list, lines of JSON (.jsonl), or Parquet (.parquet).")
    private String suite;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "A folder that all machines share.")
    private String out;

    @Option(names = "--backend", paramLabel = "NAME", description = "auto, cpu, cuda or reference. Default: auto.")
    private String backend = "auto";

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description = "fp32, tf32, bf16 or fp64. Default: the backend's.")
    private String precision;

    @Option(names = "--threads", paramLabel = "N", description = "Processor threads of an executor. Default: all.")
    private String threads;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            description = "Memory of an executor's model. Default: half of the machine's.")
    private String memory;

    @Option(names = "--bos", paramLabel = "HOW", description = "auto, yes or no: the token in front. Default: auto.")
    private String bos = "auto";

    @Option(names = "--seed", paramLabel = "N", description = "Seed of everything random. Default: 0.")
    private String seed;

    @Option(names = "--prompts-a-part", paramLabel = "N", description = "Prompts of a task and a file.")
    private String each;

    ModelSpec model() {
        if (!BackendChoice.NAMES.contains(backend)) {
            throw new InputException("--backend " + Quantities.quoted(backend) + ": expected one of "
                    + String.join(", ", BackendChoice.NAMES));
        }
        Options options = Options.defaults()
                .backend(backend)
                .beginning(named("--bos", bos, List.of(Beginning.values()), Beginning::name));
        if (precision != null) {
            options = options.precision(
                    named("--precision", precision, Arrays.asList(Precision.values()), Precision::label));
        }
        if (threads != null) {
            options = options.threads(Quantities.atLeast("--threads", threads, 1, "a number of threads, at least 1"));
        }
        return new ModelSpec(model, memory == null ? options : options.memory(Quantities.bytes("--memory", memory)));
    }

    private interface Named<T> {
        String of(T value);
    }

    private static <T> T named(String option, String text, List<T> values, Named<T> name) {
        return values.stream()
                .filter(value -> name.of(value).toLowerCase(Locale.ROOT).equals(text))
                .findFirst()
                .orElseThrow(() -> new InputException(option + " " + Quantities.quoted(text) + ": expected one of "
                        + values.stream()
                                .map(value -> name.of(value).toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))));
    }

    Dataset<Row> prompts(SparkSession spark) {
        Path file = SparkWork.folder(suite);
        if (!Files.exists(file)) {
            throw new InputException(
                    "--suite " + Quantities.quoted(suite) + ": found no such file, expected prompts; check the path");
        }
        String where = SparkWork.uri(file);
        if (suite.endsWith(".parquet")) {
            return spark.read().parquet(where);
        }
        return spark.read().option("multiLine", !suite.endsWith(".jsonl")).json(where);
    }

    String out() {
        return out;
    }

    long seed() {
        return seed == null ? 0 : Quantities.seed("--seed", seed);
    }

    /** How many prompts a part has. */
    int each(int otherwise) {
        return each == null ? otherwise : Quantities.atLeast("--prompts-a-part", each, 1, "a number, at least 1");
    }
}
