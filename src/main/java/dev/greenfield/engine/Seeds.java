package dev.greenfield.engine;

import dev.greenfield.lattice.HalfDepth;
import java.util.ArrayList;
import java.util.List;

/**
 * What enters a sweep: per column (one tangent, cotangent or patched run) one or more vectors, each at a level and a token. A column exists from its first seed on, in the sweep's direction.
 */
public final class Seeds {
    /** One vector [D] of one column. */
    record Seed(int column, HalfDepth level, int token, SeedVector vector) {}

    private final List<Seed> seeds = new ArrayList<>();
    private int columns;

    /** Starts a new column and returns its number; the first is 0. */
    public int column() {
        return columns++;
    }

    /**
     * Adds a vector to a column.
     *
     * @param column as {@link #column()} returned it
     * @param level where it enters
     * @param token likewise
     * @param vector [D]; not copied
     */
    public Seeds add(int column, HalfDepth level, int token, double[] vector) {
        return add(column, level, token, SeedVector.of(vector));
    }

    /** Likewise, with a vector in any form. */
    public Seeds add(int column, HalfDepth level, int token, SeedVector vector) {
        if (column < 0 || column >= columns) {
            throw new IllegalArgumentException("column " + column + " of " + columns);
        }
        seeds.add(new Seed(column, level, token, vector));
        return this;
    }

    /** A new column with one vector; returns the column. */
    public int column(HalfDepth level, int token, double[] vector) {
        return column(level, token, SeedVector.of(vector));
    }

    /** Likewise, with a vector in any form. */
    public int column(HalfDepth level, int token, SeedVector vector) {
        int column = column();
        add(column, level, token, vector);
        return column;
    }

    /** Number of columns. */
    public int columns() {
        return columns;
    }

    List<Seed> all() {
        return seeds;
    }
}
