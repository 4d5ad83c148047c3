package dev.greenfield.model;

import java.util.Objects;

/**
 * Queries, keys and values that a file keeps head by head, q k v of the first, then of the second: here all queries come first, then all
 * keys, then all values. It reads whole rows, so that rows are best read many at a time.
 *
 * @param stored [in, 3 H h] or [3 H h], with columns in the file's order
 * @param headWidth h
 */
record HeadByHead(Parameter stored, int headWidth) implements Parameter {
    @Override
    public String name() {
        return stored.name();
    }

    @Override
    public long[] shape() {
        return stored.shape();
    }

    /** Where the file keeps column j. */
    private int from(int j, int columns) {
        int part = j / (columns / 3);
        int head = j % (columns / 3) / headWidth;
        return (3 * head + part) * headWidth + j % headWidth;
    }

    @Override
    public void read(long from, double[] into, int at, int count) {
        Objects.checkFromIndexSize(from, count, ParameterLayout.elements(shape()));
        Objects.checkFromIndexSize(at, count, into.length);
        if (count == 0) {
            return;
        }
        int columns = (int) shape()[shape().length - 1];
        long first = from / columns * columns;
        int span = Math.toIntExact((from + count - first + columns - 1) / columns * columns);
        double[] rows = new double[span];
        stored.read(first, rows, 0, span);
        for (int i = 0; i < count; i++) {
            int element = (int) (from - first) + i;
            int column = element % columns;
            into[at + i] = rows[element - column + from(column, columns)];
        }
    }

    @Override
    public void read(long from, float[] into, int at, int count) {
        double[] values = new double[count];
        read(from, values, 0, count);
        for (int i = 0; i < count; i++) {
            into[at + i] = (float) values[i];
        }
    }
}
