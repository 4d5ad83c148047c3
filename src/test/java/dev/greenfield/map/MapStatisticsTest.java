package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MapStatisticsTest {
    private static MapStatistics of(double[]... maps) {
        MapStatistics statistics = new MapStatistics(1, 1);
        for (double[] map : maps) {
            statistics.add(map);
        }
        return statistics;
    }

    @Test
    void ofNumbersThatCanBeDoneByHand() {
        MapStatistics statistics = of(new double[] {1}, new double[] {2}, new double[] {6});
        assertThat(statistics.count()).isEqualTo(3);
        assertThat(statistics.mean()).containsExactly(3);
        assertThat(statistics.variance()).containsExactly(7); // (4 + 1 + 9) / 2
    }

    @Test
    void aLargeCommonPartCostsNoDigits() {
        double[][] maps = {{1e9 + 4}, {1e9 + 7}, {1e9 + 13}, {1e9 + 16}};
        assertThat(of(maps).variance()[0]).isCloseTo(30, within(1e-9));
    }

    @Test
    void levelsOfSourcesMakeTheWhole() {
        Random random = new Random(1);
        MapStatistics whole = new MapStatistics(3, 2);
        SourceLevelStatistics[] levels = new SourceLevelStatistics[3];
        Arrays.setAll(levels, level -> new SourceLevelStatistics(3, 2));
        for (int map = 0; map < 4; map++) {
            double[] norms = random.doubles(36).toArray();
            for (int i = 0; i < 36; i++) {
                int source = i / 6;
                int target = i % 6;
                if (target != source && (target / 2 <= source / 2 || target % 2 < source % 2)) {
                    norms[i] = 0;
                }
            }
            whole.add(norms);
            for (int level = 0; level < 3; level++) {
                levels[level].add(Arrays.copyOfRange(norms, 12 * level, 12 * level + 12));
            }
        }
        for (int level = 0; level < 3; level++) {
            assertThat(levels[level].mean())
                    .containsExactly(Arrays.copyOfRange(whole.mean(), 12 * level, 12 * level + 12));
            assertThat(levels[level].variance())
                    .containsExactly(Arrays.copyOfRange(whole.variance(), 12 * level, 12 * level + 12));
            assertThat(Arrays.stream(levels[level].mean()).sum()).isPositive();
        }
        assertThatThrownBy(() -> levels[0].add(whole.mean()))
                .isInstanceOf(InputException.class)
                .hasMessage("found 36 pairs of one source level, expected 12, those of 3 levels and 2 tokens");
    }

    @Test
    void whatIsWrittenIsReadAgain() throws IOException, ClassNotFoundException {
        MapStatistics before = new MapStatistics(2, 2);
        double nan = Double.NaN;
        before.add(new double[] {1, 0, 2, 3, nan, 1, 0, 4, nan, 0, 1, 0, 0, 0, 0, 1});
        before.add(new double[] {1, 0, 4, 7, 0, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 1});
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(before);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            MapStatistics after = (MapStatistics) in.readObject();
            assertThat(after.count()).isEqualTo(2);
            assertThat(after.mean()).containsExactly(before.mean());
            assertThat(after.variance()).containsExactly(before.variance());
            assertThat(after.mean()[3]).isEqualTo(5);
            assertThat(after.mean()[4]).isNaN();
        }
    }

    @Test
    void combinedStatisticsAreThoseOfAll() throws IOException {
        try (Model model =
                Greenfield.load("random:2,2,16,30,12,seed=4", Options.defaults().backend("reference"))) {
            MapStatistics all = new MapStatistics(3, 4);
            MapStatistics[] parts = {new MapStatistics(3, 4), new MapStatistics(3, 4)};
            for (int p = 0; p < 5; p++) {
                ResponseMap map =
                        model.run(p, 3, 2 * p, 7).responseMap().exact().compute();
                all.add(map);
                parts[p < 2 ? 0 : 1].add(map);
            }
            parts[0].combine(parts[1]);
            parts[0].combine(new MapStatistics(3, 4));
            assertThat(parts[0].count()).isEqualTo(5);
            assertThat(parts[0].mean()).containsExactly(all.mean(), within(1e-14));
            assertThat(parts[0].variance()).containsExactly(all.variance(), within(1e-14));
            assertThat(Arrays.stream(all.variance()).max().orElseThrow()).isGreaterThan(1e-6);
        }
    }

    @Test
    void pairsThatWereNotAskedForStayUnknown() throws IOException {
        try (Model model =
                Greenfield.load("random:1,2,16,30,12,seed=4", Options.defaults().backend("reference"))) {
            MapStatistics statistics = new MapStatistics(2, 2);
            for (int p = 0; p < 2; p++) {
                statistics.add(model.run(p, 3)
                        .responseMap()
                        .exact()
                        .sources(List.of(Site.of(0, 1)))
                        .compute());
            }
            double[] mean = statistics.mean();
            for (int i = 0; i < mean.length; i++) {
                assertThat(Double.isNaN(mean[i])).isEqualTo(i / 4 != 1);
                assertThat(Double.isNaN(statistics.variance()[i])).isEqualTo(i / 4 != 1);
            }
        }
    }

    @Test
    void refusesOtherShapesAndTooFew() throws IOException {
        MapStatistics one = of(new double[] {1});
        assertThatThrownBy(one::variance)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("at least two");
        assertThatThrownBy(new MapStatistics(2, 2)::mean).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> one.add(new double[4])).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> one.combine(new MapStatistics(1, 2)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("1 levels and 2 tokens");
        try (Model model =
                Greenfield.load("random:1,2,16,30,12,seed=4", Options.defaults().backend("reference"))) {
            ResponseMap map = model.run(1, 2).responseMap().exact().compute();
            assertThatThrownBy(() -> new MapStatistics(2, 3).add(map))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("2 levels and 2 tokens, expected 2 levels and 3 tokens");
        }
    }
}
