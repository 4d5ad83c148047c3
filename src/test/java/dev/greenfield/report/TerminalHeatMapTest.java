package dev.greenfield.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TerminalHeatMapTest {

    private static final List<String> ROWS = List.of("depth 0", "depth 1");
    private static final List<String> COLUMNS = List.of("0 The", "1 \u00b7caf\u00e9", "2 \u21b5");

    @Test
    void signedMapInAscii() {
        double[][] values = {{0, -1, 0.55}, {Double.NaN, 0.02, Double.POSITIVE_INFINITY}};
        assertThat(TerminalHeatMap.render("Effect", ROWS, COLUMNS, values, false))
                .isEqualTo("""
                        Effect
                                  0   1   2
                        depth 1      +0  +^
                        depth 0   .  -9  +5
                        -1.000 -9 .. -1 -0 +0 +1 .. +9 1.000  (min -1.000, max 0.5500)
                        . exactly 0   blank: undefined, or zero by structure   ^ infinite
                        0 The  1 _caf\\u00e9  2 \\n
                        """);
    }

    @Test
    void unsignedMapInAscii() {
        double[][] values = {{1, 2, 3}, {7, 8, 9}};
        assertThat(TerminalHeatMap.render("Norm", ROWS, List.of("a", "b", "c"), values, false))
                .isEqualTo("""
                        Norm
                                  0   1   2
                        depth 1 %%%%@@@@@@@@
                        depth 0 ::::----====
                        1.000 :-=+*#%@ 9.000
                        0 a  1 b  2 c
                        """);
    }

    @Test
    void logarithmicMapInAscii() {
        double[][] values = {{0, 1e-4, 1e-3}, {1, 10, 1e4}};
        HeatMap map = new HeatMap("Norm", "", ROWS, List.of("a", "b", "c"), values, HeatMap.Scale.LOG, "norm");
        assertThat(TerminalHeatMap.render(map, false)).isEqualTo("""
                        Norm
                                  0   1   2
                        depth 1 ****####@@@@
                        depth 0   . ::::----
                        1.000e-04 :-=+*#%@ 10000  logarithmic
                        . exactly 0
                        0 a  1 b  2 c
                        """);
    }

    @Test
    void colouredMap() {
        String escape = "\u001b[";
        String text = TerminalHeatMap.render(
                "Effect", List.of("r"), List.of("a", "b", "c"), new double[][] {{-2, 0, 2}}, true);
        assertThat(text.lines().skip(2).findFirst().orElseThrow())
                .isEqualTo(
                        "r " + escape + "48;5;23;38;5;231m    " + escape + "0m" + escape + "48;5;250;38;5;16m  \u00b7 "
                                + escape + "0m" + escape + "48;5;52;38;5;231m    " + escape + "0m");
        assertThat(text).contains("-2.000 ").contains(" 2.000  (min -2.000, max 2.000)");
    }

    @Test
    void plainTextIsAsciiAndNoLineIsTooLong() {
        for (int columns : new int[] {1, 15, 40, 130}) {
            for (boolean colour : new boolean[] {true, false}) {
                for (double[][] values : List.of(SampleReport.signed(5, columns), SampleReport.positive(5, columns))) {
                    String text = TerminalHeatMap.render(
                            "A title \u2014 with \u6771\n" + "x".repeat(200),
                            List.of("a very long label of a row indeed", "1", "2", "3", "4"),
                            SampleReport.numbers(columns),
                            values,
                            colour);
                    assertThat(text.replaceAll("\u001b\\[[0-9;]*m", "").lines())
                            .allSatisfy(line ->
                                    assertThat(TokenLabels.width(line)).isLessThanOrEqualTo(TerminalHeatMap.WIDTH));
                    if (!colour) {
                        assertThat(text).matches("[\\x20-\\x7e\\n]*");
                    }
                }
            }
        }
    }

    @Test
    void narrowTerminalsGetNarrowMapsOfTheSameCells() {
        List<String> rows = List.of("depth 0", "depth 1", "depth 2", "depth 3", "depth 4");
        for (int width : new int[] {40, 60, 110}) {
            for (boolean colour : new boolean[] {true, false}) {
                for (double[][] values : List.of(SampleReport.signed(5, 40), SampleReport.positive(5, 40))) {
                    values[0][3] = 0;
                    values[1][2] = Double.NaN;
                    HeatMap map = new HeatMap(
                            "|dF/dR|, sensitivity of F to the residual at each site",
                            "",
                            rows,
                            SampleReport.numbers(40),
                            values,
                            HeatMap.Scale.SEQUENTIAL,
                            "");
                    List<String> lines = TerminalHeatMap.render(map, colour, width)
                            .replaceAll("\u001b\\[[0-9;]*m", "")
                            .lines()
                            .toList();
                    assertThat(lines)
                            .allSatisfy(
                                    line -> assertThat(TokenLabels.width(line)).isLessThanOrEqualTo(width));
                    long panels = lines.stream()
                            .filter(line -> line.startsWith("depth 4"))
                            .count();
                    assertThat(panels).isGreaterThan(width == 110 ? 0 : 1);
                }
            }
        }
    }

    @Test
    void mapsWithoutFiniteValuesSaySo() {
        assertThat(TerminalHeatMap.render("t", List.of(), List.of(), new double[0][], false))
                .contains("no finite values");
        assertThat(TerminalHeatMap.render("t", List.of("r"), List.of("c"), new double[][] {{Double.NaN}}, true))
                .contains("no finite values");
    }

    @Test
    void oneCellIsDrawnInTheMiddleOfTheScale() {
        assertThat(TerminalHeatMap.render("t", List.of("r"), List.of("c"), new double[][] {{3.25}}, false))
                .contains("r ****\n3.250 :-=+*#%@ 3.250\n0 c\n");
    }

    @Test
    void labelsAndValuesMustAgree() {
        assertThatThrownBy(() -> TerminalHeatMap.render("t", ROWS, COLUMNS, new double[2][2], false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "terminal heat map \"t\": row 0 has 2 values for 3 column labels; give one value for each label");
    }
}
