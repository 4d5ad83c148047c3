package dev.greenfield.spark;

import dev.greenfield.failure.InputException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;

/**
 * Which prompt is in which part: the longest first, so that no long one is left for the end and prompts of a part are alike, and a fixed
 * number a part. It is written before anything is computed: a part that is computed twice is computed of the same prompts, whatever the
 * Dataset gives the second time.
 */
final class PromptPlan {
    /** The columns of a prompt. */
    static final StructType PROMPT = new StructType()
            .add(PromptReader.NUMBER, DataTypes.IntegerType, false)
            .add("tokens", DataTypes.createArrayType(DataTypes.IntegerType, false), false)
            .add("corrupt_tokens", DataTypes.createArrayType(DataTypes.IntegerType, false), true)
            .add("answer", DataTypes.StringType, true)
            .add("foil", DataTypes.StringType, true)
            .add("task", DataTypes.StringType, true)
            .add("differs_at_token", DataTypes.IntegerType, true);

    private static final StructType SCHEMA = PROMPT.add("part", DataTypes.IntegerType, false);

    private final JavaRDD<Tuple2<Integer, Prompt>> numbered;
    private final int parts;

    private PromptPlan(JavaRDD<Tuple2<Integer, Prompt>> numbered, int parts) {
        this.numbered = numbered;
        this.parts = parts;
    }

    /** Where the work of a part goes. */
    private static final class ByPart extends Partitioner {
        private final int parts;

        ByPart(int parts) {
            this.parts = parts;
        }

        @Override
        public int numPartitions() {
            return parts;
        }

        @Override
        public int getPartition(Object part) {
            return (Integer) part;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof ByPart same && same.parts == parts;
        }

        @Override
        public int hashCode() {
            return parts;
        }
    }

    /**
     * Reads, orders, cuts and writes.
     *
     * @param prompts as {@link PromptReader} reads them
     * @param each prompts of a part
     * @param folder for the plan's files; what is there is replaced
     * @throws InputException if there is no prompt, or two have one number
     */
    static PromptPlan write(Dataset<Row> prompts, PromptReader reader, int each, String folder) {
        reader.check(prompts.schema());
        SparkSession spark = prompts.sparkSession();
        JavaRDD<Prompt> read = prompts.toJavaRDD()
                .zipWithIndex()
                .map(row -> reader.read(row._1(), row._2()))
                .persist(StorageLevel.MEMORY_AND_DISK());
        try {
            long count = read.count();
            if (count == 0) {
                throw new InputException("the prompts have no row, expected at least one");
            }
            if (count / each >= Integer.MAX_VALUE) {
                throw new InputException(count + " prompts in parts of " + each + ": expected fewer than "
                        + Integer.MAX_VALUE + " parts, put more prompts into each");
            }
            requireOnce(read);
            int parts = (int) ((count + each - 1) / each);
            JavaRDD<Row> rows = read.sortBy(PromptPlan::order, true, Math.min(parts, read.getNumPartitions()))
                    .zipWithIndex()
                    .map(placed -> row((int) (placed._2() / each), placed._1()));
            spark.createDataFrame(rows, SCHEMA).write().mode(SaveMode.Overwrite).parquet(folder);
            return new PromptPlan(spark.read().parquet(folder).toJavaRDD().map(PromptPlan::placed), parts);
        } finally {
            read.unpersist(false);
        }
    }

    private static void requireOnce(JavaRDD<Prompt> read) {
        List<Tuple2<Integer, Integer>> twice = read.mapToPair(prompt -> new Tuple2<>(prompt.number(), 1))
                .reduceByKey(Integer::sum)
                .filter(number -> number._2() > 1)
                .take(1);
        if (!twice.isEmpty()) {
            throw new InputException("found " + twice.get(0)._2() + " prompts of the number "
                    + twice.get(0)._1() + ", expected each number once: leave the column '" + PromptReader.NUMBER
                    + "' out to number the rows in their order");
        }
    }

    /** Longest first, then by number. */
    private static long order(Prompt prompt) {
        return ((long) -prompt.length() << Integer.SIZE) | prompt.number();
    }

    private static Row row(int part, Prompt prompt) {
        return RowFactory.create(
                prompt.number(),
                prompt.tokens(),
                prompt.corrupt(),
                prompt.answer(),
                prompt.foil(),
                prompt.task(),
                prompt.differs(),
                part);
    }

    private static Tuple2<Integer, Prompt> placed(Row row) {
        return new Tuple2<>(row.getInt(PROMPT.size()), prompt(row));
    }

    /** The prompt of a row whose first columns are {@link #PROMPT}'s. */
    static Prompt prompt(Row row) {
        return new Prompt(
                row.getInt(0),
                ids(row, 1),
                row.isNullAt(2) ? null : ids(row, 2),
                row.getString(3),
                row.getString(4),
                row.getString(5),
                row.isNullAt(6) ? null : (Integer) row.getInt(6));
    }

    private static int[] ids(Row row, int column) {
        return row.<Integer>getList(column).stream().mapToInt(Integer::intValue).toArray();
    }

    int parts() {
        return parts;
    }

    /** Partition p has part p, in the plan's order. */
    JavaRDD<List<Prompt>> byPart() {
        return numbered.mapToPair(placed -> placed)
                .partitionBy(new ByPart(parts))
                .mapPartitions(
                        part -> {
                            List<Prompt> prompts = new ArrayList<>();
                            part.forEachRemaining(placed -> prompts.add(placed._2()));
                            prompts.sort(Comparator.comparingLong(PromptPlan::order));
                            return List.of(prompts).iterator();
                        },
                        true);
    }

    /** All prompts in the order of their numbers, on the driver. */
    List<Prompt> collect() {
        List<Prompt> all = new ArrayList<>(numbered.map(Tuple2::_2).collect());
        all.sort(Comparator.comparingInt(Prompt::number));
        return all;
    }

    /** What names a part's file. */
    static String name(int part) {
        return String.format(Locale.ROOT, "part-%06d", part);
    }
}
