package dev.greenfield.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A {@link TokenGrid} as a table of the page. Colours are classes, since the page's policy takes no styles that it does not know. */
final class TokenGridTable {
    /** Classes of colours, w0 to w9, in {@code token-grid.css}: the stops of the sequential palette. */
    private static final int SHADES = 10;

    private TokenGridTable() {}

    /**
     * The whole figure.
     *
     * @param number of the figure
     * @param file what its files are called, without an ending
     */
    static String figure(TokenGrid grid, int number, String file) {
        String id = "figure-" + number;
        return String.format(
                Locale.ROOT,
                """
                <figure id="%1$s" class="words">
                <div class="figure-head"><h3 id="%1$s-title">%2$s</h3><div class="tools"></div></div>
                <div class="grid-box" role="region" tabindex="0" aria-labelledby="%1$s-title">%3$s</div>
                <p class="grid-detail" aria-live="polite">Select a word to see what else is read there.</p>
                %4$s
                <figcaption><b>Figure %5$d.</b> %6$s</figcaption>
                <script type="application/json" id="%1$s-data">%7$s</script>
                </figure>
                """,
                id,
                Html.text(grid.title()),
                table(grid),
                legend(grid),
                number,
                Html.text(grid.caption().isBlank() ? grid.title() : grid.caption()),
                ChartData.json(grid, file));
    }

    private static String table(TokenGrid grid) {
        StringBuilder out = new StringBuilder("<table class=\"grid\"><thead><tr><td></td>");
        for (String column : grid.columns()) {
            out.append("<th scope=\"col\">").append(Html.text(column)).append("</th>");
        }
        out.append("</tr></thead>\n<tbody>\n");
        for (int r = grid.rows().size() - 1; r >= 0; r--) {
            out.append("<tr><th scope=\"row\">")
                    .append(Html.text(grid.rows().get(r)))
                    .append("</th>");
            List<TokenGrid.Cell> cells = grid.cells().get(r);
            for (int c = 0; c < cells.size(); c++) {
                cell(
                        out,
                        cells.get(c),
                        grid.rows().get(r) + ", " + grid.columns().get(c));
            }
            out.append("</tr>\n");
        }
        return out.append("</tbody></table>").toString();
    }

    private static void cell(StringBuilder out, TokenGrid.Cell cell, String where) {
        if (Double.isNaN(cell.value())) {
            out.append("<td></td>");
            return;
        }
        String detail = where + cell.detail().stream().map(line -> "\n" + line).collect(Collectors.joining());
        out.append("<td class=\"w").append(Math.min(SHADES - 1, (int) (cell.value() * SHADES)));
        out.append(cell.marked() ? " marked" : "").append("\" tabindex=\"-1\" title=\"");
        // Line ends are what separates the lines of a title: they are kept, and everything else is made visible.
        out.append(detail.lines().map(Html::text).collect(Collectors.joining("&#10;")));
        out.append("\">").append(Html.text(cell.text())).append("</td>");
    }

    /** The colours from 0 to 1, after what they are of. */
    static String shades(String name) {
        StringBuilder out = new StringBuilder(Html.text(name)).append(" 0&nbsp;");
        for (int shade = 0; shade < SHADES; shade++) {
            out.append("<i class=\"w").append(shade).append("\"></i>");
        }
        return out.append("&nbsp;1").toString();
    }

    private static String legend(TokenGrid grid) {
        StringBuilder out = new StringBuilder("<p class=\"notes\"><span class=\"shades\">");
        out.append(shades(grid.valueName())).append("</span>");
        if (!grid.markName().isEmpty()) {
            out.append("<span><i class=\"marked\"></i>")
                    .append(Html.text(grid.markName()))
                    .append("</span>");
        }
        return out.append("</p>").toString();
    }
}
