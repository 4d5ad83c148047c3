package dev.greenfield.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Grids of words and pictures of heads as parts of a page. */
class TokenGridTest {
    private static TokenGrid.Cell cell(String text, double value, boolean marked) {
        return new TokenGrid.Cell(text, value, marked, List.of("0.9  " + text, "rank 2"));
    }

    private static String page(Chart chart) {
        return new ReportPage("Page", "").chart(chart).html();
    }

    @Test
    void aGridIsATableThatReadsWithoutScripts() {
        TokenGrid grid = new TokenGrid(
                "Words",
                "",
                List.of("depth 0", "depth 1"),
                List.of("0 a", "1 <b>"),
                List.of(
                        List.of(cell("low", 0, false), TokenGrid.Cell.empty()),
                        List.of(cell("<script>", 1, true), cell("half", 0.5, false))),
                "probability",
                "the answer");
        String page = page(grid);
        String table = page.substring(page.indexOf("<table class=\"grid\">"), page.indexOf("</table>"));
        // The last depth is on top; what a token reads is text.
        assertThat(table.indexOf("depth 1")).isLessThan(table.indexOf("depth 0"));
        assertThat(table)
                .contains(
                        "<td class=\"w9 marked\" tabindex=\"-1\" title=\"depth 1, 0 a&#10;0.9  &lt;script&gt;&#10;rank 2\">"
                                + "&lt;script&gt;</td>",
                        "<td class=\"w5\"",
                        "<td class=\"w0\"",
                        "<td></td></tr>",
                        "<th scope=\"col\">1 &lt;b&gt;</th>");
        assertThat(page)
                .contains("\"kind\":\"words\"", "\"values\":[[0.0,null],[1.0,0.5]]", "the answer</span>", "Figure 1.");
    }

    @Test
    void shapesAreChecked() {
        List<String> one = List.of("a");
        assertThatThrownBy(() -> new TokenGrid("T", "", one, one, List.of(), "", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("token grid \"T\"");
        assertThatThrownBy(() -> new TokenGrid("T", "", one, one, List.of(List.of()), "", ""))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> cell("a", 1.5, false)).hasMessageContaining("expected 0 to 1");
        assertThatThrownBy(() -> AttentionChart.of("T", "", one, 2, new double[3], block -> new double[0]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> AttentionChart.of("T", "", one, 1, new double[1], block -> new double[2]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void headsAreKeptAsTriangles() {
        double[] block = {1, 0, 0.25, 0.75, 1, 0, 0.5, 0.5}; // two heads of two tokens
        AttentionChart chart =
                AttentionChart.of("Heads", "", List.of("a", "b"), 1, new double[] {0.1, 0.2}, l -> block);
        assertThat(chart.kept()).containsExactly(0, 1);
        ByteBuffer bytes = ByteBuffer.wrap(chart.patterns()).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(IntStream.range(0, 6).map(i -> bytes.getShort(2 * i) & 0xffff))
                .containsExactly(65535, 16384, 49151, 65535, 32768, 32768);
        assertThat(page(chart)).contains("aria-label=\"Block 0, head 1\"").doesNotContain("heads are shown");
    }

    /** A page holds 2^22 numbers: of three heads of 2000 tokens two, those that look elsewhere the most. */
    @Test
    void ofManyHeadsThoseThatLookElsewhereAreKept() {
        int length = 2000;
        List<String> tokens =
                IntStream.range(0, length).mapToObj(Integer::toString).toList();
        double[] pattern = new double[length * length];
        AttentionChart chart =
                AttentionChart.of("Heads", "", tokens, 3, new double[] {0.3, Double.NaN, 0.4}, l -> pattern);
        assertThat(chart.kept()).containsExactly(0, 2);
        assertThat(AttentionFigure.figure(chart, 1, "greenfield-heads")).contains("2 of 3 heads are shown");
    }
}
