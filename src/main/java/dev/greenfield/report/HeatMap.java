package dev.greenfield.report;

import java.util.List;
import java.util.Objects;

/**
 * One value for each pair of a row and a column, drawn as coloured cells. Row 0 is drawn at the <em>bottom</em>: with
 * depths as rows and tokens as columns, the field grows upward from the embedding.
 *
 * <p>Three kinds of cell are told apart from ordinary values: NaN (undefined, or zero by structure) is left blank, an
 * exact zero is grey with a dot, and an infinity is black with its sign.
 *
 * @param title heading of the figure
 * @param caption what the figure shows; may be empty
 * @param rows R labels, from the bottom up
 * @param columns C labels, from left to right; {@link TokenLabels} makes good ones for tokens
 * @param values {@code [R][C]}; copied
 * @param scale how values become colours
 * @param valueName what a value is, with its unit if it has one: the heading of the colour bar and of tooltips
 * @param comparison maps of a page that have this name in common are to be compared: they share one range of colours, unless
 *     the reader asks for their own, and a cell that is selected in one is so in all. Empty for a map by itself
 */
// A chart is handed over and drawn, never compared: arrays spare callers the boxing.
@SuppressWarnings("ArrayRecordComponent")
public record HeatMap(
        String title,
        String caption,
        List<String> rows,
        List<String> columns,
        double[][] values,
        Scale scale,
        String valueName,
        String comparison)
        implements Chart {

    /** A map by itself. */
    public HeatMap(
            String title,
            String caption,
            List<String> rows,
            List<String> columns,
            double[][] values,
            Scale scale,
            String valueName) {
        this(title, caption, rows, columns, values, scale, valueName, "");
    }

    /** This map as one of those that share the name of a comparison. */
    public HeatMap comparedAs(String name) {
        return new HeatMap(title, caption, rows, columns, values, scale, valueName, name);
    }

    /** How values become colours. */
    public enum Scale {
        /** From the smallest to the largest value, dark to bright. */
        SEQUENTIAL,
        /** Blue below zero, white at zero, red above; both ends at the largest absolute value. */
        DIVERGING,
        /** Logarithm of the value, dark to bright. Values must not be negative; exact zeros are off the scale. */
        LOG
    }

    /**
     * Checks shapes and copies.
     *
     * @throws IllegalArgumentException if values and labels disagree in number, or a value is negative on a log scale
     */
    public HeatMap {
        Objects.requireNonNull(title, "title");
        Objects.requireNonNull(caption, "caption");
        Objects.requireNonNull(scale, "scale");
        Objects.requireNonNull(valueName, "valueName");
        Objects.requireNonNull(comparison, "comparison");
        rows = List.copyOf(rows);
        columns = List.copyOf(columns);
        values = Shapes.copyGrid("heat map \"" + title + "\"", rows.size(), columns.size(), values);
        if (scale == Scale.LOG) {
            for (int r = 0; r < values.length; r++) {
                for (int c = 0; c < values[r].length; c++) {
                    if (values[r][c] < 0) {
                        throw new IllegalArgumentException("heat map \"" + title + "\": value " + values[r][c]
                                + " at row " + r + ", column " + c
                                + " has no logarithm; take absolute values or the DIVERGING scale");
                    }
                }
            }
        }
    }

    /** The values, {@code [R][C]}: the chart's own array, which must not be changed. */
    @Override
    public double[][] values() {
        return values;
    }
}
