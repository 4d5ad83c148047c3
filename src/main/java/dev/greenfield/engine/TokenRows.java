package dev.greenfield.engine;

import dev.greenfield.failure.InputException;
import dev.greenfield.model.ModelSource;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Rows of the matrices that have one for each word or position. They stay in the model's file; the rows that were asked for last are
 * kept, since runs to be compared share most of their words.
 */
final class TokenRows {
    private static final int MOST_ELEMENTS = 1 << 20;

    private final ModelSource source;
    private final int width;
    private final Map<Key, double[]> kept;

    private record Key(String parameter, int row) {}

    TokenRows(ModelSource source) {
        this.source = source;
        this.width = source.config().width();
        int most = Math.max(1, MOST_ELEMENTS / width);
        this.kept = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Key, double[]> eldest) {
                return size() > most;
            }
        };
    }

    /**
     * A row, [D]; not to be changed.
     *
     * @throws dev.greenfield.failure.InputException if one of its numbers is not finite
     */
    synchronized double[] row(String parameter, int row) {
        return kept.computeIfAbsent(new Key(parameter, row), key -> {
            double[] values = new double[width];
            source.parameter(parameter).read((long) row * width, values, 0, width);
            requireFinite(parameter, values, width, (long) row * width);
            return values;
        });
    }

    /** Refuses numbers that would spread through every result. */
    static void requireFinite(String parameter, double[] values, int count, long from) {
        for (int i = 0; i < count; i++) {
            if (!Double.isFinite(values[i])) {
                throw notFinite(parameter, from + i, values[i]);
            }
        }
    }

    /** Likewise. */
    static void requireFinite(String parameter, float[] values, int count, long from) {
        for (int i = 0; i < count; i++) {
            if (!Float.isFinite(values[i])) {
                throw notFinite(parameter, from + i, values[i]);
            }
        }
    }

    private static InputException notFinite(String parameter, long element, double value) {
        return new InputException(parameter + ": element " + element + " is " + value
                + ", expected finite weights; the file is damaged or training diverged, use another checkpoint");
    }
}
