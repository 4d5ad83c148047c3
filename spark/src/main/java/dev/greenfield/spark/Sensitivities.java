package dev.greenfield.spark;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.lattice.Field;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsWriter;
import dev.greenfield.safetensors.Tensor;
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
 * The sensitivities of many prompts: of each the field dF/dR[l][t] that {@code sensitivity} finds, F being logit(answer) - logit(foil),
 * or the answer's logit where there is no foil. Immutable.
 */
public final class Sensitivities {
    private final Dataset<Row> prompts;
    private final ModelSpec model;
    private final int each;

    private Sensitivities(Dataset<Row> prompts, ModelSpec model, int each) {
        this.prompts = prompts;
        this.model = model;
        this.each = each;
    }

    /**
     * Sensitivities, 32 prompts a part.
     *
     * @param prompts rows whose columns are the keys of a suite's file, {@code answer} among them; see docs/reference.md
     */
    public static Sensitivities over(Dataset<Row> prompts, ModelSpec model) {
        return new Sensitivities(
                Objects.requireNonNull(prompts, "prompts"),
                Objects.requireNonNull(model, "model"),
                SparkWork.PROMPTS_A_PART);
    }

    /** How many prompts a task computes and a file holds. */
    public Sensitivities promptsAPart(int count) {
        return new Sensitivities(prompts, model, count);
    }

    /**
     * Computes what is not there yet.
     *
     * @param folder on a file system that all machines share
     * @return a row a prompt, in the order of their numbers, from {@code folder/rows}: {@code number}, {@code length} (T), {@code value}
     *     (F), {@code largest_depth}, {@code largest_token} and {@code largest} (the most sensitive site, and |dF/dR| there), {@code
     *     path}, {@code dtype}, {@code offset} and {@code norm_offset} (bytes of the file at which the field [L+1, T, D] and its
     *     lengths [L+1, T] begin), {@code backend}, {@code device}
     * @throws dev.greenfield.failure.InputException if the rows cannot be read as prompts, or another job works in the folder
     */
    public Dataset<Row> write(String folder) throws IOException {
        Path where = SparkWork.folder(folder);
        PromptReader reader = new PromptReader(model, PromptReader.Needs.ANSWER);
        return SparkWork.run(prompts, model, reader, plan -> new Part(), each, where);
    }

    /** What a task does. */
    private static final class Part extends TensorPart {
        private static final StructType SCHEMA = new StructType()
                .add(PromptReader.NUMBER, DataTypes.IntegerType, false)
                .add("length", DataTypes.IntegerType, false)
                .add("value", DataTypes.DoubleType, false)
                .add("largest_depth", DataTypes.IntegerType, false)
                .add("largest_token", DataTypes.IntegerType, false)
                .add("largest", DataTypes.DoubleType, false)
                .add("path", DataTypes.StringType, false)
                .add("dtype", DataTypes.StringType, false)
                .add("offset", DataTypes.LongType, false)
                .add("norm_offset", DataTypes.LongType, false)
                .add("backend", DataTypes.StringType, false)
                .add("device", DataTypes.StringType, false);

        @Override
        public String name() {
            return "sensitivity";
        }

        @Override
        public String settings() {
            return "";
        }

        @Override
        public StructType schema() {
            return SCHEMA;
        }

        @Override
        void declare(SafetensorsWriter.Builder file, DType type, Model model, Prompt prompt) {
            long depths = model.config().layers() + 1L;
            file.tensor(
                            "sensitivity." + prompt.number(),
                            type,
                            depths,
                            prompt.length(),
                            model.config().width())
                    .tensor("sensitivity.norm." + prompt.number(), type, depths, prompt.length())
                    .tensor("value." + prompt.number(), DType.F64);
        }

        @Override
        void compute(SafetensorsWriter file, DType type, Model model, Prompt prompt) throws IOException {
            try (Run run = model.run(prompt.tokens())) {
                SensitivityField sensitivity = run.sensitivity(prompt.observable());
                Field field = sensitivity.field();
                file.write(field.toArray());
                for (double[] depth : sensitivity.norms()) {
                    file.write(depth);
                }
                file.write(new double[] {sensitivity.value()});
            }
        }

        @Override
        List<Row> rows(Safetensors file, Prompt prompt) throws IOException {
            Tensor field = file.tensor("sensitivity." + prompt.number());
            Tensor lengths = file.tensor("sensitivity.norm." + prompt.number());
            double[] norms = lengths.toDoubles();
            int largest = 0;
            for (int site = 1; site < norms.length; site++) {
                largest = norms[site] > norms[largest] ? site : largest;
            }
            return List.of(RowFactory.create(
                    prompt.number(),
                    prompt.length(),
                    file.tensor("value." + prompt.number()).toDoubles()[0],
                    largest / prompt.length(),
                    largest % prompt.length(),
                    norms[largest],
                    file.origin(),
                    field.dtype().name(),
                    field.offset(),
                    lengths.offset(),
                    file.metadata().get(BACKEND),
                    file.metadata().get(DEVICE)));
        }
    }
}
