package dev.greenfield.report;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A page of results that stands alone: style, script, the chart library and the data are all inside the one file, and a
 * content security policy keeps a browser from fetching anything else. Parts appear in the order they were added.
 *
 * <p>Text, facts and tables read without JavaScript; figures need it. The numbers behind figure N are in the page as JSON,
 * in the element {@code figure-N-data}, with all their digits; there NaN is {@code null} and infinities are strings. The pairs of a {@link
 * ResponseMapChart} are 32-bit floats in base64, those of an {@link AttentionChart} 16-bit steps. Below every figure the page makes a
 * table of them when it is asked for one, and a file of comma-separated values.
 *
 * <p>The page is light or dark as the reader's system is, or as {@code data-theme} of its root says. What is selected in a figure is in
 * the fragment of the page's address, so that it can be passed on. A page of several parts has a list of them after the facts.
 *
 * <p>All text is escaped. Not safe for use by several threads at once.
 */
public final class ReportPage {

    private static final String NO_PLOT = ".plot{display:none}";

    /** A drawing that takes the keyboard; the script fills in what is selected. */
    private static final String SELECTABLE = "role=\"application\" tabindex=\"0\"";

    /** So many headings and figures fit a window or two: of more there is a list. */
    private static final int FEW = 5;

    private final String title;
    private final String subtitle;
    private final List<String> parts = new ArrayList<>();
    private final List<String> heights = new ArrayList<>(); // of the figures, as their style attributes have them
    private final List<String> contents = new ArrayList<>(); // items of the list of headings
    private final Map<String, HeatMap.Scale> comparisons = new HashMap<>();
    private final Set<String> files = new HashSet<>();
    private String name = "greenfield";
    private int opening; // how many parts come before the list of headings
    private int sections;
    private int figures;
    private int tables;

    /**
     * Starts a page.
     *
     * @param title heading of the page and of the browser's window
     * @param subtitle a line below the heading; may be empty
     */
    public ReportPage(String title, String subtitle) {
        this.title = Objects.requireNonNull(title, "title");
        this.subtitle = Objects.requireNonNull(subtitle, "subtitle");
    }

    /**
     * Says what the page is of: files that are saved from it are called {@code greenfield-NAME-FIGURE}.
     *
     * @param of such as the command
     * @return this page
     */
    public ReportPage named(String of) {
        name = "greenfield-" + Html.fileName(of, "page");
        return this;
    }

    /**
     * Adds a strip of facts, such as where the results come from: model, prompt, backend, version.
     *
     * @param keyValues shown in the map's order; give an ordered map
     * @return this page
     */
    public ReportPage facts(Map<String, String> keyValues) {
        StringBuilder out = new StringBuilder("<dl class=\"facts\">\n");
        keyValues.forEach((key, value) -> out.append("<div><dt>")
                .append(Html.text(key))
                .append("</dt><dd>")
                .append(Html.text(value))
                .append("</dd></div>\n"));
        parts.add(out.append("</dl>\n").toString());
        opening = contents.isEmpty() ? parts.size() : opening;
        return this;
    }

    /**
     * Adds a heading and paragraphs.
     *
     * @param heading may be empty, for paragraphs alone
     * @param text paragraphs separated by blank lines; may be empty, for a heading alone
     * @return this page
     */
    public ReportPage section(String heading, String text) {
        StringBuilder out = new StringBuilder();
        if (!heading.isBlank()) {
            sections++;
            String id = "section-" + sections;
            out.append("<h2 id=\"")
                    .append(id)
                    .append("\">")
                    .append(Html.text(heading))
                    .append("</h2>\n");
            contents.add(item(id, "", heading));
        }
        for (String paragraph : text.strip().split("\\R\\s*\\R", -1)) {
            if (!paragraph.isBlank()) {
                // Single line breaks are only how the caller's source was wrapped.
                String flowing = paragraph.strip().replaceAll("\\s*\\R\\s*", " ");
                out.append("<p>").append(Html.text(flowing)).append("</p>\n");
            }
        }
        parts.add(out.toString());
        return this;
    }

    /**
     * Adds a figure, numbered in order, whose files are called after its title.
     *
     * @param chart drawn as wide as the page, with buttons to save it as PNG, as SVG and as comma-separated values
     * @return this page
     */
    public ReportPage chart(Chart chart) {
        return chart(chart.title(), chart);
    }

