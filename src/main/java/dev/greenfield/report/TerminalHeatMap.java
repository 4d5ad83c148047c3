package dev.greenfield.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoublePredicate;
import java.util.stream.DoubleStream;

/**
 * Heat maps of at most {@value #WIDTH} columns of text, or as many as a terminal has. Row 0 is at the bottom, as in {@link HeatMap}. Columns are headed
 * by their numbers, and a key below gives each number its label; a map too wide for the terminal is cut into panels.
 *
 * <p>In colour, a cell is a background from the 256-colour palette, an exact zero a dot on grey. Without colour the text is
 * pure ASCII: a map with negative values shows sign and tenths of the largest absolute value ({@code +9} is 90 to 100 %),
 * any other map a ramp of characters from sparse to dense. NaN is blank and an infinity is marked by its sign or {@code ^}.
 */
public final class TerminalHeatMap {

    /** No line is longer than this many columns, unless another width is asked for. */
    public static final int WIDTH = 110;

    /** Below this nothing can be drawn beside the labels. */
    private static final int NARROWEST = 40;

    private static final int ROW_LABEL_WIDTH = 18;
    private static final int KEY_LABEL_WIDTH = 24;
    private static final String RAMP = ":-=+*#%@";
    private static final String RESET = "\u001b[0m";
    private static final int GREY = 250;

    private final List<String> columns;
    private final double[][] values;
    private final boolean colour;
    private final boolean signed;
    private final boolean logarithmic;
    private final double low;
    private final double high;
    private final boolean empty;
    private final int width;

    private TerminalHeatMap(List<String> columns, double[][] values, boolean logarithmic, boolean colour, int width) {
        this.width = width;
        this.columns = columns;
        this.values = values;
        this.logarithmic = logarithmic;
        this.colour = colour;
        double[] finite = Arrays.stream(values)
                .flatMapToDouble(DoubleStream::of)
                .filter(v -> Double.isFinite(v) && !(logarithmic && v == 0))
                .toArray();
        this.empty = finite.length == 0;
        this.low = DoubleStream.of(finite).min().orElse(0);
        this.high = DoubleStream.of(finite).max().orElse(0);
        this.signed = low < 0;
    }

    /**
     * Draws a heat map as lines of text.
     *
     * @param title the first line
     * @param rows R labels, from the bottom up
     * @param columns C labels, from left to right
     * @param values {@code [R][C]}; any negative value makes the scale diverge about zero
     * @param colour whether the terminal takes escape sequences for 256 colours and Unicode; if not, the text is ASCII
     * @return lines, each ended by a line feed
     * @throws IllegalArgumentException if values and labels disagree in number
     */
    public static String render(
            String title, List<String> rows, List<String> columns, double[][] values, boolean colour) {
        double[][] grid = Shapes.copyGrid("terminal heat map \"" + title + "\"", rows.size(), columns.size(), values);
        return render(title, rows, columns, grid, false, colour, WIDTH);
    }

    /**
     * Draws a heat map on a logarithmic scale if that is its own, and as {@link #render(String, List, List, double[][],
     * boolean)} does otherwise.
     */
    public static String render(HeatMap map, boolean colour) {
        return render(map, colour, WIDTH);
    }

    /** Likewise with lines of at most {@code width} columns; of 40 where that is less. */
    public static String render(HeatMap map, boolean colour, int width) {
        return render(
                map.title(),
                map.rows(),
                map.columns(),
                map.values(),
                map.scale() == HeatMap.Scale.LOG,
                colour,
                Math.max(NARROWEST, width));
    }

    private static String render(
            String title,
            List<String> rows,
            List<String> columns,
            double[][] grid,
            boolean logarithmic,
            boolean colour,
            int width) {
        List<String> rowLabels = labels(rows, ROW_LABEL_WIDTH, colour);
        List<String> columnLabels = labels(columns, KEY_LABEL_WIDTH, colour);
        TerminalHeatMap map = new TerminalHeatMap(columnLabels, grid, logarithmic, colour, width);
        StringBuilder out = new StringBuilder();
        words(out, plain(title, colour), width, colour);
        map.panels(out, rowLabels);
        map.legend(out);
        map.key(out);
        return out.toString();
    }

