package dev.greenfield.response;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.engine.SeedVector;
import dev.greenfield.statistics.RandomStreams;
import org.apache.commons.rng.UniformRandomProvider;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random signs are those that single booleans of the same generator would give: seeds mean what they meant when these were drawn. */
class RandomDirectionsTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 5, 63, 64, 65, 768})
    void signsAreThoseOfSingleDraws(int width) {
        for (long seed = -3; seed < 20; seed++) {
            UniformRandomProvider random = RandomStreams.generator(seed);
            double[] expected = new double[width];
            for (int i = 0; i < width; i++) {
                expected[i] = random.nextBoolean() ? 1 : -1;
            }
            long[] bits = RandomDirections.signs(RandomStreams.generator(seed), width);
            assertThat(SeedVector.Signs.of(bits, width)).isEqualTo(expected);
        }
    }
}
