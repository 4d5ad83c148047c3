package dev.greenfield.propagation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.failure.InputException;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.statistics.Estimate;
import java.io.IOException;
import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.core.source64.SplitMix64;
import org.apache.commons.rng.core.source64.XoRoShiRo128PlusPlus;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.junit.jupiter.api.Test;

/** Measures of made-up maps whose decay and spread are known. */
class MapMeasuresTest {
    private static final int LEVELS = 4;
    private static final int TOKENS = 8;
    private static final MapMeasures.Settings SETTINGS = MapMeasures.Settings.seeded(3);

    private interface Norm {
        double at(int source, int depthDistance, int tokenDistance);
    }

    /** A map of whole depths; {@code source} numbers the sites. */
    private static double[] map(int levels, int tokens, Norm norm) {
        double[] norms = new double[levels * tokens * levels * tokens];
        for (int l = 0; l < levels; l++) {
            for (int t = 0; t < tokens; t++) {
                int source = l * tokens + t;
                norms[(source * levels + l) * tokens + t] = 4; // the identity
                for (int d = 1; l + d < levels; d++) {
                    for (int r = 0; t + r < tokens; r++) {
                        norms[(source * levels + l + d) * tokens + t + r] = norm.at(source, d, r);
                    }
                }
            }
        }
        return norms;
    }

    private static MapMeasures measures(double[] norms, MapMeasures.Settings settings) {
        return MapMeasures.of(norms, LEVELS, TOKENS, false, settings);
    }

    @Test
    void profilesHoldThePairsAtEachDistance() {
        DistanceProfile profile = measures(map(LEVELS, TOKENS, (s, d, r) -> s + 100 * d + 1000 * r), SETTINGS)
                .profile();
        // Sites below the last level; from level 0 and 1 at depth distance 2; tokens 0 to 4 at token distance 3.
        assertThat(profile.count(0, 0)).isEqualTo(24);
        assertThat(profile.mean(0, 0)).isEqualTo(4);
        assertThat(profile.count(0, 1)).isZero();
        assertThat(profile.median(0, 1)).isNaN();
        assertThat(profile.count(2, 3)).isEqualTo(10);
        // Sources 0 to 4 and 8 to 12.
        assertThat(profile.median(2, 3)).isEqualTo(3206);
        assertThat(profile.mean(2, 3)).isCloseTo(3206, within(1e-9));
        assertThat(profile.median(3, 0)).isEqualTo(303.5);
        assertThat(profile.moved(3)).isEqualTo(28);
        assertThat(profile.moved()).isEqualTo(28 * 6);
    }

    @Test
    void aPowerLawIsFoundAtEveryDepthDistance() {
        MapMeasures found = measures(map(LEVELS, TOKENS, (s, d, r) -> r == 0 ? 50 : Math.pow(r, -0.8)), SETTINGS);
        assertThat(found.sources()).isEqualTo(24);
        assertThat(found.resamples()).isEqualTo(1000);
        assertThat(found.decay().exponent().value()).isCloseTo(0.8, within(1e-12));
        assertThat(found.exponent().low()).isCloseTo(0.8, within(1e-9));
        assertThat(found.exponent().high()).isCloseTo(0.8, within(1e-9));
        assertThat(found.distances()).hasSize(3);
        for (MapMeasures.AtDistance at : found.distances()) {
            assertThat(at.decay().exponent().value()).isCloseTo(0.8, within(1e-12));
            assertThat(at.exponent().value()).isCloseTo(0.8, within(1e-12));
        }
    }