    private void panels(StringBuilder out, List<String> rowLabels) {
        int labelWidth = rowLabels.stream().mapToInt(TokenLabels::width).max().orElse(0);
        int room = width - labelWidth - 1;
        // A sign, a digit and a gap need three columns; shading can do with two.
        int narrowest = signed && !colour ? 3 : 2;
        int cell = Math.max(narrowest, Math.min(4, room / Math.max(1, columns.size())));
        int perPanel = room / cell;
        for (int from = 0; from < columns.size(); from += perPanel) {
            int to = Math.min(columns.size(), from + perPanel);
            header(out, from, to, cell, labelWidth);
            for (int r = values.length - 1; r >= 0; r--) {
                StringBuilder row = new StringBuilder(pad(rowLabels.get(r), labelWidth)).append(' ');
                for (int c = from; c < to; c++) {
                    row.append(colour ? colouredCell(values[r][c], cell) : plainCell(values[r][c], cell));
                }
                line(out, row.toString());
            }
            if (to < columns.size()) {
                out.append('\n');
            }
        }
    }

    /** Column numbers: across where they fit with a gap, else downwards. */
    private void header(StringBuilder out, int from, int to, int cell, int labelWidth) {
        int digits = Integer.toString(to - 1).length();
        String indent = " ".repeat(labelWidth + 1);
        int lines = digits < cell ? 1 : digits;
        for (int i = 0; i < lines; i++) {
            StringBuilder numbers = new StringBuilder(indent);
            for (int c = from; c < to; c++) {
                String number = String.format(Locale.ROOT, "%" + digits + "d", c);
                String shown = lines == 1 ? number.strip() : number.substring(i, i + 1);
                numbers.append(centre(shown, cell));
            }
            line(out, numbers.toString());
        }
    }

    private String colouredCell(double value, int cell) {
        if (Double.isNaN(value)) {
            return " ".repeat(cell);
        }
        if (value == 0) {
            return paint(GREY, true, centre("\u00b7", cell));
        }
        if (Double.isInfinite(value)) {
            return paint(16, false, centre(value > 0 ? "\u221e" : (cell > 2 ? "-\u221e" : "\u221e"), cell));
        }
        int rgb = (signed ? Palette.DIVERGING : Palette.SEQUENTIAL).at(fraction(value));
        return paint(Palette.nearest256(rgb), Palette.isLight(rgb), " ".repeat(cell));
    }

    private String plainCell(double value, int cell) {
        if (Double.isNaN(value)) {
            return " ".repeat(cell);
        }
        if (value == 0) {
            return centre(".", cell);
        }
        if (Double.isInfinite(value)) {
            return centre(signed ? (value > 0 ? "+^" : "-^") : "^^", cell);
        }
        if (signed) {
            int tenths = (int) Math.min(9, Math.floor(10 * Math.abs(value) / bound()));
            return centre((value > 0 ? "+" : "-") + tenths, cell);
        }
        int level = (int) Math.min(RAMP.length() - 1, Math.floor(fraction(value) * RAMP.length()));
        // Cells touch, so that equal neighbours merge into one area.
        return RAMP.substring(level, level + 1).repeat(cell);
    }

    /** Where the value lies on the scale, from 0 to 1. */
    private double fraction(double value) {
        if (signed) {
            return 0.5 + 0.5 * value / bound();
        }
        if (high <= low) {
            return 0.5;
        }
        return logarithmic ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    }

    private double bound() {
        return Math.max(Math.abs(low), Math.abs(high));
    }

    private void legend(StringBuilder out) {
        if (empty) {
            line(out, "no finite values");
            return;
        }
        StringBuilder legend = new StringBuilder();
        int shades = Math.min(22, width - 18);
        double from = signed ? -bound() : low;
        double to = signed ? bound() : high;
        legend.append(number(from)).append(' ');
        if (colour) {
            for (int i = 0; i < shades; i++) {
                double fraction = i / (shades - 1.0);
                int rgb = (signed ? Palette.DIVERGING : Palette.SEQUENTIAL).at(fraction);
                legend.append(paint(Palette.nearest256(rgb), true, " "));
            }
        } else {
            legend.append(signed ? "-9 .. -1 -0 +0 +1 .. +9" : RAMP);
        }
        legend.append(' ').append(number(to));
        if (logarithmic) {
            next(out, legend, "  logarithmic");
        }
        if (signed) {
            next(out, legend, "  (min " + number(low) + ", max " + number(high) + ')');
        }
        line(out, legend.toString());
        List<String> marks = new ArrayList<>();
        if (any(v -> v == 0)) {
            marks.add((colour ? paint(GREY, true, "\u00b7") : ".") + " exactly 0");
        }
        if (any(Double::isNaN)) {
            marks.add("blank: undefined, or zero by structure");
        }
        if (any(Double::isInfinite)) {
            marks.add((colour ? "\u221e" : "^") + " infinite");
        }
        StringBuilder shown = new StringBuilder();
        for (String mark : marks) {
            next(out, shown, shown.length() == 0 ? mark : "   " + mark);
        }
        if (shown.length() > 0) {
            line(out, shown.toString());
        }
    }

