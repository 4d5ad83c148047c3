package dev.greenfield.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/** The line below a figure that explains its unusual cells, or says how many points could not be drawn. */
final class ChartNotes {

    private ChartNotes() {}

    /** The line as a paragraph, or nothing if there is nothing to say. */
    static String html(Chart chart) {
        List<String> notes = new ArrayList<>();
        if (chart instanceof HeatMap map) {
            if (cells(map).anyMatch(Double::isNaN)) {
                notes.add("<span><i></i>undefined, or zero by structure</span>");
            }
            if (cells(map).anyMatch(v -> v == 0)) {
                notes.add("<span><i class=\"zero\">\u00b7</i>exactly zero</span>");
            }
            if (cells(map).anyMatch(Double::isInfinite)) {
                notes.add("<span><i class=\"infinite\">\u221e</i>infinite</span>");
            }
        } else if (chart instanceof ResponseMapChart map) {
            notes.add("<span><i></i>exactly zero, as before the source, or not asked for</span>");
            if (map.dropped() > 0) {
                notes.add("<span>" + map.sources().size() + " of "
                        + (map.sources().size() + map.dropped())
                        + " sources can be selected, those of largest reach at every level: all would make the page too"
                        + " large</span>");
            }
        } else if (chart instanceof LineChart lines) {
            int lost = lines.series().stream()
                    .mapToInt(s -> undrawable(s.x(), s.y(), lines.logX(), lines.logY()))
                    .sum();
            addLost(notes, lost, lines.logX() || lines.logY());
        } else if (chart instanceof ScatterChart points) {
            addLost(notes, undrawable(points.x(), points.y(), false, false), false);
        }
        return notes.isEmpty() ? "" : "<p class=\"notes\">" + String.join("", notes) + "</p>";
    }

    private static DoubleStream cells(HeatMap map) {
        return Arrays.stream(map.values()).flatMapToDouble(DoubleStream::of);
    }

    private static int undrawable(double[] x, double[] y, boolean logX, boolean logY) {
        int lost = 0;
        for (int i = 0; i < x.length; i++) {
            boolean drawn =
                    Double.isFinite(x[i]) && Double.isFinite(y[i]) && !(logX && x[i] <= 0) && !(logY && y[i] <= 0);
            lost += drawn ? 0 : 1;
        }
        return lost;
    }

    private static void addLost(List<String> notes, int lost, boolean log) {
        if (lost > 0) {
            notes.add("<span>" + lost + (lost == 1 ? " point is" : " points are") + " not drawn: not finite"
                    + (log ? ", or not positive on a logarithmic axis" : "") + "</span>");
        }
    }
}