    /**
     * Likewise under a name of its own.
     *
     * @param what what the figure shows, in a word or two, for the names of its files
     * @throws IllegalArgumentException if the chart is to be compared with one of another {@link HeatMap.Scale}
     */
    public ReportPage chart(String what, Chart chart) {
        if (chart instanceof HeatMap map && !map.comparison().isEmpty()) {
            HeatMap.Scale scale = comparisons.putIfAbsent(map.comparison(), map.scale());
            if (scale != null && scale != map.scale()) {
                throw new IllegalArgumentException("heat map \"" + map.title() + "\" has scale " + map.scale()
                        + ", those it is to be compared with have " + scale + "; give all maps of comparison \""
                        + map.comparison() + "\" one scale");
            }
        }
        figures++;
        String id = "figure-" + figures;
        String file = name + "-" + Html.fileName(what, id);
        if (!files.add(file)) {
            file += "-" + figures;
        }
        contents.add(item(id, sections > 0 ? " class=\"inner\"" : "", chart.title()));
        if (chart instanceof TokenGrid grid) {
            parts.add(TokenGridTable.figure(grid, figures, file));
            return this;
        }
        if (chart instanceof AttentionChart heads) {
            parts.add(AttentionFigure.figure(heads, figures, file));
            return this;
        }
        heights.add("height:" + ChartData.height(chart) + "px");
        String caption = Html.text(chart.caption().isBlank() ? chart.title() : chart.caption());
        parts.add(String.format(
                Locale.ROOT,
                """
                <figure id="%1$s" class="chart">
                <div class="figure-head"><h3 id="%1$s-title">%2$s</h3><div class="tools"></div></div>
                <div class="plot" %8$s aria-labelledby="%1$s-title" style="height:%3$dpx"></div>
                %7$s
                <figcaption><b>Figure %4$d.</b> %5$s</figcaption>
                <script type="application/json" id="%1$s-data">%6$s</script>
                </figure>
                """,
                id,
                Html.text(chart.title()),
                ChartData.height(chart),
                figures,
                caption,
                ChartData.json(chart, file),
                ChartNotes.html(chart),
                chart instanceof ResponseMapChart || chart instanceof HeatMap ? SELECTABLE : "role=\"img\""));
        return this;
    }

    private static String item(String id, String attributes, String text) {
        return "<li" + attributes + "><a href=\"#" + id + "\">" + Html.text(text) + "</a></li>\n";
    }

    /**
     * Adds a table, numbered in order. Columns whose every cell is a number are aligned to the right.
     *
     * @param caption what the table shows; may be empty
     * @param header C headings
     * @param rows C cells each
     * @return this page
     * @throws IllegalArgumentException if a row has another number of cells than the header
     */
    public ReportPage table(String caption, List<String> header, List<List<String>> rows) {
        Shapes.checkTable(caption, header.size(), rows);
        tables++;
        parts.add(HtmlTable.of(tables, caption, header, rows));
        return this;
    }

    /**
     * Adds a table that says all in a few rows. On top, after the facts alone, it comes before the list of headings.
     *
     * @return this page
     */
    public ReportPage summary(String caption, List<String> header, List<List<String>> rows) {
        boolean first = opening == parts.size();
        table(caption, header, rows);
        opening = first ? parts.size() : opening;
        return this;
    }

    /**
     * Adds a table that is folded up until the reader opens it.
     *
     * @param summary the line that stands for it
     */
    public ReportPage foldedTable(String summary, String caption, List<String> header, List<List<String>> rows) {
        Shapes.checkTable(caption, header.size(), rows);
        tables++;
        parts.add("<details class=\"fold\"><summary>" + Html.text(summary) + "</summary>\n"
                + HtmlTable.of(tables, caption, header, rows) + "</details>\n");
        return this;
    }

    /**
     * The page as it stands. Write it as UTF-8.
     *
     * @return a whole HTML document
     */
    public String html() {
        StringBuilder out = new StringBuilder();
        String style = "\n" + Html.resource("report.css") + Html.resource("token-grid.css");
        String library = "\n" + Html.resource("echarts-" + Html.CHART_LIBRARY_VERSION + ".min.js") + "\n";
        String drawing = "\n" + Html.script();
        List<String> styles = new ArrayList<>(List.of(style));
        if (figures > 0) {
            styles.add(NO_PLOT);
            styles.addAll(heights);
        }
        String policy = Html.policy(figures > 0 ? List.of(library, drawing) : List.of(), styles);
        out.append("""
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta http-equiv="Content-Security-Policy" content="%s">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="generator" content="Greenfield">
                <title>%s</title>
                <style>""".formatted(policy, Html.text(title)));
        out.append(style).append("</style>\n</head>\n<body>\n<main>\n<header>\n");
        out.append("<h1>").append(Html.text(title)).append("</h1>\n");
        if (!subtitle.isBlank()) {
            out.append("<p class=\"subtitle\">").append(Html.text(subtitle)).append("</p>\n");
        }
        out.append("</header>\n");
        if (figures > 0) {
            out.append("<noscript><style>" + NO_PLOT + "</style><p class=\"noscript\">The figures of this page are"
                    + " drawn by JavaScript, which is switched off. Text and tables are complete without it.</p>"
                    + "</noscript>\n");
        }
        for (int i = 0; i <= parts.size(); i++) {
            if (i == opening && contents.size() >= FEW) {
                out.append("<nav class=\"contents\" aria-label=\"Contents\"><b>Contents</b>\n<ul>\n");
                contents.forEach(out::append);
                out.append("</ul></nav>\n");
            }
            out.append(i < parts.size() ? parts.get(i) : "");
        }
        out.append("</main>\n");
        if (figures > 0) {
            // The licence of the library asks that its notice travel with it; the library's own header stays in place
            // too.
            out.append("<footer>Charts drawn by Apache ECharts ")
                    .append(Html.CHART_LIBRARY_VERSION)
                    .append(", \u00a9 2017\u20132026 The Apache Software Foundation, under the Apache License 2.0."
                            + "</footer>\n<script>")
                    .append(library)
                    .append("</script>\n<script>")
                    .append(drawing)
                    .append("</script>\n");
        }
        return out.append("</body>\n</html>\n").toString();
    }
}
