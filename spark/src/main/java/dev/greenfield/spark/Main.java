package dev.greenfield.spark;

import dev.greenfield.cli.io.Failure;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.GreenfieldException;
import dev.greenfield.failure.InputException;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.study.Finding;
import dev.greenfield.study.Study;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * What {@code spark-submit --class dev.greenfield.spark.Main} runs: {@code map}, {@code sensitivity}, {@code predict} and {@code study}
 * over the prompts of a suite, on whatever cluster the submission names.
 */
@Command(name = "greenfield-spark", description = "Greenfield's commands over suites, on Apache Spark.")
public final class Main {
    private Main() {}

    /** Runs a command; the exit status is that of the command line on one machine. */
    public static void main(String[] arguments) {
        int status = new CommandLine(new Main())
                .addSubcommand(new Maps())
                .addSubcommand(new Sensitive())
                .addSubcommand(new Predict())
                .addSubcommand(new Studied())
                .setExecutionExceptionHandler((failure, line, parsed) ->
                        say(failure, line.getCommandSpec().optionsMap().keySet()))
                .execute(arguments);
        if (status != Failure.DONE) {
            System.exit(status); // after success Spark ends the process itself
        }
    }

    /** One line for a failure of ours, wherever in Spark's it is wrapped; Spark's own are Spark's to tell. */
    private static int say(Exception failure, Set<String> options) throws Exception {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof GreenfieldException) {
                Failure found = Failure.of(cause, null, options);
                System.err.println("greenfield: " + found.message());
                return found.exit();
            }
        }
        throw failure;
    }

    /** What all commands do. */
    private abstract static class Suite implements Callable<Integer> {
        @Mixin
        private final JobOptions options = new JobOptions();

        private long start; // of the work, after Spark's own

        abstract void run(Dataset<Row> prompts, JobOptions options) throws IOException;

        @Override
        public final Integer call() throws IOException {
            options.model(); // refused before a cluster is asked for
            try (SparkSession spark =
                    SparkSession.builder().appName("greenfield").getOrCreate()) {
                start = System.nanoTime();
                run(options.prompts(spark), options);
            }
            return Failure.DONE;
        }

        final void done(Dataset<Row> rows, JobOptions options) {
            System.out.printf(
                    Locale.ROOT,
                    "written to %s: %d rows, %.1f s%n",
                    options.out(),
                    rows.count(),
                    (System.nanoTime() - start) / 1e9);
        }
    }

    /** Maps, and their statistics by length. */
    @Command(name = "map", description = "A response map for each prompt, and their statistics by length.")
    private static final class Maps extends Suite {
        private static final int PROBES = 16;

        @Option(names = "--probes", paramLabel = "K", description = "Random directions a site. Default: 16.")
        private String probes;

        @Option(names = "--exact", description = "All directions of each site.")
        private boolean exact;

        @Option(names = "--half-depths", description = "Half depths too.")
        private boolean halfDepths;

        @Override
        void run(Dataset<Row> prompts, JobOptions options) throws IOException {
            if (exact && probes != null) {
                throw new InputException("both --exact and --probes are given: give one of them");
            }
            ResponseMaps maps = ResponseMaps.over(prompts, options.model())
                    .seed(options.seed())
                    .promptsAPart(options.each(SparkWork.PROMPTS_A_PART));
            maps = exact ? maps.exact() : maps.probes(probes == null ? PROBES : count(probes));
            Dataset<Row> rows = (halfDepths ? maps.halfDepths() : maps).write(options.out());
            done(rows, options);
            String statistics = Path.of(options.out(), "statistics").toString();
            System.out.println("statistics in " + statistics + ": "
                    + ResponseMaps.statistics(rows, statistics)
                            .select("length")
                            .distinct()
                            .count() + " lengths");
        }

        private static int count(String text) {
            return Quantities.atLeast("--probes", text, 2, "a number of random directions, at least 2");
        }
    }

    /** Sensitivities. */
    @Command(name = "sensitivity", description = "The sensitivity of F to every site, of each prompt.")
    private static final class Sensitive extends Suite {
        @Override
        void run(Dataset<Row> prompts, JobOptions options) throws IOException {
            done(
                    Sensitivities.over(prompts, options.model())
                            .promptsAPart(options.each(SparkWork.PROMPTS_A_PART))
                            .write(options.out()),
                    options);
        }
    }

    /** Predictions, and their summaries. */
    @Command(name = "predict", description = "Measured against predicted changes of F.")
    private static final class Predict extends Suite {
        @Override
        void run(Dataset<Row> prompts, JobOptions options) throws IOException {
            Dataset<Row> rows = Predictions.over(prompts, options.model())
                    .plan(PredictionPlan.defaults().seed(options.seed()))
                    .promptsAPart(options.each(SparkWork.PROMPTS_A_PART))
                    .write(options.out());
            done(rows, options);
            Predictions.summaries(rows, options.seed())
                    .coalesce(1)
                    .write()
                    .mode(SaveMode.Overwrite)
                    .parquet(SparkWork.uri(SparkWork.folder(options.out()).resolve("summaries")));
        }
    }

    /** A study. */
    @Command(name = "study", description = "All claims, measured over the suite.")
    private static final class Studied extends Suite {
        @Override
        void run(Dataset<Row> prompts, JobOptions options) throws IOException {
            Dataset<Row> rows = Studies.over(prompts, options.model())
                    .seed(options.seed())
                    .promptsAPart(options.each(Studies.PROMPTS_A_PART))
                    .write(options.out());
            done(rows, options);
            Study.Outcome outcome = Studies.outcome(rows, options.seed());
            for (Finding finding : outcome.findings()) {
                System.out.printf(
                        Locale.ROOT,
                        "%-12s %-40s n %4d  %.4g (%.4g to %.4g)  %s%n",
                        finding.claim().id(),
                        finding.metric(),
                        finding.n(),
                        finding.estimate().value(),
                        finding.estimate().low(),
                        finding.estimate().high(),
                        finding.verdict().label());
            }
        }
    }
}
