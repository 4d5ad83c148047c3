package dev.greenfield.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ChartTest {

    private static HeatMap map(int rows, double[][] values, HeatMap.Scale scale) {
        return new HeatMap("m", "", SampleReport.depths(rows), List.of("a", "b"), values, scale, "v");
    }

    @Test
    void aHeatMapNeedsOneRowOfValuesForEachLabel() {
        assertThatThrownBy(() -> map(2, new double[][] {{1, 2}}, HeatMap.Scale.SEQUENTIAL))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("heat map \"m\": 1 row of values for 2 row labels; give one row of values for each label");
    }

    @Test
    void aHeatMapNeedsOneValueForEachColumn() {
        assertThatThrownBy(() -> map(2, new double[][] {{1, 2}, {1, 2, 3}}, HeatMap.Scale.SEQUENTIAL))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("heat map \"m\": row 1 has 3 values for 2 column labels; give one value for each label");
    }

    @Test
    void aLogScaleRefusesNegativeValuesButNotZerosOrNaN() {
        assertThat(map(1, new double[][] {{0, Double.NaN}}, HeatMap.Scale.LOG).values())
                .hasNumberOfRows(1);
        assertThatThrownBy(() -> map(1, new double[][] {{1, -2}}, HeatMap.Scale.LOG))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-2.0 at row 0, column 1");
    }

    @Test
    void chartsCopyWhatTheyAreGiven() {
        double[][] values = {{1, 2}};
        HeatMap map = map(1, values, HeatMap.Scale.SEQUENTIAL);
        values[0][0] = 9;
        assertThat(map.values()[0][0]).isEqualTo(1);
    }

    @Test
    void curvesAndPointsNeedEqualLengths() {
        assertThatThrownBy(() -> new LineChart.Series("s", new double[2], new double[3]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("series \"s\": x has length 2 but y has length 3; they must agree");
        assertThatThrownBy(
                        () -> new ScatterChart("p", "", "x", "y", new double[2], new double[2], List.of("one"), false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("scatter chart \"p\": x has length 2 but labels has length 1; they must agree");
    }

    @Test
    void curvesAreComparedWithCurvesOfTheirOwn() {
        LineChart.Series own = new LineChart.Series("own", new double[1], new double[1]);
        LineChart.Series beside = new LineChart.Series("beside", new double[1], new double[1], 0);
        LineChart chart = new LineChart("c", "", "x", "y", false, false, List.of(own, beside));
        assertThat(ChartData.json(chart, "greenfield")).contains("\"partner\":-1", "\"partner\":0");
        // No such curve, one that leans on another itself, and itself.
        for (int partner : new int[] {3, 1, 2, -2}) {
            LineChart.Series wrong = new LineChart.Series("wrong", new double[1], new double[1], partner);
            assertThatThrownBy(() -> new LineChart("c", "", "x", "y", false, false, List.of(own, beside, wrong)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("\"wrong\" has partner " + partner);
        }
    }

    @Test
    void manyRowsDoNotMakeAnEndlessFigure() {
        double[][] values = new double[2000][2];
        assertThat(ChartData.height(map(2000, values, HeatMap.Scale.SEQUENTIAL)))
                .isLessThan(7000);
        assertThat(ChartData.height(map(49, new double[49][2], HeatMap.Scale.SEQUENTIAL)))
                .isBetween(500, 800);
    }

    @Test
    void palettesMeetTheirEndsAndTheMiddleOfTheDivergingOneIsNeutral() {
        assertThat(Palette.SEQUENTIAL.at(0)).isEqualTo(0x440154);
        assertThat(Palette.SEQUENTIAL.at(1)).isEqualTo(0xfde725);
        assertThat(Palette.DIVERGING.at(0.5)).isEqualTo(0xf7f7f7);
        assertThat(Palette.DIVERGING.hex().get(0)).isEqualTo("#053061");
        assertThat(Palette.nearest256(0x000000)).isEqualTo(16);
        assertThat(Palette.nearest256(0xffffff)).isEqualTo(231);
        assertThat(Palette.nearest256(0x5f87af)).isEqualTo(16 + 36 + 12 + 3);
    }
}
