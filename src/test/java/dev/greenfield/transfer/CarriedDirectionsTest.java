package dev.greenfield.transfer;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Affine maps, and displacements and sites that are carried from one small random model to another. */
class CarriedDirectionsTest {
    private static final String SMALL = "random:2,2,16,30,12,seed=4";
    private static final String LARGE = "random:4,2,24,30,12,seed=5";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final int[] DONOR = {3, 5, 9, 1, 22};

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static double[][] rows(int count, int width, int seed) {
        double[][] rows = new double[count][];
        Arrays.setAll(rows, i -> normal(seed + i, width));
        return rows;
    }

    @Test
    void anAffineRelationIsFound() {
        double[][] x = rows(40, 3, 100);
        double[][] weights = rows(3, 2, 7);
        double[][] y = new double[40][2];
        for (int n = 0; n < 40; n++) {
            for (int j = 0; j < 2; j++) {
                y[n][j] = 5 - j;
                for (int i = 0; i < 3; i++) {
                    y[n][j] += x[n][i] * weights[i][j];
                }
            }
        }
        AffineMap map = AffineMap.fit(x, y, 1e-12);
        for (int n = 0; n < 40; n++) {
            assertThat(map.apply(x[n])).containsExactly(y[n], within(1e-8));
        }
        for (int i = 0; i < 3; i++) {
            double[] unit = new double[3];
            unit[i] = 1;
            assertThat(map.direction(unit)).containsExactly(weights[i], within(1e-8));
        }
    }