    @Test
    void aKnownShiftIsFoundAtEveryDepthDistance() {
        // All energy goes d tokens on, or as far as the prompt allows.
        MapMeasures found =
                measures(map(LEVELS, TOKENS, (s, d, r) -> r == Math.min(d, TOKENS - 1 - s % TOKENS) ? 2 : 0), SETTINGS);
        double[] room = {4, 4, 4};
        for (MapMeasures.AtDistance at : found.distances()) {
            int d = at.levels();
            assertThat(at.rows()).as("no row from the last token").isEqualTo(7 * (LEVELS - d));
            double mean = 0;
            for (int left = 1; left < TOKENS; left++) {
                mean += Math.min(d, left) / 7.0;
            }
            assertThat(at.displacement().value()).isCloseTo(mean, within(1e-12));
            assertThat(at.front().value()).isCloseTo(mean, within(1e-12));
            assertThat(at.room()).isEqualTo(room[d - 1]);
            assertThat(at.tokenShare()).isEqualTo(new Estimate(1, 1, 1));
            assertThat(at.entropy().value()).isZero();
            assertThat(at.participation().value()).isEqualTo(1);
        }
        assertThat(found.distances().get(0).displacement()).isEqualTo(new Estimate(1, 1, 1));
        assertThat(found.distances().get(0).decay().undefined())
                .isEqualTo("found 1 token distances with a norm above zero and 6 with zero, a fit takes 3");
        assertThat(found.distances().get(0).exponent().value()).isNaN();
    }

    @Test
    void anEvenSpreadHasFullEntropy() {
        MapMeasures found = measures(map(LEVELS, TOKENS, (s, d, r) -> 0.1), SETTINGS);
        for (MapMeasures.AtDistance at : found.distances()) {
            assertThat(at.normalizedEntropy().value()).isCloseTo(1, within(1e-12));
            // Rows of 2 to 8 tokens.
            assertThat(at.participation().value()).isCloseTo(5, within(1e-12));
            assertThat(at.front().value()).isEqualTo(4);
            assertThat(at.participation().low()).isLessThan(5);
            assertThat(at.participation().high()).isGreaterThan(5);
        }
    }

    @Test
    void restrictedMapsAreMeasuredWhereTheyAreComplete() {
        double[] norms = map(LEVELS, TOKENS, (s, d, r) -> 1 / (1.0 + r));
        MapMeasures whole = measures(norms, SETTINGS);
        // One target is missing: at depth distance 1 the rows from level 1 of tokens 0 to 5 lose it.
        double[] holed = norms.clone();
        for (int s = 0; s < LEVELS * TOKENS; s++) {
            holed[(s * LEVELS + 2) * TOKENS + 5] = Double.NaN;
        }
        MapMeasures some = measures(holed, SETTINGS);
        assertThat(some.distances().get(0).incomplete()).isEqualTo(6);
        assertThat(some.distances().get(0).rows())
                .isEqualTo(whole.distances().get(0).rows() - 6);
        assertThat(some.profile().count(1, 2)).isEqualTo(whole.profile().count(1, 2) - 1);
        // Three sources only: numbers, but no intervals.
        Arrays.fill(holed, Double.NaN);
        for (int s : new int[] {0, 1, 9}) {
            System.arraycopy(norms, s * LEVELS * TOKENS, holed, s * LEVELS * TOKENS, LEVELS * TOKENS);
        }
        MapMeasures few = measures(holed, SETTINGS);
        assertThat(few.sources()).isEqualTo(3);
        assertThat(few.resamples()).isZero();
        assertThat(few.distances().get(1).rows()).isEqualTo(3);
        assertThat(few.distances().get(1).tokenShare().hasInterval()).isFalse();
        assertThat(few.distances().get(1).exponent().value()).isNotNaN();
        assertThat(few.exponent().hasInterval()).isFalse();
        // Nothing but zeros off the diagonal.
        MapMeasures dead = measures(map(LEVELS, TOKENS, (s, d, r) -> 0), SETTINGS);
        assertThat(dead.distances().get(0).zero()).isEqualTo(21);
        assertThat(dead.distances().get(0).rows()).isZero();
        assertThat(dead.distances().get(0).displacement().value()).isNaN();
    }

