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
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.NaiveTransformer;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Parts of displacements, against a transformer written out from its equations with all sites of a part replaced. */
class DisplacementTransferTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22, 8};
    private static final int[] DONOR = {3, 5, 9, 1, 22, 8};
    private static final double[] ALPHAS = {-0.5, 0, 0.5, 1, 1.5};
    private static final int LAYERS = 3;
    private static final int POSITION = 4;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static Observable difference() {
        return Observable.logitDifference(3, 11).at(POSITION);
    }

    /** F with the stream at some sites replaced by own + alpha (donor - own), all recomputed by the other implementation. */
    private static double direct(Model model, List<Site> sites, double alpha) {
        NaiveTransformer naive = new NaiveTransformer(model.source());
        double[][][] own = naive.run(PROMPT, Map.of());
        double[][][] donor = naive.run(DONOR, Map.of());
        Map<Site, double[]> replaced = new HashMap<>();
        for (Site site : sites) {
            double[] vector = own[site.halfDepth().index()][site.token()].clone();
            for (int i = 0; i < vector.length; i++) {
                vector[i] += alpha * (donor[site.halfDepth().index()][site.token()][i] - vector[i]);
            }
            replaced.put(site, vector);
        }
        return naive.value(naive.run(PROMPT, replaced), difference());
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void everyPartAchievesWhatTheReplacedRunsDo(Backends kind) throws IOException {
        double bound = kind == Backends.REFERENCE ? 1e-9 : 2e-3;
        try (Model model = TestModels.open(MODEL, leaks.watched(kind.open()))) {
            DisplacementTransfer transfer = model.run(PROMPT).transfer(model.run(DONOR), difference());
            AmplitudeCurves curves = transfer.curves(ALPHAS, 3);
            double value = direct(model, List.of(), 0);
            double full = direct(model, column(0, PROMPT.length), 1);
            assertThat(full).as("all tokens at depth 0 are the donor's prompt").isNotEqualTo(value);
            for (int a = 0; a < ALPHAS.length; a++) {
                for (int l = 0; l <= LAYERS; l++) {
                    List<Site> slice = new ArrayList<>();
                    for (int t = 0; t < PROMPT.length; t++) {
                        slice.add(Site.of(l, t));
                        check(model, List.of(Site.of(l, t)), a, curves.sites()[a][l][t], value, full, bound);
                    }
                    check(model, slice, a, curves.slices()[a][l], value, full, bound);
                }
                for (int t = 0; t < PROMPT.length; t++) {
                    List<Site> column = new ArrayList<>();
                    for (int l = 0; l <= LAYERS; l++) {
                        column.add(Site.of(l, t));
                    }
                    check(model, column, a, curves.columns()[a][t], value, full, bound);
                }
                for (Ranking by : Ranking.values()) {
                    for (int n = 1; n <= 3; n++) {
                        List<Site> top = curves.leading(by).subList(0, n);
                        check(model, top, a, curves.top(by)[a][n - 1], value, full, bound);
                    }
                }
            }
        }
    }

    private static List<Site> column(int depth, int tokens) {
        List<Site> sites = new ArrayList<>();
        for (int t = 0; t < tokens; t++) {
            sites.add(Site.of(depth, t));
        }
        return sites;
    }

    private static void check(
            Model model, List<Site> part, int a, double achieved, double value, double full, double bound) {
        double expected = (direct(model, part, ALPHAS[a]) - value) / (full - value);
        assertThat(achieved)
                .as("%s at %s", part, ALPHAS[a])
                .isCloseTo(expected, within(bound * Math.max(1, Math.abs(expected))));
    }

    @Test
    void whatMustBeExactIsExact() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            DisplacementTransfer transfer = run.transfer(model.run(DONOR), difference());
            AmplitudeCurves curves = transfer.curves(ALPHAS, 100);
            assertThat(curves.nearestToOne()).isEqualTo(3);
            for (int l = 0; l <= LAYERS; l++) {
                assertThat(curves.slices()[3][l]).isCloseTo(1, within(1e-10));
                assertThat(curves.slices()[1][l]).isZero();
                assertThat(curves.sites()[3][l][0])
                        .as("before the first word that differs")
                        .isZero();
                assertThat(curves.sites()[3][l][5]).as("after F's token").isZero();
                assertThat(transfer.single()[l])
                        .isEqualTo(
                                run.patchSweep(model.run(DONOR), difference()).measured()[l]);
            }
            assertThat(curves.columns()[3][POSITION]).isCloseTo(1, within(1e-10));
            assertThat(curves.columns()[3][0]).isZero();
            // Depth 0: tokens 1 and 3. Above, tokens 1 to 4; at the last depth F's alone.
            assertThat(transfer.sites()).hasSize(2 + 4 + 4 + 1);
            assertThat(curves.leading(Ranking.SENSITIVITY)).hasSize(8).doesNotHaveDuplicates();
            assertThat(curves.top(Ranking.PREDICTED)[3][7]).isCloseTo(1, within(1e-10));
            assertThat(transfer.shuffled(5, 0))
                    .containsExactlyInAnyOrderElementsOf(transfer.sites())
                    .isEqualTo(transfer.shuffled(5, 0))
                    .isNotEqualTo(transfer.shuffled(5, 1));
        }
    }

    @Test
    void addingAtSitesDownstreamOfEachOtherCountsTwice() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            // Linear in the last residual, where the stream of the token itself is most of the response.
            Observable f = Observable.linear(normal(77, 16)).at(3);
            DisplacementTransfer transfer = run.transfer(model.run(DONOR), f);
            List<List<Site>> column = List.of(transfer.column(3));
            assertThat(transfer.achieved(transfer.effects(column, 1)[0])).isCloseTo(1, within(1e-10));
            assertThat(transfer.achieved(transfer.addedEffects(column, 1)[0])).isGreaterThan(2);
            List<List<Site>> slice = List.of(transfer.slice(1));
            assertThat(transfer.addedEffects(slice, 0.5)[0]).isCloseTo(transfer.effects(slice, 0.5)[0], within(1e-12));
        }
    }

    @Test
    void smallAmplitudesFollowFirstOrder() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            DisplacementTransfer transfer = model.run(PROMPT).transfer(model.run(DONOR), difference());
            double step = 1e-5;
            double[][] up = transfer.curves(new double[] {step}, 1).sites()[0];
            double[][] down = transfer.curves(new double[] {-step}, 1).sites()[0];
            double[][] predicted = transfer.predicted();
            for (Site site : transfer.sites()) {
                int l = site.depth();
                int t = site.token();
                double slope = (up[l][t] - down[l][t]) / (2 * step) * transfer.fullChange();
                assertThat(slope).isCloseTo(predicted[l][t], within(1e-6));
            }
        }
    }

    @Test
    void runsThatHaveNoDisplacementAreRefused() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            assertThatThrownBy(() -> run.transfer(model.run(1, 2), difference()))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("6 and 2 tokens");
            DisplacementTransfer transfer = run.transfer(model.run(DONOR), difference());
            assertThatThrownBy(() -> transfer.curves(new double[0], 1)).hasMessageContaining("no amplitude");
            assertThatThrownBy(() -> transfer.curves(ALPHAS, 0)).hasMessageContaining("expected 1 or more");
            assertThatThrownBy(() -> transfer.effects(List.of(transfer.slice(0)), Double.NaN))
                    .hasMessageContaining("NaN");
        }
    }
}
