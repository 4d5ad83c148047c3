package dev.greenfield.spark;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.prediction.InterventionKind;
import dev.greenfield.prediction.PredictionMethod;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PredictionQuality;
import dev.greenfield.prediction.PromptPredictions;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsWriter;
import dev.greenfield.safetensors.Tensor;
import dev.greenfield.statistics.RandomStreams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Measured against predicted changes of F over many prompts, as {@code predict} finds them: of every kind of intervention on every
 * component, by every method of the plan. Immutable.
 */
public final class Predictions {
    private final Dataset<Row> prompts;
    private final ModelSpec model;
    private final PredictionPlan plan;
    private final int each;

    private Predictions(Dataset<Row> prompts, ModelSpec model, PredictionPlan plan, int each) {
        this.prompts = prompts;
        this.model = model;
        this.plan = plan;
        this.each = each;
    }

    /**
     * Predictions of the usual plan, 32 prompts a part.
     *
     * @param prompts rows whose columns are the keys of a suite's file, {@code answer} among them, and {@code corrupt} where the plan has
     *     patches; see docs/reference.md
     */
    public static Predictions over(Dataset<Row> prompts, ModelSpec model) {
        return new Predictions(
                Objects.requireNonNull(prompts, "prompts"),
                Objects.requireNonNull(model, "model"),
                PredictionPlan.defaults(),
                SparkWork.PROMPTS_A_PART);
    }

    /** Other interventions, components and methods, another seed. */
    public Predictions plan(PredictionPlan wanted) {
        return new Predictions(prompts, model, Objects.requireNonNull(wanted, "plan"), each);
    }

    /** How many prompts a task computes, holds in memory and writes into a file. */
    public Predictions promptsAPart(int count) {
        return new Predictions(prompts, model, plan, count);
    }

    /**
     * Computes what is not there yet.
     *
     * @param folder on a file system that all machines share
     * @return rows of a prompt, kind, component and method, in the order of the prompts' numbers, from {@code folder/rows}: {@code
     *     number}, {@code kind}, {@code component}, {@code method}, {@code interventions}, {@code unchanged} (of these, how many change
     *     nothing; they take part in no measure), {@code pearson}, {@code spearman}, {@code r_squared}, {@code relative_error}, {@code
     *     sign_agreement}, {@code top_overlap} and {@code median_relative_error} over the others (NaN where not defined), {@code path},
     *     {@code dtype}, {@code sites} (n), {@code site_offset} (bytes of the file at which row and token of each begin, [n, 2]), {@code
     *     measured_offset} and {@code predicted_offset} (likewise the changes, [n])
     * @throws dev.greenfield.failure.InputException if the rows cannot be read as prompts, or another job works in the folder
     */
    public Dataset<Row> write(String folder) throws IOException {
        Path where = SparkWork.folder(folder);
        PromptReader reader =
                new PromptReader(model, plan.needsDonor() ? PromptReader.Needs.PAIR : PromptReader.Needs.ANSWER);
        return SparkWork.run(prompts, model, reader, prompts -> new Part(plan), each, where);
    }

    /**
     * What the rows say over all their prompts, with 95 % bootstrap intervals: to the bit what {@code predict} finds in the results'
     * {@code rows}. Each task sums up one kind, component and method.
     *
     * @param rows that {@link #write} returned, or those of some prompts
     * @param seed of the resamples
     * @return {@code kind}, {@code component}, {@code method}, {@code interventions}, {@code unchanged}, {@code sites}, {@code compared},
     *     {@code prompts}, and as in {@link dev.greenfield.prediction.PredictionSummary} its estimates, each a {@code value}, {@code low}
     *     and {@code high}, and {@code permutation_p}
     */
    public static Dataset<Row> summaries(Dataset<Row> rows, long seed) {
        return PredictionSummaries.of(rows, seed);
    }

    /** What a task does. */
    private static final class Part extends TensorPart {
        private static final StructType SCHEMA = new StructType()
                .add(PromptReader.NUMBER, DataTypes.IntegerType, false)
                .add("kind", DataTypes.StringType, false)
                .add("component", DataTypes.StringType, false)
                .add("method", DataTypes.StringType, false)
                .add("interventions", DataTypes.LongType, false)
                .add("unchanged", DataTypes.LongType, false)
                .add("pearson", DataTypes.DoubleType, false)
                .add("spearman", DataTypes.DoubleType, false)
                .add("r_squared", DataTypes.DoubleType, false)
                .add("relative_error", DataTypes.DoubleType, false)
                .add("sign_agreement", DataTypes.DoubleType, false)
                .add("top_overlap", DataTypes.DoubleType, false)
                .add("median_relative_error", DataTypes.DoubleType, false)
                .add("path", DataTypes.StringType, false)
                .add("dtype", DataTypes.StringType, false)
                .add("sites", DataTypes.IntegerType, false)
                .add("site_offset", DataTypes.LongType, false)
                .add("measured_offset", DataTypes.LongType, false)
                .add("predicted_offset", DataTypes.LongType, false);

