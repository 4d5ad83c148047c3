package dev.greenfield.spark;

import dev.greenfield.Greenfield;
import dev.greenfield.failure.InputException;
import dev.greenfield.files.WorkLock;
import dev.greenfield.model.ModelSource;
import dev.greenfield.text.Digest;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * Work on the prompts of a Dataset, in a folder that all machines share: {@code prompts} has the plan, {@code parts} the files that tasks
 * write, {@code rows} what they say in numbers, the last two of which Spark reads and writes as Parquet. Tasks may run twice, be killed
 * and run again: a part's file appears whole under a name of its own, holds the same bytes whoever wrote it, and is not computed again
 * where it is there, in a later job neither.
 */
final class SparkWork {
    static final int PROMPTS_A_PART = 32;

    private static final String PLAN = "prompts";
    private static final String PARTS = "parts";
    private static final String ROWS = "rows";

    private SparkWork() {}

    /** The folder of a job. */
    static Path folder(String given) {
        try {
            if (given.matches("[A-Za-z][A-Za-z0-9+.-]+:.*") && !given.startsWith("file:")) {
                throw new InputException("folder " + given
                        + ": found an address, expected a folder of a file system that all machines share");
            }
            return (given.startsWith("file:") ? Path.of(URI.create(given)) : Path.of(given)).toAbsolutePath();
        } catch (InvalidPathException wrong) {
            throw new InputException("folder " + given + ": this cannot be a path (" + wrong.getReason() + ")", wrong);
        }
    }

    /**
     * Does the work and returns its rows, ordered by the prompts' numbers.
     *
     * @param wanted what is to be done with the prompts of a plan
     * @param each prompts of a part
     */
    static Dataset<Row> run(
            Dataset<Row> prompts,
            ModelSpec model,
            PromptReader reader,
            Function<PromptPlan, PartWork> wanted,
            int each,
            Path folder)
            throws IOException {
        if (each < 1) {
            throw new InputException("found " + each + " prompts a part, expected at least 1");
        }
        String weights = digest(model); // a model that is none is refused before anything is made
        SparkSession spark = prompts.sparkSession();
        Path parts = Files.createDirectories(folder.resolve(PARTS));
        WorkLock lock = WorkLock.take(parts.resolve(".lock"))
                .orElseThrow(() -> new InputException(
                        "folder " + folder + ": another job works in it; wait for it, or choose another folder"));
        try {
            PromptPlan plan = PromptPlan.write(prompts, reader, each, uri(folder.resolve(PLAN)));
            PartWork work = wanted.apply(plan);
            String where = parts.toString();
            JavaRDD<Row> rows = plan.byPart()
                    .flatMap(part -> rows(work, model, weights, part, where).iterator());
            String table = uri(folder.resolve(ROWS));
            spark.createDataFrame(rows, work.schema())
                    .write()
                    .mode(SaveMode.Overwrite)
                    .parquet(table);
            sweep(parts);
            return spark.read().parquet(table).orderBy(PromptReader.NUMBER);
        } finally {
            lock.close();
        }
    }

    /** A folder as Spark takes it, whatever file system it takes for its own. */
    static String uri(Path path) {
        return path.toUri().toString();
    }

    private static String digest(ModelSpec model) throws IOException {
        try (ModelSource source = ModelSource.open(model.spec())) {
            return source.sha256();
        }
    }

    /** What a task does. */
    private static List<Row> rows(PartWork work, ModelSpec model, String weights, List<Prompt> prompts, String parts)
            throws IOException {
        if (prompts.isEmpty()) {
            return List.of();
        }
        Path file = Path.of(parts)
                .resolve(work.name() + "-" + PromptPlan.name(TaskContext.getPartitionId()) + work.suffix());
        String digest = digest(work, model, weights, prompts);
        List<Row> kept = work.read(file, digest, prompts).orElse(null);
        if (kept != null) {
            return kept;
        }
        HeldModel.use(model, weights, loaded -> {
            work.write(file, digest, loaded, prompts);
            return null;
        });
        return work.read(file, digest, prompts)
                .orElseThrow(() -> new IOException("part " + file
                        + ": found another one than was just written; let one job at a time work in a folder"));
    }

    private static String digest(PartWork work, ModelSpec model, String weights, List<Prompt> prompts) {
        StringBuilder all = new StringBuilder();
        all.append(Greenfield.version()).append('\n').append(work.name()).append('\n');
        all.append(work.settings()).append('\n').append(weights).append('\n');
        all.append(model.options()).append('\n');
        for (Prompt prompt : prompts) {
            all.append(prompt.number()).append(Arrays.toString(prompt.tokens()));
            all.append(Arrays.toString(prompt.corrupt())).append('\n');
            all.append(prompt.answer()).append('\n').append(prompt.foil()).append('\n');
            all.append(prompt.task()).append(prompt.differs()).append('\n');
        }
        return Digest.sha256(all.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Removes what killed tasks have left; those that are still being killed fail when they try to name theirs. */
    private static void sweep(Path parts) throws IOException {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(parts, ".greenfield-*.tmp")) {
            for (Path file : left) {
                Files.deleteIfExists(file);
            }
        }
    }
}
