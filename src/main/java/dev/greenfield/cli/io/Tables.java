package dev.greenfield.cli.io;

import java.util.ArrayList;
import java.util.List;

/** Tables for the terminal: rows of texts, the first of which is the heading. */
public final class Tables {
    private static final String TOKEN = "token";

    private Tables() {}

    /**
     * A table whose first row is its heading; columns line up, numbers should come formatted. One that is wider than the terminal is
     * printed in blocks of columns, each beginning with those that say what a row is of. Nothing is cut off.
     */
    public static void print(Terminal terminal, String title, List<List<String>> rows) {
        terminal.line("");
        terminal.line(title);
        List<String> heading = rows.get(0);
        int[] widths = new int[heading.size()];
        for (List<String> row : rows) {
            for (int c = 0; c < widths.length; c++) {
                widths[c] = Math.max(widths[c], Folded.length(row.get(c)));
            }
        }
        boolean first = true;
        for (List<Integer> block : blocks(widths, keys(heading), terminal.room())) {
            if (!first) {
                terminal.line("");
            }
            first = false;
            for (List<String> row : rows) {
                terminal.row(line(row, heading, widths, block));
            }
        }
    }

    /** How many columns at the front say what a row is of: the first, and those up to the token. */
    private static int keys(List<String> heading) {
        int token = heading.indexOf(TOKEN);
        return token >= 0 && token <= 2 ? token + 1 : 1;
    }

    /** The columns of each block, in order. */
    private static List<List<Integer>> blocks(int[] widths, int keys, int room) {
        List<List<Integer>> blocks = new ArrayList<>();
        List<Integer> block = new ArrayList<>();
        int length = 0;
        for (int c = 0; c < widths.length; c++) {
            if (block.size() > keys && length + 2 + widths[c] > room) {
                blocks.add(block);
                block = new ArrayList<>(block.subList(0, keys));
                length = block.stream().mapToInt(key -> 2 + widths[key]).sum();
            }
            block.add(c);
            length += 2 + widths[c];
        }
        blocks.add(block);
        return blocks;
    }

    private static String line(List<String> row, List<String> heading, int[] widths, List<Integer> block) {
        StringBuilder line = new StringBuilder();
        for (int c : block) {
            String pad = " ".repeat(widths[c] - Folded.length(row.get(c)));
            // The column of words reads better from the left.
            line.append("  ").append(heading.get(c).equals(TOKEN) ? row.get(c) + pad : pad + row.get(c));
        }
        return line.toString().stripTrailing();
    }

    /** The rows without the heading. */
    public static List<List<String>> tail(List<List<String>> rows) {
        return rows.subList(1, rows.size());
    }
}