        private final PredictionPlan plan;
        private transient Map<Integer, PromptPredictions> found; // declared and not yet written, by number

        Part(PredictionPlan plan) {
            this.plan = plan;
        }

        @Override
        public String name() {
            return "predict";
        }

        @Override
        public String settings() {
            return plan.toString();
        }

        @Override
        public StructType schema() {
            return SCHEMA;
        }

        private static String prefix(Prompt prompt, String kind, String component) {
            return "predict." + prompt.number() + "." + kind + "." + component;
        }

        /** How many interventions change something only shows when all are measured. Sums are of these doubles: no rounding. */
        @Override
        void declare(SafetensorsWriter.Builder file, DType type, Model model, Prompt prompt) {
            PromptPredictions predictions = predictions(model, prompt);
            for (PromptPredictions.Case one : predictions.cases()) {
                String name = prefix(prompt, one.kind().label(), one.component().label());
                int n = one.idle().length - one.idles();
                file.tensor(name + ".unchanged", DType.F64)
                        .tensor(name + ".sites", DType.F64, n, 2)
                        .tensor(name + ".measured", DType.F64, n);
                for (PredictionMethod method : one.predicted().keySet()) {
                    file.tensor(name + "." + method.label(), DType.F64, n);
                }
            }
            if (found == null) {
                found = new HashMap<>();
            }
            found.put(prompt.number(), predictions);
        }

        private PromptPredictions predictions(Model model, Prompt prompt) {
            PredictionPlan own = plan.seed(RandomStreams.prompt(plan.seed(), prompt.number()));
            try (Run run = model.run(prompt.tokens());
                    Run donor = prompt.corrupt() == null ? null : model.run(prompt.corrupt())) {
                return run.predictions(donor, prompt.observable(), own);
            }
        }

        @Override
        void compute(SafetensorsWriter file, DType type, Model model, Prompt prompt) throws IOException {
            for (PromptPredictions.Case one : found.remove(prompt.number()).cases()) {
                file.write(new double[] {one.idles()});
                file.write(sites(one));
                file.write(one.activeMeasured());
                for (PredictionMethod method : one.predicted().keySet()) {
                    file.write(one.activePredicted(method));
                }
            }
        }

        private static double[] sites(PromptPredictions.Case one) {
            double[] sites = new double[2 * (one.idle().length - one.idles())];
            int n = 0;
            for (int i = 0; i < one.idle().length; i++) {
                if (!one.idle()[i]) {
                    int row = i / one.tokens();
                    sites[n++] = row;
                    sites[n++] = i - row * one.tokens();
                }
            }
            return sites;
        }

        @Override
        List<Row> rows(Safetensors file, Prompt prompt) throws IOException {
            List<Row> rows = new ArrayList<>();
            for (InterventionKind kind : plan.kinds()) {
                for (var component : plan.components()) {
                    String name = prefix(prompt, kind.label(), component.label());
                    for (PredictionMethod method : plan.methods()) {
                        if (method.predicts(kind)) {
                            rows.add(row(file, prompt.number(), name, kind.label(), component.label(), method));
                        }
                    }
                }
            }
            return rows;
        }

        private static Row row(
                Safetensors file, int number, String name, String kind, String component, PredictionMethod method)
                throws IOException {
            Tensor measured = file.tensor(name + ".measured");
            Tensor predicted = file.tensor(name + "." + method.label());
            PredictionQuality quality = PredictionQuality.of(predicted.toDoubles(), measured.toDoubles());
            long unchanged = (long) file.tensor(name + ".unchanged").toDoubles()[0];
            return RowFactory.create(
                    number,
                    kind,
                    component,
                    method.label(),
                    quality.count() + unchanged,
                    unchanged,
                    quality.pearson(),
                    quality.spearman(),
                    quality.rSquared(),
                    quality.relativeError(),
                    quality.signAgreement(),
                    quality.topOverlap(),
                    quality.medianRelativeError(),
                    file.origin(),
                    measured.dtype().name(),
                    (int) quality.count(),
                    file.tensor(name + ".sites").offset(),
                    measured.offset(),
                    predicted.offset());
        }
    }
}
