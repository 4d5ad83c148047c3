package dev.greenfield.report;

import java.util.List;
import java.util.Objects;

/**
 * A word for each pair of a row and a column, on the colour of a number from 0 to 1. Row 0 is drawn at the <em>bottom</em>, as in a
 * {@link HeatMap}. It is a table of the page: it reads without JavaScript, and one that is wider than the page scrolls in a box of its
 * own, with the names of its rows in place.
 *
 * @param title heading of the figure
 * @param caption what the figure shows; may be empty
 * @param rows R labels, from the bottom up
 * @param columns C labels, from left to right
 * @param cells R lists of C cells
 * @param valueName what the number is, for the legend
 * @param markName what is said of marked cells in the legend; empty where none is marked
 */
public record TokenGrid(
        String title,
        String caption,
        List<String> rows,
        List<String> columns,
        List<List<Cell>> cells,
        String valueName,
        String markName)
        implements Chart {

    /**
     * One cell.
     *
     * @param text the word
     * @param value 0 to 1; NaN for an empty cell
     * @param marked whether it stands out
     * @param detail lines that are shown of the selected cell
     */
    public record Cell(String text, double value, boolean marked, List<String> detail) {
        /**
         * Checks and copies.
         *
         * @throws IllegalArgumentException if the value is not from 0 to 1
         */
        public Cell {
            Objects.requireNonNull(text, "text");
            if (value < 0 || value > 1) {
                throw new IllegalArgumentException("cell \"" + text + "\" has value " + value + ", expected 0 to 1");
            }
            detail = List.copyOf(detail);
        }

        /** A cell of which nothing is known. */
        public static Cell empty() {
            return new Cell("", Double.NaN, false, List.of());
        }
    }

    /**
     * Checks shapes and copies.
     *
     * @throws IllegalArgumentException if cells and labels disagree in number
     */
    public TokenGrid {
        Objects.requireNonNull(title, "title");
        Objects.requireNonNull(caption, "caption");
        Objects.requireNonNull(valueName, "valueName");
        Objects.requireNonNull(markName, "markName");
        rows = List.copyOf(rows);
        columns = List.copyOf(columns);
        cells = cells.stream().map(List::copyOf).toList();
        String owner = "token grid \"" + title + "\"";
        Shapes.sameLength(owner, "rows", rows.size(), "cells", cells.size());
        for (List<Cell> row : cells) {
            Shapes.sameLength(owner, "columns", columns.size(), "a row of cells", row.size());
        }
    }
}
