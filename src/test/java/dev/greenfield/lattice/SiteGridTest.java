package dev.greenfield.lattice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Numbers over sites as text and as a table. */
class SiteGridTest {
    private static final double[][] SMALL = {{0, 1.23456, -4}, {Double.NaN, 2e-7, 1234.5}, {1, 2, 3}};

    private static Document parsed(String html) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(html.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void aSmallGridIsWrittenWholeWithDepthsUpwards() {
        assertThat(new SiteGrid("numbers", SMALL, true).text().lines())
                .containsExactly(
                        "numbers",
                        "token              0         1         2",
                        "depth 1         1.00      2.00      3.00",
                        "depth 0.5          -  2.00e-07  1.23e+03",
                        "depth 0            0      1.23     -4.00");
    }

    @Test
    void ofALargeGridTheLargestSitesAreTold() {
        double[][] values = new double[3][40];
        values[1][7] = -5;
        values[2][39] = 3;
        values[0][0] = Double.NaN;
        assertThat(new SiteGrid("numbers", values, false).text().lines())
                .hasSize(6)
                .startsWith("numbers, the largest:", "depth 1    token 7      -5.00", "depth 2    token 39     3.00");
    }

    @Test
    void theTableIsWellFormedAndColouredByMagnitude() throws Exception {
        Document table = parsed(new SiteGrid("a < b", SMALL, false).html("F & G", List.of("<s>", " a", "\"b\"")));
        assertThat(table.getElementsByTagName("p").item(0).getTextContent()).isEqualTo("F & G");
        assertThat(table.getElementsByTagName("caption").item(0).getTextContent())
                .isEqualTo("a < b");
        assertThat(table.getElementsByTagName("th").item(1).getTextContent()).isEqualTo("0<s>");
        assertThat(table.getElementsByTagName("td").getLength()).isEqualTo(9);
        Element largest = (Element) table.getElementsByTagName("td").item(5);
        assertThat(largest.getTextContent()).isEqualTo("1.23e+03");
        assertThat(largest.getAttribute("title")).isEqualTo("depth 1, token 2");
        assertThat(largest.getAttribute("style")).contains("rgb(33,102,172)", "color:white");
        Element unknown = (Element) table.getElementsByTagName("td").item(3);
        assertThat(unknown.getTextContent()).isEqualTo("-");
        assertThat(unknown.getAttribute("style")).contains("rgb(255,255,255)", "color:black");
    }

    @Test
    void ofManyTokensTheLastAreShown() throws Exception {
        Document table = parsed(new SiteGrid("numbers", new double[2][100], false).html("", List.of()));
        assertThat(table.getElementsByTagName("td").getLength()).isEqualTo(2 * 64);
        assertThat(table.getElementsByTagName("th").item(1).getTextContent()).isEqualTo("36");
        assertThat(table.getElementsByTagName("caption").item(0).getTextContent())
                .contains("the last 64");
    }

    @Test
    void textsOfAnotherRunAreRefused() {
        assertThatThrownBy(() -> new SiteGrid("numbers", SMALL, false).html("", List.of("a", "b")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("found 2 texts of tokens, expected 3");
    }
}
