package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which pairs of sites a map holds, and where: those that causality allows and nothing else, however many there are. */
class MapPairsTest {
    private static final int LAYERS = 3;
    private static final int TOKENS = 5;

    private static List<Site> some(List<Site> all, Random random) {
        return all.stream().filter(site -> random.nextInt(3) > 0).toList();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rowsHoldWhatCausalityAllows(boolean halfDepths) {
        List<Site> all = ResponseMap.all(LAYERS, TOKENS, halfDepths);
        int levels = all.size() / TOKENS;
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            List<Site> sources = some(all, random);
            List<Site> targets = some(all, random);
            Cone up = new Cone(true, levels, TOKENS, halfDepths, targets, site -> 1);
            Cone down = new Cone(false, levels, TOKENS, halfDepths, sources, site -> 1);
            MapPairs pairs = new MapPairs(up, halfDepths, sources, targets, site -> 1);
            long next = 0;
            for (Site source : sources) {
                int number = pairs.source(source);
                assertThat(sources.get(number)).isEqualTo(source);
                assertThat(pairs.start(number)).isEqualTo(next);
                int level = pairs.level(source);
                for (Site target : targets) {
                    long at = pairs.at(number, level, source.token(), pairs.level(target), target.token());
                    boolean held = !source.equals(target) && Causality.reaches(source, target);
                    assertThat(at).as("%s from %s", target, source).isEqualTo(held ? next++ : -1);
                    int back = down.at(pairs.level(target), target.token(), level, source.token());
                    assertThat(back >= 0).isEqualTo(held);
                }
            }
            assertThat(pairs.count()).isEqualTo(next);
            for (Site target : targets) {
                List<Integer> places = new ArrayList<>();
                for (Site source : sources) {
                    if (!source.equals(target) && Causality.reaches(source, target)) {
                        places.add(down.at(pairs.level(target), target.token(), pairs.level(source), source.token()));
                    }
                }
                assertThat(places).hasSize(down.length(pairs.level(target), target.token()));
                for (int i = 0; i < places.size(); i++) {
                    assertThat(places.get(i)).isEqualTo(i);
                }
            }
        }
    }

    @Test
    void aTargetMayHaveSeveralNumbersOrNone() {
        List<Site> all = ResponseMap.all(LAYERS, TOKENS, false);
        Cone cone = new Cone(true, LAYERS + 1, TOKENS, false, all, site -> site.token() % 3);
        // From depth 1, token 2: at depths 2 and 3 the tokens 2, 3, 4 with 2, 0 and 1 numbers.
        assertThat(cone.length(1, 2)).isEqualTo(6);
        assertThat(cone.at(1, 2, 2, 2)).isZero();
        assertThat(cone.at(1, 2, 2, 3)).isEqualTo(-1);
        assertThat(cone.at(1, 2, 2, 4)).isEqualTo(2);
        assertThat(cone.at(1, 2, 3, 2)).isEqualTo(3);
        assertThat(cone.at(1, 2, 3, 4)).isEqualTo(5);
        assertThat(cone.at(1, 2, 3, 1)).isEqualTo(-1);
        assertThat(cone.at(1, 2, 1, 2)).isEqualTo(-1);
    }

    /** GPT-2 XL at 1024 tokens: 50,176 sites, whose pairs no array could hold. */
    @Test
    void pairsOfMoreSitesThanAnArrayHasPairsOf() {
        int layers = 48;
        int tokens = 1024;
        List<Site> all = ResponseMap.all(layers, tokens, false);
        assertThat(all).hasSize(50_176);
        Cone cone = new Cone(true, layers + 1, tokens, false, all, site -> 1);
        MapPairs whole = new MapPairs(cone, false, all, all, site -> 1);
        long expected = 49L * 48 / 2 * (1024L * 1025 / 2);
        assertThat(whole.count()).isEqualTo(expected).isEqualTo(617_164_800L);
        int last = whole.source(Site.of(47, 1023));
        assertThat(whole.at(last, 47, 1023, 48, 1023)).isEqualTo(expected - 1);
        assertThat(whole.at(whole.source(Site.of(0, 0)), 0, 0, 48, 1023)).isEqualTo(48L * 1024 - 1);
        // One number a pair for an exact map, two for an estimate: what the heap is asked for.
        assertThat(2 * PairValues.bytes(whole.count(), false)).isEqualTo(4_937_318_400L);

        // All targets of the sources at 8 tokens can be held by this test too.
        List<Site> some = all.stream().filter(site -> site.token() >= 1016).toList();
        MapPairs pairs = new MapPairs(cone, false, some, all, site -> 1);
        assertThat(pairs.count()).isEqualTo(49L * 48 / 2 * (8 * 9 / 2));
        PairValues values = new PairValues("the map", pairs.count(), false);
        ResponseMap map = new ResponseMap(pairs, new double[some.size()], values, null, null);
        values.set(pairs.at(pairs.source(Site.of(3, 1020)), 3, 1020, 48, 1021), 2.5);
        assertThat(map.pairs()).isEqualTo(pairs.count());
        assertThat(map.frobenius(Site.of(3, 1020), Site.of(48, 1021))).isEqualTo(2.5);
        assertThat(map.frobenius(Site.of(3, 1020), Site.of(48, 1019))).isZero();
        assertThat(map.frobenius(Site.of(3, 1), Site.of(48, 1019))).isNaN();
        double[] row = map.frobenius(Site.of(3, 1020));
        assertThat(row).hasSize(50_176);
        assertThat(row[48 * 1024 + 1021]).isEqualTo(2.5);
        assertThatThrownBy(map::frobenius)
                .isInstanceOf(MemoryBudgetException.class)
                .hasMessageContaining("the whole map would have 50176 x 50176 numbers");
    }

    /** Numbers beyond the first chunk, and more than an int counts. */
    @Test
    void valuesHave64BitIndices() {
        long count = (1L << 23) + 5;
        for (boolean wide : new boolean[] {false, true}) {
            PairValues values = new PairValues("the map", count, wide);
            assertThat(values.count()).isEqualTo(count);
            assertThat(values.get(count - 1)).isZero();
            values.set(count - 1, 0.1);
            values.set((1L << 22) - 1, 3);
            values.set(1L << 22, 4);
            assertThat(values.get(count - 1)).isEqualTo(wide ? 0.1 : 0.1f);
            assertThat(values.get((1L << 22) - 1)).isEqualTo(3);
            assertThat(values.get(1L << 22)).isEqualTo(4);
        }
        assertThatThrownBy(() -> new PairValues("the map", Long.MAX_VALUE - (1 << 23), false))
                .isInstanceOf(MemoryBudgetException.class)
                .hasMessageContaining("ask for fewer sources or targets");
    }
}
