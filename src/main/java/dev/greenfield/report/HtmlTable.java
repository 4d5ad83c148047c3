package dev.greenfield.report;

import java.util.List;
import java.util.stream.IntStream;

/** A table of a page: its caption stays in sight while a table that is wider than the page scrolls by itself. */
final class HtmlTable {
    /** From this many characters on a cell is text to be wrapped. */
    private static final int WORDS = 26;

    /** Of a column of such text. On a narrow screen a table with one is shown row by row, each cell beside its heading. */
    private static final String WRAPPED = " class=\"words\"";

    private HtmlTable() {}

    /** The table with its number; rows are as wide as the header. */
    static String of(int number, String caption, List<String> header, List<List<String>> rows) {
        List<String> attributes = IntStream.range(0, header.size())
                .mapToObj(column -> attribute(rows, column))
                .toList();
        boolean stacked = attributes.contains(WRAPPED);
        String id = "table-" + number;
        StringBuilder out = new StringBuilder("<div class=\"table\" id=\"" + id + "\">\n");
        out.append("<p class=\"caption\" id=\"")
                .append(id)
                .append("-caption\"><b>Table ")
                .append(number)
                .append(".</b>");
        out.append(caption.isBlank() ? "" : " " + Html.text(caption)).append("</p>\n");
        out.append("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"")
                .append(id)
                .append("-caption\"><table")
                .append(stacked ? " class=\"stack\"" : "")
                .append(">\n<thead><tr>");
        for (int c = 0; c < header.size(); c++) {
            out.append("<th scope=\"col\"").append(attributes.get(c)).append('>');
            out.append(Html.text(header.get(c))).append("</th>");
        }
        out.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : rows) {
            out.append("<tr>");
            for (int c = 0; c < row.size(); c++) {
                out.append("<td").append(attributes.get(c));
                out.append(stacked ? " data-label=\"" + Html.text(header.get(c)) + "\"" : "")
                        .append('>');
                out.append(whole(Html.text(row.get(c)))).append("</td>");
            }
            out.append("</tr>\n");
        }
        return out.append("</tbody></table></div></div>\n").toString();
    }

    /** An interval breaks before its bracket, not within. */
    private static String whole(String cell) {
        return Html.looksNumeric(cell) ? cell.replace(" to ", "\u00a0to\u00a0") : cell;
    }

    private static String attribute(List<List<String>> rows, int column) {
        if (!rows.isEmpty() && rows.stream().allMatch(row -> Html.looksNumeric(row.get(column)))) {
            return " class=\"number\"";
        }
        return rows.stream().anyMatch(row -> row.get(column).length() > WORDS) ? WRAPPED : "";
    }
}
