package dev.greenfield.spark;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.failure.InputException;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.response.SweepMode;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsWriter;
import dev.greenfield.safetensors.Tensor;
import dev.greenfield.statistics.RandomStreams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The response maps of many prompts. A prompt's map is the one that {@code map --suite} makes of it on one machine: to the bit where the
 * backend, the precision and the memory budget are the same. Immutable: each method returns changed settings.
 *
 * <pre>{@code
 * Dataset<Row> rows = ResponseMaps.over(prompts, ModelSpec.of("gpt2")).probes(16).write("/shared/maps");
 * }</pre>
 */
public final class ResponseMaps {
    private final Dataset<Row> prompts;
    private final ModelSpec model;
    private final int probes; // 0 for an exact map
    private final boolean halfDepths;
    private final SweepMode mode;
    private final long seed;
    private final int each;

    private ResponseMaps(
            Dataset<Row> prompts,
            ModelSpec model,
            int probes,
            boolean halfDepths,
            SweepMode mode,
            long seed,
            int each) {
        this.prompts = prompts;
        this.model = model;
        this.probes = probes;
        this.halfDepths = halfDepths;
        this.mode = mode;
        this.seed = seed;
        this.each = each;
    }

    /**
     * Maps of all sites from 16 probes a site, seed 0, 32 prompts a part.
     *
     * @param prompts rows whose columns are the keys of a suite's file, and {@code number} where the order of the rows does not number
     *     them; see docs/reference.md
     */
    public static ResponseMaps over(Dataset<Row> prompts, ModelSpec model) {
        return new ResponseMaps(
                Objects.requireNonNull(prompts, "prompts"),
                Objects.requireNonNull(model, "model"),
                16,
                false,
                SweepMode.AUTO,
                0,
                SparkWork.PROMPTS_A_PART);
    }

    /** Estimates from {@code k} random directions a site, at least 2. */
    public ResponseMaps probes(int k) {
        if (k < 2) {
            throw new InputException(k + " probes: expected at least 2, since a standard error needs them");
        }
        return new ResponseMaps(prompts, model, k, halfDepths, mode, seed, each);
    }

    /** All directions of each site: no estimate. */
    public ResponseMaps exact() {
        return new ResponseMaps(prompts, model, 0, halfDepths, mode, seed, each);
    }

    /** Half depths as well, after each attention. */
    public ResponseMaps halfDepths() {
        return new ResponseMaps(prompts, model, probes, true, mode, seed, each);
    }

    /** Forward, adjoint or, when nothing is said, the cheaper of the two. */
    public ResponseMaps mode(SweepMode wanted) {
        return new ResponseMaps(prompts, model, probes, halfDepths, wanted, seed, each);
    }

    /** The seed of which the directions of each prompt follow, by its number. */
    public ResponseMaps seed(long value) {
        return new ResponseMaps(prompts, model, probes, halfDepths, mode, value, each);
    }

    /** How many prompts a task computes and a file holds: what is lost when an executor dies, at most. */
    public ResponseMaps promptsAPart(int count) {
        return new ResponseMaps(prompts, model, probes, halfDepths, mode, seed, count);
    }

    /**
     * Computes what is not there yet.
     *
     * @param folder on a file system that all machines share
     * @return a row a prompt, in the order of their numbers, from {@code folder/rows}: {@code number}, {@code length} (T), {@code levels},
     *     {@code largest_level}, {@code largest_token} and {@code largest} (the source with the largest response of the whole last
     *     level, and that), {@code path}, {@code dtype}, {@code offset} and {@code stderr_offset} (bytes of the file at which the norms
     *     and their standard errors [levels, T, levels, T] begin; the second null for exact maps), {@code backend}, {@code device}
     * @throws InputException if the rows cannot be read as prompts, or another job works in the folder
     */
    public Dataset<Row> write(String folder) throws IOException {
        Path where = SparkWork.folder(folder);
        PromptReader reader = new PromptReader(model, PromptReader.Needs.PROMPT);
        return SparkWork.run(prompts, model, reader, plan -> new Part(probes, halfDepths, mode, seed), each, where);
    }

