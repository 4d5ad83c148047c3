package dev.greenfield.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TokenLabelsTest {

    @Test
    void labelsCarryPositionsAndShowOuterSpaces() {
        assertThat(TokenLabels.of(List.of("The", " Paris", "a b ", "  ")))
                .containsExactly("0 The", "1 \u00b7Paris", "2 a b\u00b7", "3 \u00b7\u00b7");
    }

    @Test
    void controlCharactersGetPictures() {
        assertThat(TokenLabels.visible("\n\t\r\0\u007f\u2028")).isEqualTo("\u21b5\u21e5\u240d\u2400\u2421\u21b5");
        assertThat(TokenLabels.visible("\ud800")).isEqualTo("\ufffd");
        assertThat(TokenLabels.visible("")).isEmpty();
    }

    @Test
    void wideAndCombiningCharactersHaveTheirWidths() {
        assertThat(TokenLabels.width("\u6771\u4eac")).isEqualTo(4);
        assertThat(TokenLabels.width("e\u0301")).isEqualTo(1);
        assertThat(TokenLabels.truncate("\u6771\u4eac\u90fd", 4)).isEqualTo("\u6771\u2026");
        assertThat(TokenLabels.truncate("four", 4)).isEqualTo("four");
    }
}