    @Test
    void theSameSeedGivesTheSameIntervals() {
        double[] norms = map(LEVELS, TOKENS, (s, d, r) -> (1 + s % 5) / (1.0 + r));
        Estimate first = measures(norms, SETTINGS).distances().get(0).entropy();
        norms = map(LEVELS, TOKENS, (s, d, r) -> 1 / (1.0 + r + s % 5));
        Estimate one = measures(norms, SETTINGS).distances().get(0).entropy();
        assertThat(measures(norms, SETTINGS).distances().get(0).entropy()).isEqualTo(one);
        assertThat(measures(norms, MapMeasures.Settings.seeded(4))
                        .distances()
                        .get(0)
                        .entropy())
                .isNotEqualTo(one);
        assertThat(first.value()).as("scales of sources do not matter").isNotEqualTo(one.value());
        assertThatThrownBy(() -> new MapMeasures.Settings(0.01, 1, 100, 0)).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> MapMeasures.of(new double[5], 2, 2, false, SETTINGS))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void mediansOfResamplesAreThoseOfTheRepeatedValues() {
        SortedNorms norms = new SortedNorms(new double[] {5, 1, 3, 3, 9}, new int[] {0, 1, 2, 3, 4});
        assertThat(norms.median()).isEqualTo(3);
        assertThat(norms.median(new int[] {1, 1, 1, 1, 1})).isEqualTo(3);
        assertThat(norms.median(new int[] {2, 0, 0, 0, 1})).isEqualTo(5);
        assertThat(norms.median(new int[] {1, 0, 0, 0, 1})).isEqualTo(7);
        assertThat(norms.median(new int[] {0, 2, 1, 1, 0})).isEqualTo(2);
        assertThat(norms.median(new int[5])).isNaN();
    }

    /** Sources differ at random around a law; the interval of the exponent over sources covers it about as often as it says. */
    @Test
    void bootstrapIntervalsCoverTheTruth() {
        int levels = 6;
        int tokens = 10;
        int draws = 150;
        int covered = 0;
        // Token distances 0 and 1 to 9 with norms 1 and r^-0.8 for every source: the share depends on the source's
        // noise alone.
        for (int draw = 0; draw < draws; draw++) {
            SplitMix64 seeds = new SplitMix64(draw);
            UniformRandomProvider random = new XoRoShiRo128PlusPlus(seeds.nextLong(), seeds.nextLong());
            ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
            double[] exponents = new double[levels * tokens];
            for (int s = 0; s < exponents.length; s++) {
                exponents[s] = 0.8 + 0.4 * normal.sample();
            }
            double[] norms = map(levels, tokens, (s, d, r) -> r == 0 ? 1 : Math.pow(r, -exponents[s]));
            MapMeasures found =
                    MapMeasures.of(norms, levels, tokens, false, new MapMeasures.Settings(0.01, 0.9, 300, draw));
            Estimate exponent = found.exponent();
            covered += exponent.low() <= 0.8 && 0.8 <= exponent.high() ? 1 : 0;
        }
        // Nominally 135 of 150; percentile intervals of few clusters are known to be somewhat narrow.
        assertThat(covered).isBetween(115, 149);
    }

    @Test
    void aMapThatIsTooLargeIsMeasuredInPart() throws IOException {
        try (Model model =
                Greenfield.load("random:3,2,16,30,12,seed=4", Options.defaults().backend("reference"))) {
            ResponseMap map =
                    model.run(3, 1, 4, 1, 5, 9, 2, 6).responseMap().exact().compute();
            MapMeasures whole = MapMeasures.of(map, SETTINGS);
            assertThat(whole.sources()).isEqualTo(24);
            assertThat(whole.allSources()).isEqualTo(24);
            // 32 sources of 32 sites, a quarter of which they reach: 256 pairs, of which 100 are wanted.
            MapMeasures part = MapMeasures.of(map, SETTINGS, 0, 8, 100);
            assertThat(part.allSources()).isEqualTo(24);
            assertThat(part.sources()).isEqualTo((int) (24 * 100.0 / 256));
            assertThat(part.decay().exponent().value()).isFinite();
            assertThat(part.profile().count(1, 0))
                    .isLessThan(whole.profile().count(1, 0))
                    .isPositive();
        }
    }
}
