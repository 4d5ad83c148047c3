package dev.greenfield.report;

import java.util.List;
import java.util.Objects;

/**
 * Curves over a common pair of axes. A point that cannot be drawn (not finite, or not positive on a logarithmic axis)
 * breaks its curve, and the figure says how many there are.
 *
 * @param title heading of the figure
 * @param caption what the figure shows; may be empty
 * @param xName name of the horizontal axis, with its unit
 * @param yName name of the vertical axis, with its unit
 * @param logX whether the horizontal axis is logarithmic
 * @param logY whether the vertical axis is logarithmic
 * @param series the curves, in the order of the legend
 */
public record LineChart(
        String title, String caption, String xName, String yName, boolean logX, boolean logY, List<Series> series)
        implements Chart {

    /**
     * One curve.
     *
     * @param name its name in the legend
     * @param x N abscissae, in drawing order; copied
     * @param y N ordinates; copied
     * @param partner index of the curve that this one is to be compared with: it is drawn dashed in that one's colour; -1 for a
     *     curve of its own
     */
    // A curve is handed over and drawn, never compared: arrays spare callers the boxing.
    @SuppressWarnings("ArrayRecordComponent")
    public record Series(String name, double[] x, double[] y, int partner) {

        /** A curve of its own. */
        public Series(String name, double[] x, double[] y) {
            this(name, x, y, -1);
        }

        /**
         * Checks shapes and copies.
         *
         * @throws IllegalArgumentException if x and y differ in length
         */
        public Series {
            Objects.requireNonNull(name, "name");
            Shapes.sameLength("series \"" + name + "\"", "x", x.length, "y", y.length);
            x = x.clone();
            y = y.clone();
        }

        /** The abscissae, {@code [N]}: the series' own array, which must not be changed. */
        @Override
        public double[] x() {
            return x;
        }

        /** The ordinates, {@code [N]}: the series' own array, which must not be changed. */
        @Override
        public double[] y() {
            return y;
        }
    }

    /** Checks that nothing is missing and copies the list. */
    public LineChart {
        Objects.requireNonNull(title, "title");
        Objects.requireNonNull(caption, "caption");
        Objects.requireNonNull(xName, "xName");
        Objects.requireNonNull(yName, "yName");
        series = List.copyOf(series);
        for (Series s : series) {
            int partner = s.partner();
            if (partner != -1
                    && (partner < 0
                            || partner >= series.size()
                            || series.get(partner).partner() != -1)) {
                throw new IllegalArgumentException("series \"" + s.name() + "\" has partner " + partner
                        + ", expected -1 or the index of a curve of its own among " + series.size());
            }
        }
    }
}
