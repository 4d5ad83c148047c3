package dev.greenfield.spark;

import static org.apache.spark.sql.functions.col;

import dev.greenfield.prediction.PredictionQuality;
import dev.greenfield.prediction.PredictionSummary;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapGroupsFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Qualities of predictions over prompts: one task a kind, component and method, which reads its changes back from the part files. */
final class PredictionSummaries {
    private static final StructType ESTIMATE = new StructType()
            .add("value", DataTypes.DoubleType, false)
            .add("low", DataTypes.DoubleType, false)
            .add("high", DataTypes.DoubleType, false);

    private static final StructType SCHEMA = new StructType()
            .add("kind", DataTypes.StringType, false)
            .add("component", DataTypes.StringType, false)
            .add("method", DataTypes.StringType, false)
            .add("interventions", DataTypes.LongType, false)
            .add("unchanged", DataTypes.LongType, false)
            .add("sites", DataTypes.LongType, false)
            .add("compared", DataTypes.LongType, false)
            .add("prompts", DataTypes.IntegerType, false)
            .add("pearson", ESTIMATE, false)
            .add("pearson_within", ESTIMATE, false)
            .add("spearman", ESTIMATE, false)
            .add("r_squared", ESTIMATE, false)
            .add("slope", ESTIMATE, false)
            .add("permutation_p", DataTypes.DoubleType, false)
            .add("relative_error", ESTIMATE, false)
            .add("sign_agreement", ESTIMATE, false)
            .add("top_overlap", ESTIMATE, false)
            .add("median_relative_error", ESTIMATE, false)
            .add("beyond_10", ESTIMATE, false)
            .add("beyond_20", ESTIMATE, false)
            .add("beyond_50", ESTIMATE, false);

    private PredictionSummaries() {}

    static Dataset<Row> of(Dataset<Row> rows, long seed) {
        return rows.groupByKey(
                        (MapFunction<Row, String>)
                                row -> row.getAs("kind") + "|" + row.getAs("component") + "|" + row.getAs("method"),
                        Encoders.STRING())
                .flatMapSortedGroups(
                        new Column[] {col(PromptReader.NUMBER)},
                        (FlatMapGroupsFunction<String, Row, Row>) (key, prompts) -> summary(key, prompts, seed),
                        Encoders.row(SCHEMA))
                .orderBy("kind", "component", "method");
    }

    private static Iterator<Row> summary(String key, Iterator<Row> prompts, long seed) throws IOException {
        long interventions = 0;
        long unchanged = 0;
        List<PredictionQuality> qualities = new ArrayList<>();
        try (TensorReader reader = new TensorReader()) {
            while (prompts.hasNext()) {
                Row row = prompts.next();
                interventions += row.<Long>getAs("interventions");
                unchanged += row.<Long>getAs("unchanged");
                qualities.add(PredictionQuality.of(
                        read(reader, row, "predicted_offset"), read(reader, row, "measured_offset")));
            }
        }
        PredictionSummary s = PredictionSummary.of(qualities, new Bootstrap(Bootstrap.RESAMPLES, seed));
        String[] names = key.split("\\|", -1);
        return List.of(RowFactory.create(
                        names[0],
                        names[1],
                        names[2],
                        interventions,
                        unchanged,
                        s.sites(),
                        s.compared(),
                        s.prompts(),
                        row(s.pearson()),
                        row(s.pearsonWithin()),
                        row(s.spearman()),
                        row(s.rSquared()),
                        row(s.slope()),
                        s.p(),
                        row(s.relativeError()),
                        row(s.signAgreement()),
                        row(s.topOverlap()),
                        row(s.medianRelativeError()),
                        row(s.beyond10()),
                        row(s.beyond20()),
                        row(s.beyond50())))
                .iterator();
    }

    private static double[] read(TensorReader reader, Row row, String offset) throws IOException {
        return reader.read(
                row.getAs("path"), row.getAs("dtype"), row.<Long>getAs(offset), 0, row.<Integer>getAs("sites"));
    }

    private static Row row(Estimate estimate) {
        return RowFactory.create(estimate.value(), estimate.low(), estimate.high());
    }
}