    /**
     * Mean and variance over the prompts of each length, pair of sites by pair, to the bit those of {@code map --suite}: each task takes
     * the sources of one level and reads of every map that part, in the order of the prompts' numbers. No map is held whole, and the
     * driver sees none.
     *
     * @param rows that {@link #write} returned, or some of them
     * @param folder on a file system that all machines share; what is there is replaced
     * @return a row a length and source level: {@code length} (T), {@code levels}, {@code source_level}, {@code prompts}, {@code path},
     *     {@code dtype}, {@code offset} and {@code variance_offset} (bytes of the file at which mean and variance [T, levels, T] begin;
     *     the second null for one prompt)
     */
    public static Dataset<Row> statistics(Dataset<Row> rows, String folder) throws IOException {
        return MapMeans.write(rows, SparkWork.folder(folder));
    }

    /** What a task does. */
    private static final class Part extends TensorPart {
        private static final StructType SCHEMA = new StructType()
                .add(PromptReader.NUMBER, DataTypes.IntegerType, false)
                .add("length", DataTypes.IntegerType, false)
                .add("levels", DataTypes.IntegerType, false)
                .add("largest_level", DataTypes.IntegerType, false)
                .add("largest_token", DataTypes.IntegerType, false)
                .add("largest", DataTypes.DoubleType, false)
                .add("path", DataTypes.StringType, false)
                .add("dtype", DataTypes.StringType, false)
                .add("offset", DataTypes.LongType, false)
                .add("stderr_offset", DataTypes.LongType, true)
                .add("backend", DataTypes.StringType, false)
                .add("device", DataTypes.StringType, false);

        private final int probes;
        private final boolean halfDepths;
        private final SweepMode mode;
        private final long seed;

        Part(int probes, boolean halfDepths, SweepMode mode, long seed) {
            this.probes = probes;
            this.halfDepths = halfDepths;
            this.mode = mode;
            this.seed = seed;
        }

        @Override
        public String name() {
            return "map";
        }

        @Override
        public String settings() {
            return "probes " + probes + ", half depths " + halfDepths + ", mode " + mode + ", seed " + seed;
        }

        @Override
        public StructType schema() {
            return SCHEMA;
        }

        private static String norms(Prompt prompt) {
            return "map.frobenius." + prompt.number();
        }

        private static String errors(Prompt prompt) {
            return "map.stderr." + prompt.number();
        }

        @Override
        void declare(SafetensorsWriter.Builder file, DType type, Model model, Prompt prompt) {
            long levels = (halfDepths ? 2L : 1) * model.config().layers() + 1;
            long[] shape = {levels, prompt.length(), levels, prompt.length()};
            file.tensor(norms(prompt), type, shape);
            if (probes > 0) {
                file.tensor(errors(prompt), type, shape);
            }
        }

        @Override
        void compute(SafetensorsWriter file, DType type, Model model, Prompt prompt) throws IOException {
            try (Run run = model.run(prompt.tokens())) {
                MapRequest request = run.responseMap()
                        .seed(RandomStreams.prompt(seed, prompt.number()))
                        .mode(mode);
                if (halfDepths) {
                    request.halfDepths();
                }
                ResponseMap map = (probes == 0 ? request.exact() : request.probes(probes)).compute();
                file.write(map.frobenius());
                if (probes > 0) {
                    file.write(map.standardErrors());
                }
            }
        }

        @Override
        List<Row> rows(Safetensors file, Prompt prompt) throws IOException {
            Tensor tensor = file.tensor(norms(prompt));
            int levels = Math.toIntExact(tensor.shape()[0]);
            int tokens = prompt.length();
            double[] norms = tensor.toDoubles();
            int largest = 0;
            double most = -1;
            for (int source = 0; source < levels * tokens; source++) {
                double reach = reach(norms, source, levels, tokens);
                if (reach > most) {
                    most = reach;
                    largest = source;
                }
            }
            return List.of(RowFactory.create(
                    prompt.number(),
                    tokens,
                    levels,
                    largest / tokens,
                    largest % tokens,
                    most,
                    file.origin(),
                    tensor.dtype().name(),
                    tensor.offset(),
                    probes == 0 ? null : file.tensor(errors(prompt)).offset(),
                    file.metadata().get(BACKEND),
                    file.metadata().get(DEVICE)));
        }

        /** The norm of a source's response over all tokens of the last level. */
        private static double reach(double[] norms, int source, int levels, int tokens) {
            double sum = 0;
            int last = (source * levels + levels - 1) * tokens;
            for (int to = 0; to < tokens; to++) {
                sum += norms[last + to] * norms[last + to];
            }
            return Math.sqrt(sum);
        }
    }
}