    /** At the minimum the derivative of |Y - X W|^2 + lambda |W|^2 is zero: X'(Y - X W) = lambda W on centred vectors. */
    @Test
    void theFitIsTheMinimumOfItsObjective() {
        int width = 3;
        double[][] x = rows(20, width, 200);
        double[][] y = rows(20, 1, 300);
        double ridge = 0.2;
        AffineMap map = AffineMap.fit(x, y, ridge);
        double[] mean = new double[width];
        double squares = 0;
        for (double[] row : x) {
            for (int i = 0; i < width; i++) {
                mean[i] += row[i] / x.length;
            }
        }
        for (double[] row : x) {
            for (int i = 0; i < width; i++) {
                squares += (row[i] - mean[i]) * (row[i] - mean[i]);
            }
        }
        double lambda = ridge * squares / width;
        double residuals = 0;
        for (int i = 0; i < width; i++) {
            double[] unit = new double[width];
            unit[i] = 1;
            double pull = 0;
            for (int n = 0; n < x.length; n++) {
                pull += (x[n][i] - mean[i]) * (y[n][0] - map.apply(x[n])[0]);
            }
            assertThat(pull).isCloseTo(lambda * map.direction(unit)[0], within(1e-10));
        }
        for (int n = 0; n < x.length; n++) {
            residuals += y[n][0] - map.apply(x[n])[0];
        }
        assertThat(residuals).as("the constant is free").isCloseTo(0, within(1e-10));
        assertThatThrownBy(() -> AffineMap.fit(x, rows(3, 1, 1), 1)).hasMessageContaining("20 vectors to 3");
        assertThatThrownBy(() -> AffineMap.fit(x, y, 0)).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> map.direction(new double[2])).hasMessageContaining("2 components, expected 3");
        double[][] equal = {{1, 2}, {1, 2}};
        assertThat(AffineMap.fit(equal, new double[][] {{3}, {5}}, 1).apply(new double[] {9, 9}))
                .containsExactly(4);
    }

    private static List<Field> fields(Model model) {
        List<Field> fields = new ArrayList<>();
        for (int p = 0; p < 12; p++) {
            int[] tokens = new int[5 + p % 3];
            for (int t = 0; t < tokens.length; t++) {
                tokens[t] = (7 * p + 11 * t + p * t) % 30;
            }
            fields.add(model.run(tokens).field());
        }
        return fields;
    }

    private static DisplacementTransfer transfer(Model model) {
        return model.run(PROMPT).transfer(model.run(DONOR), Observable.logitDifference(3, 11));
    }

    @Test
    void aModelCarriesToItself() throws IOException {
        try (Model model = TestModels.open(SMALL, leaks.watched(Backends.REFERENCE.open()))) {
            List<Field> fields = fields(model);
            DisplacementTransfer own = transfer(model);
            ResidualMaps maps = ResidualMaps.fit(fields, fields, 1e-9);
            DirectionTransfer carried =
                    DirectionTransfer.of(own, own, maps, ResidualMaps.shuffled(fields, fields, 1e-9, 1));
            for (int g = 0; g <= 2; g++) {
                assertThat(carried.cosine()[g]).isCloseTo(1, within(1e-6));
                assertThat(carried.slice()[g]).isCloseTo(1, within(1e-5));
                assertThat(carried.site()[g]).isCloseTo(carried.ownSite()[g], within(1e-5));
                assertThat(carried.controlCosine()[g]).isLessThan(0.9);
            }
            SiteTransfer sites = SiteTransfer.of(own, own, 2, 3);
            assertThat(sites.sites())
                    .isEqualTo(own.inner(own.ranked(Ranking.PREDICTED)).subList(0, 2));
            assertThat(sites.carried()).isEqualTo(sites.own());
        }
    }

    @Test
    void whatIsCarriedIsAddedWhereItBelongs() throws IOException {
        try (Model small = TestModels.open(SMALL, leaks.watched(Backends.REFERENCE.open()));
                Model large = TestModels.open(LARGE, leaks.watched(Backends.REFERENCE.open()))) {
            List<Field> fieldsA = fields(small);
            List<Field> fieldsB = fields(large);
            DisplacementTransfer a = transfer(small);
            DisplacementTransfer b = transfer(large);
            ResidualMaps maps = ResidualMaps.fit(fieldsA, fieldsB, 0.01);
            ResidualMaps control = ResidualMaps.shuffled(fieldsA, fieldsB, 0.01, 1);
            DirectionTransfer carried = DirectionTransfer.of(a, b, maps, control);
            Run run = large.run(PROMPT);
            Observable f = Observable.logitDifference(3, 11);
            for (int g = 0; g <= 2; g++) {
                Map<Site, double[]> slice = new HashMap<>();
                for (int t = 0; t < PROMPT.length; t++) {
                    double[] vector = maps.at(g).direction(a.displacement().vector(g, t));
                    slice.put(Site.of(2 * g, t), vector);
                    assertThat(maps.displacement(a.displacement(), g)[t]).isEqualTo(vector);
                }
                int token = carried.tokens()[g];
                for (int t = 0; t < PROMPT.length; t++) {
                    assertThat(Math.abs(a.predicted()[g][t])).isLessThanOrEqualTo(Math.abs(a.predicted()[g][token]));
                }
                double[] effects = run.effects(
                        List.of(Source.of(slice), Source.of(Site.of(2 * g, token), slice.get(Site.of(2 * g, token)))),
                        f);
                assertThat(carried.slice()[g]).isCloseTo(effects[0] / b.fullChange(), within(1e-12));
                assertThat(carried.site()[g]).isCloseTo(effects[1] / b.fullChange(), within(1e-12));
                assertThat(carried.ownSite()[g]).isCloseTo(b.single()[2 * g][token] / b.fullChange(), within(1e-9));
            }
            // Sites of the small model's only inner depth stand for those of depth 2 of 4.
            SiteTransfer sites = SiteTransfer.of(a, b, 3, 0);
            List<Site> expected = a.inner(a.ranked(Ranking.PREDICTED)).stream()
                    .limit(3)
                    .map(site -> Site.of(2, site.token()))
                    .toList();
            assertThat(sites.sites()).isEqualTo(expected);
            double all = 0;
            double some = 0;
            for (Site site : b.inner(b.sites())) {
                double size = Math.abs(b.single()[site.depth()][site.token()]);
                all += size;
                some += expected.contains(site) ? size : 0;
            }
            assertThat(sites.carried().share()).isCloseTo(some / all, within(1e-12));
            assertThat(sites.carried().together())
                    .isCloseTo(b.achieved(b.effects(List.of(expected), 1)[0]), within(1e-12));
        }
    }

    @Test
    void shuffledPairsAreOfOtherPrompts() {
        // One prompt a number: were any paired with itself, the map would not be constant.
        List<Field> a = List.of(Field.wrap(2, 1, 1, new double[] {0, 0}), Field.wrap(2, 1, 1, new double[] {1, 1}));
        ResidualMaps swapped = ResidualMaps.shuffled(a, a, 1e-9, 5);
        assertThat(swapped.at(1).apply(new double[] {0})[0]).isCloseTo(1, within(1e-6));
        assertThat(swapped.at(1).apply(new double[] {1})[0]).isCloseTo(0, within(1e-6));
        assertThatThrownBy(() -> ResidualMaps.shuffled(a.subList(0, 1), a.subList(0, 1), 1, 0))
                .hasMessageContaining("at least two");
        assertThatThrownBy(() -> ResidualMaps.fit(a, List.of(), 1)).hasMessageContaining("2 runs of one model and 0");
    }
}
