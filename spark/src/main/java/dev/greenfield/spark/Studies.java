package dev.greenfield.spark;

import dev.greenfield.Model;
import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.AtomicFile;
import dev.greenfield.study.PromptPair;
import dev.greenfield.study.Study;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A study of one model over many prompt pairs, as {@code study} makes it: executors measure, the driver sums up. The whole suite goes to
 * every task, in tokens, since which prompts the dear parts take is drawn among all. Immutable.
 */
public final class Studies {
    static final int PROMPTS_A_PART = 8;

    private final Dataset<Row> prompts;
    private final ModelSpec model;
    private final long seed;
    private final int each;

    private Studies(Dataset<Row> prompts, ModelSpec model, long seed, int each) {
        this.prompts = prompts;
        this.model = model;
        this.seed = seed;
        this.each = each;
    }

    /**
     * A study of seed 0, 8 prompts a part.
     *
     * @param prompts rows whose columns are the keys of a suite's file, {@code corrupt} and {@code answer} among them; see
     *     docs/reference.md
     */
    public static Studies over(Dataset<Row> prompts, ModelSpec model) {
        return new Studies(
                Objects.requireNonNull(prompts, "prompts"), Objects.requireNonNull(model, "model"), 0, PROMPTS_A_PART);
    }

    /** The seed of everything random. */
    public Studies seed(long value) {
        return new Studies(prompts, model, value, each);
    }

    /** How many prompts a task measures and a file holds. */
    public Studies promptsAPart(int count) {
        return new Studies(prompts, model, seed, count);
    }

    /**
     * Measures what is not there yet.
     *
     * @param folder on a file system that all machines share
     * @return a row a prompt, in the order of their numbers, from {@code folder/rows}: {@code number}, {@code tokens}, {@code
     *     corrupt_tokens}, {@code answer}, {@code foil}, {@code task}, {@code differs_at_token}, and {@code measured}, a line of JSON with
     *     what all parts of the study measured
     * @throws InputException if the rows cannot be read as pairs of prompts, or another job works in the folder
     */
    public Dataset<Row> write(String folder) throws IOException {
        Path where = SparkWork.folder(folder);
        PromptReader reader = new PromptReader(model, PromptReader.Needs.PAIR);
        return SparkWork.run(prompts, model, reader, plan -> new Part(plan.collect(), seed), each, where);
    }

    /**
     * Measures what is not there yet and sums up on the driver: the findings of {@code study} on one machine, to the bit.
     *
     * @param folder as of {@link #write}
     */
    public Study.Outcome run(String folder) throws IOException {
        return outcome(write(folder), seed);
    }

    /**
     * Sums up what rows have of all prompts of a study.
     *
     * @param rows that {@link #write} returned, all of them
     * @param seed of the study
     */
    public static Study.Outcome outcome(Dataset<Row> rows, long seed) {
        List<PromptPair> pairs = new ArrayList<>();
        Map<Integer, String> measured = new HashMap<>();
        for (Row row : rows.orderBy(PromptReader.NUMBER).collectAsList()) {
            Prompt prompt = PromptPlan.prompt(row);
            pairs.add(pair(prompt));
            measured.put(prompt.number(), row.getAs("measured"));
        }
        return Study.outcome(pairs, measured, seed);
    }

    private static PromptPair pair(Prompt prompt) {
        return new PromptPair(
                prompt.number(),
                prompt.tokens(),
                prompt.corrupt(),
                prompt.observable(),
                prompt.task(),
                prompt.differs());
    }

    /** What a task does: its file has the digest and then a line a prompt. */
    private static final class Part implements PartWork {
        private static final StructType SCHEMA = PromptPlan.PROMPT.add("measured", DataTypes.StringType, false);

        private final List<Prompt> suite;
        private final long seed;

        Part(List<Prompt> suite, long seed) {
            this.suite = suite;
            this.seed = seed;
        }

        @Override
        public String name() {
            return "study";
        }

        /** Which prompts a part of the study takes is drawn among all numbers. */
        @Override
        public String settings() {
            return "seed " + seed + " of the numbers "
                    + suite.stream().map(Prompt::number).toList();
        }

        @Override
        public String suffix() {
            return ".jsonl";
        }

        @Override
        public StructType schema() {
            return SCHEMA;
        }

        @Override
        public void write(Path path, String digest, Model model, List<Prompt> prompts) throws IOException {
            List<PromptPair> pairs = suite.stream().map(Studies::pair).toList();
            StringBuilder lines = new StringBuilder(header(digest)).append('\n');
            try (Study study = new Study(model, null, pairs, null, seed)) {
                for (Prompt prompt : prompts) {
                    lines.append(study.measure(prompt.number())).append('\n');
                }
            }
            AtomicFile file = AtomicFile.create(path);
            try {
                ByteBuffer bytes = StandardCharsets.UTF_8.encode(lines.toString());
                while (bytes.hasRemaining()) {
                    file.channel().write(bytes);
                }
                file.commit();
            } catch (IOException | RuntimeException failure) {
                file.drop(failure);
                throw failure;
            }
        }

        private static String header(String digest) {
            return "{\"part_sha256\":\"" + digest + "\"}";
        }

        @Override
        public Optional<List<Row>> read(Path path, String digest, List<Prompt> prompts) throws IOException {
            List<String> lines;
            try {
                lines = Files.readAllLines(path);
            } catch (NoSuchFileException missing) {
                return Optional.empty();
            }
            if (lines.size() != prompts.size() + 1 || !lines.get(0).equals(header(digest))) {
                return Optional.empty();
            }
            List<Row> rows = new ArrayList<>();
            for (int i = 0; i < prompts.size(); i++) {
                Prompt prompt = prompts.get(i);
                rows.add(RowFactory.create(
                        prompt.number(),
                        prompt.tokens(),
                        prompt.corrupt(),
                        prompt.answer(),
                        prompt.foil(),
                        prompt.task(),
                        prompt.differs(),
                        lines.get(i + 1)));
            }
            return Optional.of(rows);
        }
    }
}
