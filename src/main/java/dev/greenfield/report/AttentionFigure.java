package dev.greenfield.report;

import java.util.Locale;

/** An {@link AttentionChart} as a part of the page; {@code attention.js} draws its pictures. */
final class AttentionFigure {
    private AttentionFigure() {}

    /**
     * The whole figure.
     *
     * @param number of the figure
     * @param file what its files are called, without an ending
     */
    static String figure(AttentionChart chart, int number, String file) {
        String id = "figure-" + number;
        int dropped = chart.blocks() * chart.heads() - chart.kept().size();
        return String.format(
                Locale.ROOT,
                """
                <figure id="%1$s" class="heads">
                <div class="figure-head"><h3 id="%1$s-title">%2$s</h3><div class="tools"></div></div>
                <div class="pictures">
                <div class="grid-box">%3$s</div>
                <div class="grid-box large" role="img" aria-labelledby="%1$s-title"><canvas></canvas></div>
                </div>
                <p class="grid-detail" aria-live="polite"></p>
                <p class="notes"><span class="shades">%8$s</span>%4$s</p>
                <figcaption><b>Figure %5$d.</b> %6$s</figcaption>
                <script type="application/json" id="%1$s-data">%7$s</script>
                </figure>
                """,
                id,
                Html.text(chart.title()),
                table(chart),
                dropped == 0
                        ? ""
                        : "<span>" + chart.kept().size() + " of "
                                + chart.blocks() * chart.heads()
                                + " heads are shown, those that look elsewhere the most: all would make the page too"
                                + " large</span>",
                number,
                Html.text(chart.caption().isBlank() ? chart.title() : chart.caption()),
                ChartData.json(chart, file),
                TokenGridTable.shades("\u221a probability"));
    }

    /** The last block on top, as the last depth is everywhere. */
    private static String table(AttentionChart chart) {
        StringBuilder out = new StringBuilder("<table class=\"grid\"><thead><tr><td></td>");
        for (int head = 0; head < chart.heads(); head++) {
            out.append("<th scope=\"col\">head ").append(head).append("</th>");
        }
        out.append("</tr></thead>\n<tbody>\n");
        for (int block = chart.blocks() - 1; block >= 0; block--) {
            out.append("<tr><th scope=\"row\">block ").append(block).append("</th>");
            for (int head = 0; head < chart.heads(); head++) {
                int place = chart.kept().indexOf(block * chart.heads() + head);
                out.append("<td>");
                if (place >= 0) {
                    out.append("<button type=\"button\" data-place=\"")
                            .append(place)
                            .append("\" aria-label=\"Block ")
                            .append(block)
                            .append(", head ")
                            .append(head)
                            .append("\"><canvas width=\"64\" height=\"64\"></canvas></button>");
                }
                out.append("</td>");
            }
            out.append("</tr>\n");
        }
        return out.append("</tbody></table>").toString();
    }
}