    /** Adds a part to a line, or begins the next one with it where it would be too long. */
    private void next(StringBuilder out, StringBuilder line, String part) {
        String visible = (line + part).replaceAll("\u001b\\[[0-9;]*m", "");
        if (line.length() > 0 && TokenLabels.width(visible) > width) {
            line(out, line.toString());
            line.setLength(0);
        }
        line.append(line.length() == 0 ? part.strip() : part);
    }

    /** A title in as many lines as it needs; a word that is too long is cut. */
    private static void words(StringBuilder out, String text, int width, boolean unicode) {
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ", -1)) {
            String fitting = cut(word, width, unicode);
            if (line.length() > 0 && TokenLabels.width(line.toString()) + 1 + TokenLabels.width(fitting) > width) {
                line(out, line.toString());
                line.setLength(0);
            }
            line.append(line.length() > 0 ? " " : "").append(fitting);
        }
        line(out, line.toString());
    }

    private boolean any(DoublePredicate test) {
        return Arrays.stream(values).flatMapToDouble(DoubleStream::of).anyMatch(test);
    }

    /** Number and label of every column, in as few lines as they take. Labels that carry their number are not given another. */
    private void key(StringBuilder out) {
        boolean numbered = true;
        for (int c = 0; c < columns.size(); c++) {
            numbered &= columns.get(c).startsWith(c + " ") || columns.get(c).equals(Integer.toString(c));
        }
        StringBuilder current = new StringBuilder();
        for (int c = 0; c < columns.size(); c++) {
            String entry = numbered ? columns.get(c) : c + " " + columns.get(c);
            if (current.length() > 0 && TokenLabels.width(current.toString()) + 2 + TokenLabels.width(entry) > width) {
                line(out, current.toString());
                current.setLength(0);
            }
            current.append(current.length() > 0 ? "  " : "").append(entry);
        }
        if (current.length() > 0) {
            line(out, current.toString());
        }
    }

    private static List<String> labels(List<String> labels, int width, boolean unicode) {
        List<String> out = new ArrayList<>(labels.size());
        for (String label : labels) {
            out.add(cut(plain(label, unicode), width, unicode));
        }
        return out;
    }

    /** The text without control characters, and without anything but ASCII if that is all the terminal takes. */
    private static String plain(String text, boolean unicode) {
        if (unicode) {
            return TokenLabels.withoutControls(text);
        }
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c >= 0x20 && c < 0x7f) {
                out.appendCodePoint(c);
            } else {
                out.append(
                        switch (c) {
                            case '\n', 0x21b5 -> "\\n";
                            case '\r' -> "\\r";
                            case '\t', 0x21e5 -> "\\t";
                            // The mark of a space at a token's edge.
                            case 0xb7 -> "_";
                            default -> String.format(Locale.ROOT, c < 0x10000 ? "\\u%04x" : "\\u{%x}", c);
                        });
            }
        });
        return out.toString();
    }

    private static String cut(String text, int width, boolean unicode) {
        if (unicode) {
            return TokenLabels.truncate(text, width);
        }
        return text.length() <= width ? text : text.substring(0, width - 2) + "..";
    }

    private static String pad(String text, int width) {
        return " ".repeat(width - TokenLabels.width(text)) + text;
    }

    private static String centre(String text, int width) {
        int left = (width - text.length() + 1) / 2;
        return " ".repeat(left) + text + " ".repeat(width - left - text.length());
    }

    private static String paint(int background, boolean dark, String text) {
        return "\u001b[48;5;" + background + (dark ? ";38;5;16m" : ";38;5;231m") + text + RESET;
    }

    private static String number(double value) {
        double size = Math.abs(value);
        if (size != 0 && (size < 1e-3 || size >= 1e5)) {
            return String.format(Locale.ROOT, "%.3e", value);
        }
        int decimals = size == 0 ? 0 : Math.max(0, 3 - (int) Math.floor(Math.log10(size)));
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    private static void line(StringBuilder out, String text) {
        out.append(text.stripTrailing()).append('\n');
    }
}
