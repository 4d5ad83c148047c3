package dev.greenfield.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResponseMapChartTest {
    private static final int LEVELS = 3;
    private static final int TOKENS = 4;

    private static int at(int l, int t, int toL, int toT) {
        return ((l * TOKENS + t) * LEVELS + toL) * TOKENS + toT;
    }

    private static double[] values() {
        return SampleReport.responses(LEVELS, TOKENS);
    }

    private static ResponseMapChart chart(double[] values, int mostPairs) {
        return new ResponseMapChart(
                "m", "", SampleReport.depths(LEVELS), SampleReport.numbers(TOKENS), values, "|G|", mostPairs);
    }

    private static ResponseMapChart chart(double[] values) {
        return chart(values, ResponseMapChart.MOST_PAIRS);
    }

    /** Every kept source with all of its pairs and nothing beyond, read back from the JSON as the script reads it. */
    private static void assertHolds(ResponseMapChart chart, double[] values) throws Exception {
        JsonNode json = new ObjectMapper().readTree(ChartData.json(chart, "greenfield"));
        ByteBuffer pairs = ByteBuffer.wrap(json.path("pairs").binaryValue()).order(ByteOrder.LITTLE_ENDIAN);
        for (JsonNode source : json.path("sources")) {
            int l = source.asInt() / TOKENS;
            int t = source.asInt() % TOKENS;
            for (int toL = l; toL < LEVELS; toL++) {
                for (int toT = t; toT < TOKENS; toT++) {
                    assertThat(pairs.getFloat())
                            .as("(%d, %d) from (%d, %d)", toL, toT, l, t)
                            .isEqualTo(Float.valueOf((float) values[at(l, t, toL, toT)]));
                }
            }
        }
        assertThat(pairs.hasRemaining()).isFalse();
    }

    @Test
    void theDataHoldsEveryPairThatCausalityLetsRespond() throws Exception {
        double[] values = values();
        values[at(1, 1, 2, 2)] = Double.NaN;
        ResponseMapChart chart = chart(values);
        assertThat(chart.sources()).hasSize(LEVELS * TOKENS);
        assertThat(chart.pairs()).hasSize(4 * (3 + 2 + 1) * (4 + 3 + 2 + 1));
        assertHolds(chart, values);
    }

    @Test
    void theReachIsTheNormOverTheLastLevel() {
        double[] values = values();
        double[][] reach = chart(values).reach();
        double sum = 0;
        for (int t = 2; t < TOKENS; t++) {
            sum += Math.pow(values[at(1, 2, 2, t)], 2);
        }
        assertThat(reach[1][2]).isEqualTo(Math.sqrt(sum));
    }

    @Test
    void whereNoTargetOfTheLastLevelIsKnownTheReachIsToTheLastThatIs() {
        double[] values = values();
        for (int l = 0; l < LEVELS; l++) {
            for (int t = 0; t < TOKENS; t++) {
                Arrays.fill(values, at(l, t, 2, 0), at(l, t, 2, TOKENS - 1) + 1, Double.NaN);
            }
        }
        ResponseMapChart chart = chart(values);
        assertThat(chart.reachLevel()).isEqualTo(1);
        assertThat(chart.reach()[1][3]).isEqualTo(values[at(1, 3, 1, 3)]);
        assertThat(chart.reach()[2]).containsOnly(Double.NaN);
        assertThat(chart.sources()).hasSize(2 * TOKENS);
    }

    @Test
    void sourcesOfWhichNothingIsKnownCannotBeSelected() throws Exception {
        double[] values = values();
        Arrays.fill(values, at(1, 2, 0, 0), at(1, 2, 2, 3) + 1, Double.NaN);
        ResponseMapChart chart = chart(values);
        assertThat(chart.sources()).hasSize(LEVELS * TOKENS - 1).doesNotContain(TOKENS + 2);
        assertThat(chart.reach()[1][2]).isNaN();
        assertThat(chart.dropped()).isZero();
        assertHolds(chart, values);
    }

    @Test
    void aMapTooLargeKeepsTheFarthestReachingSourcesOfEveryLevelAndSaysSo() throws Exception {
        double[] values = values();
        for (int l = 0; l < LEVELS; l++) {
            values[at(l, 0, 2, 0)] = 100;
        }
        // The first token reaches farthest: twelve, eight and four pairs for the first of each level.
        ResponseMapChart chart = chart(values, 24);
        assertThat(chart.sources()).containsExactly(0, TOKENS, 2 * TOKENS);
        assertThat(chart.dropped()).isEqualTo(9);
        assertHolds(chart, values);
        assertThat(new ReportPage("t", "").chart(chart).html())
                .contains("3 of 12 sources can be selected, those of largest reach at every level");
        assertThat(chart(values, 23).sources()).containsExactly(0, TOKENS);
        assertThat(new ReportPage("t", "").chart(chart(values)).html()).doesNotContain("can be selected");
    }

    @Test
    void aValueTooSmallForAFloatIsNotAZero() {
        double[] values = values();
        values[at(0, 0, 0, 0)] = 1e-300;
        assertThat(ByteBuffer.wrap(chart(values).pairs())
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getFloat())
                .isEqualTo(Float.MIN_VALUE);
    }

    @Test
    void misfitsAreNamed() {
        assertThatThrownBy(() -> chart(new double[7]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("response map \"m\": 7 values for 3 levels and 4 tokens; give one for each pair of sites,"
                        + " 144");
        double[] acausal = values();
        acausal[at(1, 2, 2, 1)] = 0.5;
        assertThatThrownBy(() -> chart(acausal))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("response map \"m\": 0.5 from level 1, token 2 to level 2, token 1; a target before its"
                        + " source must be zero or NaN");
        double[] negative = values();
        negative[at(1, 2, 2, 3)] = -1;
        assertThatThrownBy(() -> chart(negative))
                .hasMessageContaining("-1.0 from level 1, token 2 to level 2, token 3");
    }

    @Test
    void anEmptyMapIsDrawn() throws Exception {
        ResponseMapChart none = new ResponseMapChart("m", "", List.of(), List.of(), new double[0], "|G|");
        JsonNode json = new ObjectMapper().readTree(ChartData.json(none, "greenfield"));
        assertThat(json.path("sources")).isEmpty();
        assertThat(json.path("pairs").asText()).isEmpty();
    }

    @Test
    void aMapMayBeReadSourceBySource() throws Exception {
        double[] values = values();
        int sites = LEVELS * TOKENS;
        Arrays.fill(values, sites, 2 * sites, Double.NaN);
        ResponseMapChart chart = new ResponseMapChart(
                "m",
                "",
                SampleReport.depths(LEVELS),
                SampleReport.numbers(TOKENS),
                (level, token) -> {
                    int source = level * TOKENS + token;
                    return source == 1 ? null : Arrays.copyOfRange(values, source * sites, (source + 1) * sites);
                },
                "|G|");
        assertThat(ChartData.json(chart, "greenfield")).isEqualTo(ChartData.json(chart(values), "greenfield"));
        assertThat(chart.sources()).hasSize(sites - 1);
        assertHolds(chart, values);
    }
}
