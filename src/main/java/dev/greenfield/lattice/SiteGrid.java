package dev.greenfield.lattice;

import dev.greenfield.failure.InputException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Numbers over depths and tokens as people read them where results are printed: a few lines of text, and a table in HTML for notebooks, a
 * fragment without scripts and style sheets. Depths go up. NaN is what was not asked for.
 */
public final class SiteGrid {
    /** The most rows and columns of the text; larger grids are told by their largest sites. */
    private static final int MOST_ROWS = 13;

    private static final int MOST_COLUMNS = 12;

    private static final int LARGEST = 5;

    /** The most rows, and columns, of the table. */
    private static final int MOST_CELLS = 64;

    private static final int[] POSITIVE = {33, 102, 172};
    private static final int[] NEGATIVE = {178, 24, 43};
    /** Part of the largest number from which a cell is dark enough for white letters. */
    private static final double DARK = 0.6;

    private final String title;
    private final double[][] values;
    private final boolean halfDepths;

    /**
     * A grid.
     *
     * @param title what the numbers are
     * @param values of each level and token
     * @param halfDepths whether levels count half depths
     */
    public SiteGrid(String title, double[][] values, boolean halfDepths) {
        this.title = title;
        this.values = values;
        this.halfDepths = halfDepths;
    }

    private int tokens() {
        return values[0].length;
    }

    private String depth(int level) {
        return "depth " + HalfDepth.numbered(level, halfDepths);
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "-" : value == 0 ? "0" : String.format(Locale.ROOT, "%.3g", value);
    }

    /** The title and the numbers, or of a large grid its largest; lines without an end after the last. */
    public String text() {
        StringBuilder text = new StringBuilder(title);
        if (values.length > MOST_ROWS || tokens() > MOST_COLUMNS) {
            return largest(text).toString();
        }
        text.append(String.format(Locale.ROOT, "\n%-10s", "token"));
        for (int t = 0; t < tokens(); t++) {
            text.append(String.format(Locale.ROOT, " %9d", t));
        }
        for (int level = values.length - 1; level >= 0; level--) {
            text.append(String.format(Locale.ROOT, "\n%-10s", depth(level)));
            for (double value : values[level]) {
                text.append(String.format(Locale.ROOT, " %9s", number(value)));
            }
        }
        return text.toString();
    }

    private StringBuilder largest(StringBuilder text) {
        List<int[]> places = new ArrayList<>();
        for (int level = 0; level < values.length; level++) {
            for (int t = 0; t < tokens(); t++) {
                if (!Double.isNaN(values[level][t])) {
                    places.add(new int[] {level, t});
                }
            }
        }
        places.sort(Comparator.comparingDouble(at -> -Math.abs(values[at[0]][at[1]])));
        text.append(", the largest:");
        for (int[] at : places.subList(0, Math.min(LARGEST, places.size()))) {
            text.append(String.format(
                    Locale.ROOT, "\n%-10s token %-6d %s", depth(at[0]), at[1], number(values[at[0]][at[1]])));
        }
        return text;
    }

    /**
     * The same as a table whose cells are coloured by their numbers. Of more than 64 tokens or levels the last ones are shown.
     *
     * @param heading what stands above it
     * @param tokenText what the tokens read; empty for their numbers alone
     * @throws InputException if there is another number of texts than of tokens
     */
    public String html(String heading, List<String> tokenText) {
        if (!tokenText.isEmpty() && tokenText.size() != tokens()) {
            throw new InputException("found " + tokenText.size() + " texts of tokens, expected " + tokens()
                    + ": give those of the run that this is of");
        }
        int firstLevel = Math.max(0, values.length - MOST_CELLS);
        int firstToken = Math.max(0, tokens() - MOST_CELLS);
        double most = largest();
        StringBuilder html =
                new StringBuilder("<div><p>" + escaped(heading) + "</p><table style=\"font-size:smaller\"><caption>");
        html.append(escaped(title));
        if (firstLevel > 0 || firstToken > 0) {
            html.append("; shown are the last ").append(MOST_CELLS).append(" levels and tokens at most");
        }
        html.append("</caption><tr><th></th>");
        for (int t = firstToken; t < tokens(); t++) {
            html.append("<th>").append(t);
            if (!tokenText.isEmpty()) {
                html.append("<br/>").append(escaped(tokenText.get(t).strip()));
            }
            html.append("</th>");
        }
        html.append("</tr>");
        for (int level = values.length - 1; level >= firstLevel; level--) {
            html.append("<tr><th>").append(depth(level)).append("</th>");
            for (int t = firstToken; t < tokens(); t++) {
                cell(html, level, t, most);
            }
            html.append("</tr>");
        }
        return html.append("</table></div>").toString();
    }

    private double largest() {
        double most = 0;
        for (double[] row : values) {
            for (double value : row) {
                most = Double.isFinite(value) ? Math.max(most, Math.abs(value)) : most;
            }
        }
        return most;
    }

    private void cell(StringBuilder html, int level, int token, double most) {
        double value = values[level][token];
        double part = most == 0 || !Double.isFinite(value) ? 0 : Math.abs(value) / most;
        int[] full = value < 0 ? NEGATIVE : POSITIVE;
        html.append(String.format(
                Locale.ROOT,
                "<td style=\"text-align:right;background:rgb(%d,%d,%d);color:%s\" title=\"%s, token %d\">%s</td>",
                shade(full[0], part),
                shade(full[1], part),
                shade(full[2], part),
                part > DARK ? "white" : "black",
                depth(level),
                token,
                number(value)));
    }

    private static long shade(int full, double part) {
        return Math.round(255 - part * (255 - full));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
