package dev.greenfield.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import org.apache.commons.rng.UniformRandomProvider;
import org.junit.jupiter.api.Test;

/** Streams of different names are different, those of one name the same. */
class RandomStreamsTest {
    @Test
    void neighbouringNamesNeverMeet() {
        Set<Long> seeds = new HashSet<>();
        int names = 0;
        for (long seed = -3; seed < 3; seed++) {
            for (int prompt = 0; prompt < 30; prompt++) {
                long own = RandomStreams.prompt(seed, prompt);
                for (Purpose purpose : Purpose.values()) {
                    for (int number = 0; number < 12; number++) {
                        seeds.add(RandomStreams.seed(own, purpose, number));
                        names++;
                    }
                }
            }
        }
        assertThat(seeds).hasSize(names);
    }

    @Test
    void theOrderAndNumberOfPartsCount() {
        Set<Long> seeds = new HashSet<>();
        seeds.add(RandomStreams.seed(1, Purpose.PROBES));
        seeds.add(RandomStreams.seed(1, Purpose.PROBES, 0));
        seeds.add(RandomStreams.seed(1, Purpose.PROBES, 0, 0));
        seeds.add(RandomStreams.seed(1, Purpose.PROBES, 1, 2));
        seeds.add(RandomStreams.seed(1, Purpose.PROBES, 2, 1));
        seeds.add(RandomStreams.seed(2, Purpose.PROBES, 1, 1));
        assertThat(seeds).hasSize(6);
    }

    @Test
    void aNameSaysWhatIsDrawn() {
        UniformRandomProvider one = RandomStreams.of(7, Purpose.SITE_ORDER, 4);
        UniformRandomProvider again = RandomStreams.of(7, Purpose.SITE_ORDER, 4);
        for (int i = 0; i < 100; i++) {
            assertThat(one.nextLong()).isEqualTo(again.nextLong());
        }
    }

    @Test
    void promptsAreUncorrelated() {
        int prompts = 200;
        int draws = 500;
        double[][] drawn = new double[prompts][draws];
        for (int p = 0; p < prompts; p++) {
            UniformRandomProvider random = RandomStreams.of(RandomStreams.prompt(0, p), Purpose.PROBES);
            for (int i = 0; i < draws; i++) {
                drawn[p][i] = random.nextDouble();
            }
        }
        double sum = 0;
        for (int p = 1; p < prompts; p++) {
            double r = PairMoments.of(drawn[p - 1], drawn[p]).pearson();
            assertThat(Math.abs(r)).isLessThan(0.25); // 5.6 standard errors
            sum += r;
        }
        assertThat(sum / (prompts - 1)).isCloseTo(0, within(5 / Math.sqrt((double) draws * prompts)));
    }
}
