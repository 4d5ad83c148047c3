package dev.greenfield.spark;

import dev.greenfield.map.MapStatistics;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Aggregator;

/**
 * Mean and variance of the maps of any group of rows that {@link ResponseMaps#write} returned, of one length a group: by task, by answer,
 * by length. Statistics of parts are joined in the order in which they arrive, so that the last digits may differ from run to run; {@link
 * ResponseMaps#statistics} gives the same bits each time.
 *
 * <pre>{@code
 * rows.groupByKey((MapFunction<Row, Integer>) row -> row.getAs("length"), Encoders.INT()).agg(new MapAggregator().toColumn());
 * }</pre>
 */
public final class MapAggregator extends Aggregator<Row, MapAggregator.Sums, MapMoments> {
    /** Rows without anything in common but their shape. */
    public MapAggregator() {}

    /** Statistics on their way; null before the first row. */
    public static final class Sums implements Serializable {
        private MapStatistics statistics;
        private int levels;
        private int tokens;

        private MapStatistics of(int otherLevels, int otherTokens) {
            if (statistics == null) {
                levels = otherLevels;
                tokens = otherTokens;
                statistics = new MapStatistics(levels, tokens);
            }
            return statistics;
        }
    }

    @Override
    public Sums zero() {
        return new Sums();
    }

    /** Adds the map of a row. Maps of another shape than the first are refused: group by length. */
    @Override
    public Sums reduce(Sums sums, Row row) {
        int levels = row.getAs("levels");
        int tokens = row.getAs("length");
        try (TensorReader reader = new TensorReader()) {
            int pairs = Math.multiplyExact(levels * tokens, levels * tokens);
            sums.of(levels, tokens)
                    .add(reader.read(row.getAs("path"), row.getAs("dtype"), row.<Long>getAs("offset"), 0, pairs));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        return sums;
    }

    @Override
    public Sums merge(Sums one, Sums other) {
        if (other.statistics != null) {
            one.of(other.levels, other.tokens).combine(other.statistics);
        }
        return one;
    }

    @Override
    public MapMoments finish(Sums sums) {
        MapMoments moments = new MapMoments();
        moments.setLevels(sums.levels);
        moments.setLength(sums.tokens);
        moments.setPrompts(sums.statistics == null ? 0 : sums.statistics.count());
        moments.setMean(moments.getPrompts() == 0 ? new double[0] : sums.statistics.mean());
        moments.setVariance(moments.getPrompts() < 2 ? new double[0] : sums.statistics.variance());
        return moments;
    }

    @Override
    public Encoder<Sums> bufferEncoder() {
        return Encoders.javaSerialization(Sums.class);
    }

    @Override
    public Encoder<MapMoments> outputEncoder() {
        return Encoders.bean(MapMoments.class);
    }
}
