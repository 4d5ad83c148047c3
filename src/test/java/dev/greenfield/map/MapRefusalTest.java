package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.response.SweepMode;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Directions, projections and gains that a map refuses, with what was found and what was expected. */
class MapRefusalTest {
    private static final int WIDTH = 8;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private Model model;
    private Run run;

    @BeforeEach
    void open() throws IOException {
        model = TestModels.open("random:2,2,8,20,12,seed=4", leaks.watched(Backends.REFERENCE.open()));
        run = model.run(1, 2, 3);
    }

    @AfterEach
    void close() {
        model.close();
    }

    private static SiteVectors one(Site site) {
        return SiteVectors.of(Map.of(site, new double[1][WIDTH]));
    }

    private static void refused(ThrowingCallable call, String... parts) {
        refused(InputException.class, call, parts);
    }

    private static void refused(Class<?> failure, ThrowingCallable call, String... parts) {
        assertThatThrownBy(call)
                .isInstanceOf(failure)
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("\n");
    }

    @Test
    void vectorsThatAreNone() {
        refused(() -> SiteVectors.of(Map.of()), "found no site, expected at least one");
        refused(
                () -> SiteVectors.of(Map.of(Site.of(1, 2), new double[0][])),
                "(depth 1, token 2) has no vectors: expected at least one");
        double[][] bad = {new double[WIDTH], {1, 2, Double.NaN}};
        refused(() -> SiteVectors.of(Map.of(Site.of(1, 2), bad)), "vector 1 at site (depth 1, token 2)", "not finite");
        bad[1][2] = Double.NEGATIVE_INFINITY;
        refused(() -> SiteVectors.of(Map.of(Site.of(1, 2), bad)), "not finite");
    }

    @Test
    void vectorsThatDoNotFitTheRun() {
        SiteVectors shorter = SiteVectors.of(Map.of(Site.of(1, 2), new double[1][WIDTH - 1]));
        refused(() -> run.responseMap().directions(shorter), "direction 0", "has 7 components, expected 8, the width");
        refused(() -> run.responseMap().projections(shorter), "projection vector 0", "7 components, expected 8");
        refused(
                () -> run.responseMap().directions(one(Site.of(1, 3))),
                "site (depth 1, token 3)",
                "expected a depth of at most 2 and a token from 0 to 2");
        refused(() -> run.responseMap().projections(one(Site.of(3, 0))), "site (depth 3, token 0): not in this run");
        refused(
                () -> run.responseMap().directions(one(Site.mid(0, 0))).compute(),
                "half depth: ask for half depths as well");
        refused(
                () -> run.responseMap().gain(model.run(1, 2).sensitivity(Observable.logit("#1"))),
                "has shape [3, 2, 8], expected [3, 3, 8]");
    }

    @Test
    void directionsThatTheRequestContradicts() {
        refused(
                () -> run.responseMap()
                        .directions(one(Site.of(0, 0)))
                        .mode(SweepMode.ADJOINT)
                        .compute(),
                "pushed forward, found adjoint mode: leave the mode at auto or forward");
        refused(
                () -> run.responseMap()
                        .directions(one(Site.of(0, 0)))
                        .sources(List.of(Site.of(0, 0), Site.of(0, 1)))
                        .plan(),
                "source (depth 0, token 1) has no directions");
    }

    @Test
    void questionsThatTheMapCannotAnswer() {
        ResponseMap plain = run.responseMap().compute();
        refused(plain::projections, "no projections: ask for it");
        refused(plain::gain, "no gain: ask for it");
        ResponseMap map = run.responseMap()
                .directions(one(Site.of(0, 0)))
                .projections(one(Site.of(2, 2)))
                .compute();
        refused(map::gain, "no gain");
        Projections projections = map.projections();
        assertThat(projections.signed(Site.of(0, 0), 0, Site.of(2, 2), 0)).isEqualTo(0.0);
        refused(() -> projections.norm(Site.of(0, 1), Site.of(2, 2), 0), "is not a source of this map");
        refused(() -> projections.norm(Site.of(0, 0), Site.of(2, 1), 0), "it has none");
        refused(() -> projections.norm(Site.of(0, 0), Site.of(2, 2), 1), "vector 1", "it has 0 to 0");
        refused(() -> projections.signed(Site.of(0, 0), 1, Site.of(2, 2), 0), "direction 1", "expected 0 to 0");
        Projections all = run.responseMap()
                .exact()
                .projections(one(Site.of(2, 2)))
                .compute()
                .projections();
        refused(
                () -> all.signed(Site.of(0, 0), 0, Site.of(2, 2), 0),
                "signed projections need given directions: found a map of all ones");
    }

    @Test
    void mapsThatTheHeapCannotHoldAreRefusedBeforeWorkStarts() throws IOException {
        int tokens = 2048;
        try (Model deep = TestModels.open("random:60,1,4,8," + tokens, leaks.watched(Backends.CPU.open()))) {
            Run long2048 = deep.run(new int[tokens]);
            // 61 60 / 2 pairs of depths and 2048 2049 / 2 of tokens, 8 bytes each, and what their columns take.
            String pairs = "the map of 3839662080 pairs of sites would take 28.";
            refused(
                    MemoryBudgetException.class,
                    () -> long2048.responseMap().probes(2).plan(),
                    pairs,
                    "GiB, Java's heap has",
                    "give Java more with -Xmx, name an overflow directory, or ask for fewer sources or targets");
            refused(
                    MemoryBudgetException.class,
                    () -> long2048.responseMap().probes(2).compute(),
                    pairs);
            // What is asked for counts, not how large the model is.
            List<Site> last = List.of(Site.of(60, tokens - 1));
            ResponseMap some = long2048.responseMap()
                    .probes(2)
                    .sources(List.of(Site.of(59, tokens - 2), Site.of(58, 5)))
                    .targets(last)
                    .compute();
            assertThat(some.pairs()).isEqualTo(2);
            assertThat(some.frobenius(Site.of(59, tokens - 2), last.get(0))).isPositive();
        }
    }
}
