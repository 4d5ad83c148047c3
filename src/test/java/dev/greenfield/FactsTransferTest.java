package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.testing.TestData;
import dev.greenfield.transfer.AmplitudeCurves;
import dev.greenfield.transfer.DirectionTransfer;
import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import dev.greenfield.transfer.ResidualMaps;
import dev.greenfield.transfer.ScaleComparison;
import dev.greenfield.transfer.SiteReduction;
import dev.greenfield.transfer.SliceReduction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What displacements do in two trained models that read the same facts, and how the two agree. */
@Tag("slow")
class FactsTransferTest {
    private static final int PAIRS = 60;

    private record Pair(String clean, String corrupt, Observable f, int differsAt) {}

    private static List<Pair> pairs() {
        List<Pair> pairs = new ArrayList<>();
        for (JsonNode p : TestData.facts()) {
            pairs.add(new Pair(
                    p.path("clean").asText(),
                    p.path("corrupt").asText(),
                    Observable.logitDifference(
                            p.path("answer").asText(), p.path("foil").asText()),
                    p.path("differs_at_token").asInt()));
        }
        return pairs.subList(0, PAIRS);
    }

    private static Model model(String name) throws IOException {
        return Greenfield.load(TestData.model(name), Options.defaults().backend("cpu"));
    }

    private static DisplacementTransfer transfer(Model model, Pair pair) {
        return model.run(pair.clean()).transfer(model.run(pair.corrupt()), pair.f());
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"facts-4l", "facts-8l"})
    void wholeDepthsTurnEveryAnswerAndFewSitesCarryIt(String name) throws IOException {
        List<Double> top = new ArrayList<>();
        List<Double> random = new ArrayList<>();
        try (Model model = model(name)) {
            for (Pair pair : pairs()) {
                DisplacementTransfer transfer = transfer(model, pair);
                AmplitudeCurves curves = transfer.curves(new double[] {-0.5, 0.25, 1}, 1);
                for (int l = 0; l < curves.slices()[2].length; l++) {
                    assertThat(curves.slices()[2][l]).as(pair.clean()).isCloseTo(1, within(1e-3));
                    assertThat(curves.flips(curves.slices()[2][l])).isTrue();
                    assertThat(curves.flips(curves.slices()[0][l]))
                            .as("away from the donor")
                            .isFalse();
                }
                assertThat(curves.sites()[2][0][pair.differsAt()]).isCloseTo(1, within(1e-3));
                SiteReduction ranked = SiteReduction.of(transfer, Ranking.PREDICTED, 3);
                top.add(ranked.share()[2]);
                random.add(SiteReduction.random(transfer, 3, 0).share()[2]);
            }
        }
        assertThat(mean(top)).isGreaterThan(2 * mean(random));
    }

    @Test
    void leadingDirectionsAreMadeForTheDisplacementAtTheEmbedding() throws IOException {
        List<Double> displacement = new ArrayList<>();
        List<Double> random = new ArrayList<>();
        try (Model model = model("facts-4l")) {
            for (Pair pair : pairs().subList(0, 12)) {
                SliceReduction slice = SliceReduction.of(transfer(model, pair), 0, 2, 16, 0);
                displacement.add(slice.displacement()[15]);
                random.add(slice.random()[15]);
                assertThat(slice.subspace()[15]).isGreaterThan(0.9);
            }
        }
        assertThat(mean(displacement)).isLessThan(mean(random));
    }

    @Test
    void theTwoModelsAgreeByRelativeDepthAndDisplacementsCarryOver() throws IOException {
        List<double[]> numbers = new ArrayList<>();
        List<DirectionTransfer> carried = new ArrayList<>();
        try (Model small = model("facts-4l");
                Model large = small.beside(TestData.model("facts-8l").toString())) {
            List<Field> a = new ArrayList<>();
            List<Field> b = new ArrayList<>();
            List<Pair> pairs = pairs();
            for (Pair pair : pairs.subList(0, PAIRS / 2)) {
                for (String prompt : List.of(pair.clean(), pair.corrupt())) {
                    a.add(small.run(prompt).field());
                    b.add(large.run(prompt).field());
                }
            }
            ResidualMaps maps = ResidualMaps.fit(a, b, 1e-4);
            ResidualMaps control = ResidualMaps.shuffled(a, b, 1e-4, 0);
            for (Pair pair : pairs.subList(PAIRS / 2, PAIRS)) {
                DisplacementTransfer inSmall = transfer(small, pair);
                DisplacementTransfer inLarge = transfer(large, pair);
                ScaleComparison compared =
                        ScaleComparison.of(inSmall, inLarge, map(small, pair), map(large, pair), 3, 0);
                numbers.add(new double[] {
                    compared.sensitivity().rho(),
                    compared.sensitivity().shifted(),
                    compared.map().rho(),
                    compared.map().shifted(),
                    compared.sites().carried().share(),
                    compared.sites().random().share()
                });
                carried.add(DirectionTransfer.of(inSmall, inLarge, maps, control));
            }
        }
        double[] means = new double[6];
        for (int i = 0; i < 6; i++) {
            int column = i;
            means[i] = mean(numbers.stream().map(row -> row[column]).toList());
        }
        assertThat(means[0]).isGreaterThan(0.8);
        assertThat(means[1]).isLessThan(0.2);
        assertThat(means[2]).isGreaterThan(0.85);
        assertThat(means[3]).isLessThan(0.3);
        assertThat(means[4]).isGreaterThan(1.5 * means[5]);
        for (int g = 0; g <= 4; g++) {
            int depth = g;
            double cosine = mean(carried.stream().map(c -> c.cosine()[depth]).toList());
            double cosineOfControl =
                    mean(carried.stream().map(c -> c.controlCosine()[depth]).toList());
            double achieved = mean(carried.stream().map(c -> c.slice()[depth]).toList());
            double byControl =
                    mean(carried.stream().map(c -> c.controlSlice()[depth]).toList());
            assertThat(cosine).isGreaterThan(cosineOfControl + 0.1);
            assertThat(achieved).isGreaterThan(byControl + 0.05);
        }
    }

    private static ResponseMap map(Model model, Pair pair) {
        return model.run(pair.clean()).responseMap().probes(2).compute();
    }
}
