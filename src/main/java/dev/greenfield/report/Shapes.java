package dev.greenfield.report;

import java.util.List;

/** Checks that numbers and labels fit each other, in one place so that the messages agree. */
final class Shapes {

    private Shapes() {}

    /**
     * Checks a grid against its labels and copies it.
     *
     * @param owner how messages name the chart
     * @throws IllegalArgumentException naming the first misfit
     */
    static double[][] copyGrid(String owner, int rows, int columns, double[][] values) {
        if (values.length != rows) {
            throw new IllegalArgumentException(owner + ": " + count(values.length, "row") + " of values for "
                    + count(rows, "row label") + "; give one row of values for each label");
        }
        double[][] copy = new double[rows][];
        for (int r = 0; r < rows; r++) {
            if (values[r].length != columns) {
                throw new IllegalArgumentException(owner + ": row " + r + " has " + count(values[r].length, "value")
                        + " for " + count(columns, "column label") + "; give one value for each label");
            }
            copy[r] = values[r].clone();
        }
        return copy;
    }

    /**
     * Checks that two parallel sequences have one length.
     *
     * @param owner how messages name the chart
     * @throws IllegalArgumentException if not
     */
    static void sameLength(String owner, String first, int firstLength, String second, int secondLength) {
        if (firstLength != secondLength) {
            throw new IllegalArgumentException(owner + ": " + first + " has length " + firstLength + " but " + second
                    + " has length " + secondLength + "; they must agree");
        }
    }

    /**
     * Checks that every row of a table is as wide as its header.
     *
     * @throws IllegalArgumentException naming the first misfit
     */
    static void checkTable(String caption, int columns, List<List<String>> rows) {
        for (int r = 0; r < rows.size(); r++) {
            if (rows.get(r).size() != columns) {
                throw new IllegalArgumentException("table \"" + caption + "\": row " + r + " has "
                        + count(rows.get(r).size(), "cell") + " under " + count(columns, "heading")
                        + "; give one cell for each heading");
            }
        }
    }

    private static String count(int n, String noun) {
        return n + " " + noun + (n == 1 ? "" : "s");
    }
}
