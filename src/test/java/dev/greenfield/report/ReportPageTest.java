package dev.greenfield.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ReportPageTest {

    private static final String HOSTILE =
            "</script><script>alert('x')</script> \"q\" & \u2028 \n \u00e9\u6771\ud83d\ude00";
    private static final Set<String> VOID = Set.of("meta", "br", "hr", "img", "link");

    @Test
    void everyElementIsClosedInOrder() {
        assertBalanced(SampleReport.page().html());
        assertBalanced(new ReportPage("", "").html());
    }

    @Test
    void nothingIsLoadedFromOutside() {
        String own = withoutLibrary(SampleReport.page().html());
        assertThat(own).doesNotContainPattern("(?i)https?:").doesNotContainPattern("(?i)\\burl\\s*\\(");
        assertThat(own).doesNotContainPattern("(?i)<(link|img|iframe|object|embed|base|audio|video)\\b");
        assertThat(own).doesNotContainPattern("(?i)@import").doesNotContainPattern("(?i)<script[^>]*\\bsrc");
        assertThat(own).contains("default-src 'none'");
    }

    @Test
    void theLibraryAndItsLicencesTravelWithThePage() {
        assertThat(SampleReport.page().html()).contains(library()).contains("Apache License 2.0");
        assertThat(Html.resource("echarts-" + Html.CHART_LIBRARY_VERSION + ".LICENSE"))
                .contains("Apache License");
        assertThat(Html.resource("echarts-" + Html.CHART_LIBRARY_VERSION + ".NOTICE"))
                .contains("Apache ECharts");
        assertThat(Html.resource("echarts-" + Html.CHART_LIBRARY_VERSION + ".LICENSE-d3"))
                .contains("Bostock");
        assertThat(library()).doesNotContainIgnoringCase("</script");
    }

    @Test
    void aPageWithoutFiguresNeedsNoScript() {
        String html = new ReportPage("t", "s").section("h", "text").html();
        assertThat(html).doesNotContain("<script").doesNotContain("<noscript");
        assertThat(html.length()).isLessThan(12_000);
    }

    @Test
    void allTextIsEscaped() {
        String html = new ReportPage(HOSTILE, HOSTILE)
                .facts(Map.of(HOSTILE, HOSTILE))
                .section(HOSTILE, HOSTILE)
                .table(HOSTILE, List.of(HOSTILE), List.of(List.of(HOSTILE)))
                .chart(new HeatMap(
                        HOSTILE,
                        HOSTILE,
                        List.of(HOSTILE),
                        List.of(HOSTILE),
                        new double[][] {{1}},
                        HeatMap.Scale.SEQUENTIAL,
                        HOSTILE))
                .chart(new ScatterChart(
                        HOSTILE, HOSTILE, HOSTILE, HOSTILE, new double[] {1}, new double[] {2}, List.of(HOSTILE), true))
                .chart(new LineChart(
                        HOSTILE,
                        HOSTILE,
                        HOSTILE,
                        HOSTILE,
                        false,
                        false,
                        List.of(new LineChart.Series(HOSTILE, new double[] {1}, new double[] {2}))))
                .chart(new ResponseMapChart(
                        HOSTILE, HOSTILE, List.of(HOSTILE), List.of(HOSTILE), new double[] {1}, HOSTILE))
                .html();
        assertBalanced(html);
        String own = withoutLibrary(html);
        assertThat(own).doesNotContain("<script>alert").doesNotContain("\u2028").doesNotContain("\"q\"");
        assertThat(own)
                .contains("&lt;/script&gt;&lt;script&gt;alert(&#39;x&#39;)")
                .contains("\u00e9\u6771\ud83d\ude00");
        // Two scripts of the page's own, and one block of data for each figure.
        assertThat(Pattern.compile("<script").matcher(own).results().count()).isEqualTo(2 + 4);
    }

    @Test
    void dataSurvivesTheEscaping() throws Exception {
        String html = new ReportPage("t", "")
                .chart(new HeatMap(
                        "m",
                        "",
                        List.of("<r>"),
                        List.of("</script>", "\u00b7\u6771"),
                        new double[][] {{0.1, -2}},
                        HeatMap.Scale.DIVERGING,
                        "v"))
                .html();
        JsonNode data = data(html, 1);
        assertThat(data.get("rows").get(0).asText()).isEqualTo("<r>");
        assertThat(data.get("columns").get(0).asText()).isEqualTo("</script>");
        assertThat(data.get("columns").get(1).asText()).isEqualTo("\u00b7\u6771");
        assertThat(data.get("values").get(0).get(0).asDouble()).isEqualTo(0.1);
        assertThat(data.get("scale").asText()).isEqualTo("diverging");
    }

    @Test
    void halfACharacterIsReplaced() {
        String html = new ReportPage("half \ud83d", "").html();
        assertThat(html).contains("half \ufffd");
        assertThat(StandardCharsets.UTF_8.newEncoder().canEncode(html)).isTrue();
    }

    @Test
    void numbersThatAreNoneAreMarkedAndExplained() throws Exception {
        String html = new ReportPage("t", "")
                .chart(new HeatMap(
                        "m",
                        "",
                        List.of("r"),
                        List.of("a", "b", "c", "d"),
                        new double[][] {{Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0}},
                        HeatMap.Scale.DIVERGING,
                        "v"))
                .chart(new LineChart(
                        "l",
                        "",
                        "x",
                        "y",
                        true,
                        true,
                        List.of(new LineChart.Series(
                                "s", new double[] {1, 0, 2, Double.NaN}, new double[] {1, 1, -1, 1}))))
                .chart(new ScatterChart(
                        "s", "", "x", "y", new double[] {1, Double.NaN}, new double[] {0, 1}, List.of(), false))
                .html();
        JsonNode row = data(html, 1).get("values").get(0);
        assertThat(row.get(0).isNull()).isTrue();
        assertThat(row.get(1).asText()).isEqualTo("Infinity");
        assertThat(row.get(2).asText()).isEqualTo("-Infinity");
        assertThat(html).contains("undefined, or zero by structure", "exactly zero", "infinite");
        assertThat(html).contains("3 points are not drawn: not finite, or not positive on a logarithmic axis");
        assertThat(html).contains("1 point is not drawn: not finite<");
        assertThat(data(html, 2).get("series").get(0).get("x").get(3).isNull()).isTrue();
    }

    @Test
    void smallestMapsAreDrawn() throws Exception {
        String html = new ReportPage("t", "")
                .chart(new HeatMap("none", "", List.of(), List.of(), new double[0][], HeatMap.Scale.LOG, "v"))
                .chart(new HeatMap("one", "", List.of("r"), List.of("c"), new double[][] {{3}}, HeatMap.Scale.LOG, "v"))
                .html();
        assertBalanced(html);
        assertThat(data(html, 1).get("values")).isEmpty();
        assertThat(data(html, 2).get("values").get(0).get(0).asDouble()).isEqualTo(3);
        assertThat(html).contains("<b>Figure 1.</b> none", "<b>Figure 2.</b> one");
    }

    @Test
    void partsKeepTheirOrderAndTheirNumbers() {
        String html = SampleReport.page().html();
        assertThat(html.indexOf("<b>Figure 5.</b>"))
                .isLessThan(html.indexOf("<b>Table 1.</b>"))
                .isPositive();
        assertThat(html.indexOf("<b>Table 1.</b>")).isLessThan(html.indexOf("<b>Figure 6.</b>"));
        assertThat(html).contains("<p>Blue lowers the answer, red raises it.</p>");
    }

    @Test
    void numericColumnsAreAlignedRight() {
        String html = new ReportPage("t", "")
                .table("c", List.of("site", "value"), List.of(List.of("(1, 2)", "-1.5e-3"), List.of("x", "\u2014")))
                .html();
        assertThat(html).contains("<td>(1, 2)</td><td class=\"number\">-1.5e-3</td>");
        assertThat(Html.looksNumeric("12.6 %")).isTrue();
        assertThat(Html.looksNumeric("3 of 4")).isFalse();
    }

    @Test
    void raggedTablesAreRefused() {
        assertThatThrownBy(() -> new ReportPage("t", "").table("c", List.of("a", "b"), List.of(List.of("1"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("table \"c\": row 0 has 1 cell under 2 headings; give one cell for each heading");
    }

    private static String library() {
        return Html.resource("echarts-" + Html.CHART_LIBRARY_VERSION + ".min.js");
    }

    private static String withoutLibrary(String html) {
        return html.replace(library(), "");
    }

    private static JsonNode data(String html, int figure) throws Exception {
        Matcher matcher = Pattern.compile("id=\"figure-" + figure + "-data\">(.*?)</script>", Pattern.DOTALL)
                .matcher(html);
        assertThat(matcher.find()).isTrue();
        return new ObjectMapper().readTree(matcher.group(1));
    }

    /** Tags nest and close. The content of script and style elements is not markup; it ends where a browser ends it. */
    private static void assertBalanced(String html) {
        assertThat(html).startsWith("<!DOCTYPE html>\n<html lang=\"en\">").endsWith("</html>\n");
        String markup = html.replaceAll("(?s)(<(script|style)[^>]*>).*?(</\\2>)", "$1$3");
        Deque<String> open = new ArrayDeque<>();
        Matcher tags = Pattern.compile("<(/?)([a-z0-9]+)((?:\\s+[a-z-]+(?:=\"[^\"<>]*\")?)*)\\s*>")
                .matcher(markup);
        while (tags.find()) {
            if (tags.group(1).isEmpty()) {
                if (!VOID.contains(tags.group(2))) {
                    open.push(tags.group(2));
                }
            } else {
                assertThat(open.pop()).isEqualTo(tags.group(2));
            }
        }
        assertThat(open).isEmpty();
        String text = tags.reset().replaceAll("").replace("<!DOCTYPE html>", "");
        assertThat(text).doesNotContain("<").doesNotContain(">");
    }
}
