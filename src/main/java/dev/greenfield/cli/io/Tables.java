package dev.greenfield.cli.io;

import java.util.List;

/** Tables for the terminal: rows of texts, the first of which is the heading. */
public final class Tables {
    private Tables() {}

    /** A table whose first row is its heading; columns line up, numbers should come formatted. */
    public static void print(Terminal terminal, String title, List<List<String>> rows) {
        terminal.line("");
        terminal.line(title);
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int c = 0; c < columns; c++) {
                widths[c] = Math.max(widths[c], row.get(c).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int c = 0; c < columns; c++) {
                String pad = " ".repeat(widths[c] - row.get(c).length());
                // The column of words reads better from the left.
                line.append("  ").append(rows.get(0).get(c).equals("token") ? row.get(c) + pad : pad + row.get(c));
            }
            terminal.line(line.toString().stripTrailing());
        }
    }

    /** The rows without the heading. */
    public static List<List<String>> tail(List<List<String>> rows) {
        return rows.subList(1, rows.size());
    }
}
