package dev.greenfield.report;

import java.util.List;
import java.util.Objects;

/**
 * Points, such as measured against predicted changes. A point that is not finite is left out, and the figure says how
 * many there are.
 *
 * @param title heading of the figure
 * @param caption what the figure shows; may be empty
 * @param xName name of the horizontal axis, with its unit
 * @param yName name of the vertical axis, with its unit
 * @param x N abscissae; copied
 * @param y N ordinates; copied
 * @param labels a label for each point, shown in its tooltip, or an empty list
 * @param identityLine whether to draw y = x; both axes then cover the same range on a square
 */
// A chart is handed over and drawn, never compared: arrays spare callers the boxing.
@SuppressWarnings("ArrayRecordComponent")
public record ScatterChart(
        String title,
        String caption,
        String xName,
        String yName,
        double[] x,
        double[] y,
        List<String> labels,
        boolean identityLine)
        implements Chart {

    /**
     * Checks shapes and copies.
     *
     * @throws IllegalArgumentException if x, y and a list of labels that is not empty differ in length
     */
    public ScatterChart {
        Objects.requireNonNull(title, "title");
        Objects.requireNonNull(caption, "caption");
        Objects.requireNonNull(xName, "xName");
        Objects.requireNonNull(yName, "yName");
        labels = List.copyOf(labels);
        String owner = "scatter chart \"" + title + "\"";
        Shapes.sameLength(owner, "x", x.length, "y", y.length);
        if (!labels.isEmpty()) {
            Shapes.sameLength(owner, "x", x.length, "labels", labels.size());
        }
        x = x.clone();
        y = y.clone();
    }

    /** The abscissae, {@code [N]}: the chart's own array, which must not be changed. */
    @Override
    public double[] x() {
        return x;
    }

    /** The ordinates, {@code [N]}: the chart's own array, which must not be changed. */
    @Override
    public double[] y() {
        return y;
    }
}
