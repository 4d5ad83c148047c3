package dev.greenfield.regime;

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
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Regimes of all sites against those of one site at a time. */
class RegimeMapTest {
    private static final String MODEL = "random:2,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4};
    private static final int WIDTH = 16;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @Test
    void allSitesAreAsOneAtATime() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            Observable f = Observable.linear(normal(77, WIDTH)).at(2);
            Map<Site, double[][]> directions = new LinkedHashMap<>();
            for (int h = 0; h <= 4; h++) {
                for (int t = 0; t < PROMPT.length; t++) {
                    Site site = new Site(h / 2, h % 2 == 1, t);
                    directions.put(site, new double[][] {normal(10 * h + t, WIDTH)});
                }
            }
            RegimeGrid grid = RegimeGrid.of(1e-3, 1e-2, 0.1, 1);
            RegimeMap map = run.regimeMap(SiteVectors.of(directions), f, grid);
            assertThat(map.levels()).isEqualTo(5);
            assertThat(map.halfDepths()).isTrue();
            int seen = 0;
            for (Site site : directions.keySet()) {
                int h = site.halfDepth().index();
                // Above the last attention only the token that is read matters; after it, none.
                boolean visible = site.token() == 2 || (site.token() < 2 && h <= 2);
                assertThat(map.at(site).isPresent()).as(site.toString()).isEqualTo(visible);
                if (!visible) {
                    assertThat(map.radius(1)[h][site.token()]).isNaN();
                    continue;
                }
                seen++;
                Source source = run.relativeSource(site, directions.get(site)[0]);
                double norm = (site.middle() ? run.middleField() : run.field()).norm(site.depth(), site.token());
                assertThat(source.norm()).isCloseTo(norm, within(1e-12));
                LinearRegime alone = run.linearRegimes(List.of(source), f, grid).get(0);
                LinearRegime together = map.at(site).orElseThrow();
                for (int i = 0; i < 4; i++) {
                    assertThat(together.radius(i).kind())
                            .isEqualTo(alone.radius(i).kind());
                    assertThat(together.radius(i).low())
                            .isCloseTo(alone.radius(i).low(), within(1e-9));
                    assertThat(map.radius(i)[h][site.token()])
                            .isEqualTo(together.radius(i).value());
                    assertThat(map.predictedRadius(i)[h][site.token()])
                            .isEqualTo(together.predictedRadius(grid.tolerances()[i]));
                }
                assertThat(together.measured()).containsExactly(alone.measured(), within(1e-12));
                assertThat(together.opposite()).containsExactly(alone.opposite(), within(1e-12));
            }
            assertThat(map.regimes()).hasSize(seen);
        }
    }

    @Test
    void littleMemoryOnlyCutsBatches() throws IOException {
        double[][][] radii = new double[2][][];
        for (int i = 0; i < 2; i++) {
            // 100 KiB leave room for a few sources at a time.
            long memory = i == 0 ? 0 : 100 << 10;
            try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()), memory)) {
                Run run = model.run(PROMPT);
                Observable f = Observable.linear(normal(77, WIDTH));
                radii[i] = run.regimeMap(SiteVectors.of(run.sensitivity(f).field()), f, RegimeGrid.standard())
                        .radius(2);
            }
        }
        assertThat(Errors.flat(radii[1])).containsExactly(Errors.flat(radii[0]), within(1e-9));
    }

    @Test
    void sitesWithoutADirectionAreLeftOut() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            Observable f = Observable.linear(normal(77, WIDTH));
            Site moved = Site.of(0, 1);
            Site still = Site.of(1, 1);
            RegimeMap map = run.regimeMap(
                    SiteVectors.of(Map.of(
                            moved, new double[][] {normal(1, WIDTH)}, still, new double[][] {new double[WIDTH]})),
                    f,
                    RegimeGrid.of(0.1));
            assertThat(map.levels()).isEqualTo(3);
            assertThat(map.at(still)).isEmpty();
            assertThat(map.regimes()).hasSize(1);
            assertThatThrownBy(() -> run.regimeMap(
                            SiteVectors.of(Map.of(still, new double[][] {new double[WIDTH]})),
                            f,
                            RegimeGrid.standard()))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("no site to measure");
            assertThatThrownBy(() -> run.regimeMap(
                            SiteVectors.of(Map.of(moved, new double[][] {normal(1, WIDTH), normal(2, WIDTH)})),
                            f,
                            RegimeGrid.standard()))
                    .hasMessageContaining("2 directions");
            assertThatThrownBy(() -> run.relativeSource(moved, new double[WIDTH]))
                    .hasMessageContaining("is zero");
        }
    }
}
