package dev.greenfield.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sequence;

import dev.greenfield.map.SourceLevelStatistics;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.spark.api.java.function.FlatMapGroupsFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Statistics of maps by length. Welford's recurrence of a pair of sites sees no other pair, so that the levels of the sources can be
 * shared among tasks and still give the bits of one machine, as long as each takes the prompts in order.
 */
final class MapMeans {
    private static final String LEVEL = "source_level";
    private static final StructType SCHEMA = new StructType()
            .add("length", DataTypes.IntegerType, false)
            .add("levels", DataTypes.IntegerType, false)
            .add(LEVEL, DataTypes.IntegerType, false)
            .add("prompts", DataTypes.LongType, false)
            .add("path", DataTypes.StringType, false)
            .add("dtype", DataTypes.StringType, false)
            .add("offset", DataTypes.LongType, false)
            .add("variance_offset", DataTypes.LongType, true);

    private MapMeans() {}

    static Dataset<Row> write(Dataset<Row> rows, Path folder) throws IOException {
        String parts = Files.createDirectories(folder.resolve("parts")).toString();
        String table = SparkWork.uri(folder.resolve("rows"));
        rows.select(
                        col("length"),
                        col("levels"),
                        explode(sequence(lit(0), col("levels").minus(1))).as(LEVEL),
                        col(PromptReader.NUMBER),
                        col("path"),
                        col("dtype"),
                        col("offset"))
                .groupByKey((MapFunction<Row, String>) MapMeans::key, Encoders.STRING())
                .flatMapSortedGroups(
                        new Column[] {col(PromptReader.NUMBER)},
                        (FlatMapGroupsFunction<String, Row, Row>) (key, maps) -> group(maps, parts),
                        Encoders.row(SCHEMA))
                .write()
                .mode(SaveMode.Overwrite)
                .parquet(table);
        return rows.sparkSession().read().parquet(table).orderBy("length", LEVEL);
    }

    /** Maps of other shapes or levels have statistics of their own, and those in half depths other levels. */
    private static String key(Row row) {
        return String.format(
                Locale.ROOT,
                "length-%05d-levels-%03d-from-%03d",
                row.<Integer>getAs("length"),
                row.<Integer>getAs("levels"),
                row.<Integer>getAs(LEVEL));
    }

    private static Iterator<Row> group(Iterator<Row> maps, String parts) throws IOException {
        Row row = maps.next();
        int length = row.getAs("length");
        int levels = row.getAs("levels");
        int level = row.getAs(LEVEL);
        DType type = DType.valueOf(row.getAs("dtype"));
        int pairs = length * levels * length;
        SourceLevelStatistics statistics = new SourceLevelStatistics(levels, length);
        try (TensorReader reader = new TensorReader()) {
            for (Row map = row; ; map = maps.next()) {
                statistics.add(reader.read(
                        map.getAs("path"), map.getAs("dtype"), map.<Long>getAs("offset"), (long) level * pairs, pairs));
                if (!maps.hasNext()) {
                    break;
                }
            }
        }
        return List.of(write(statistics, Path.of(parts), key(row), length, levels, level, type))
                .iterator();
    }

    private static Row write(
            SourceLevelStatistics statistics, Path parts, String key, int length, int levels, int level, DType type)
            throws IOException {
        Path path = parts.resolve(key + ".safetensors");
        String mean = "map.mean." + length + "." + level;
        String variance = "map.variance." + length + "." + level;
        boolean several = statistics.count() > 1;
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(path).tensor(mean, type, length, levels, length);
        if (several) {
            builder.tensor(variance, type, length, levels, length);
        }
        try (SafetensorsWriter file = builder.open()) {
            file.write(statistics.mean());
            if (several) {
                file.write(statistics.variance());
            }
            file.commit();
        }
        try (Safetensors file = Safetensors.open(path)) {
            return RowFactory.create(
                    length,
                    levels,
                    level,
                    statistics.count(),
                    path.toString(),
                    type.name(),
                    file.tensor(mean).offset(),
                    several ? file.tensor(variance).offset() : null);
        }
    }
}
