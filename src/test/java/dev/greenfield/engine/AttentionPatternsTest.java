package dev.greenfield.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.reference.ReferenceProbabilities;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.ModelSource;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention probabilities of a run are those that the oracle's derivatives work with, on every backend. */
class AttentionPatternsTest {
    private static final int[] TOKENS = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** Learned positions; soft cap, windows and shared keys; norms of heads; parallel halves; scores without a scale. */
    static Stream<String> models() {
        return Stream.concat(
                Stream.of("random:2,2,16,40,16,seed=1"),
                Stream.of("gemma2", "qwen3", "gpt_neox", "gpt_neo", "qwen2-window")
                        .map(name -> "src/test/data/models/families/" + name));
    }

    @ParameterizedTest
    @MethodSource("models")
    void areThoseOfTheOracle(String spec) throws IOException {
        try (ModelSource source = ModelSource.open(spec)) {
            double[][] expected = new double[source.config().layers()][];
            for (Backends which : List.of(Backends.REFERENCE, Backends.tested().get(0))) {
                try (Backend backend = which.open();
                        DeviceModel model = new DeviceModel(source, backend);
                        Linearization run = new Linearization(model, TOKENS)) {
                    for (int l = 0; l < expected.length; l++) {
                        double[] patterns = run.attention(l);
                        if (which == Backends.REFERENCE) {
                            expected[l] = ReferenceProbabilities.of(
                                    run.block(HalfDepth.ofDepth(l)).attention().attention());
                        }
                        double tolerance = which == Backends.REFERENCE ? 1e-12 : 2e-5;
                        assertThat(patterns).hasSameSizeAs(expected[l]);
                        for (int i = 0; i < patterns.length; i++) {
                            assertThat(patterns[i]).isCloseTo(expected[l][i], within(tolerance));
                            assertThat(patterns[i] == 0).isEqualTo(expected[l][i] == 0);
                        }
                        rowsSumToOne(patterns);
                    }
                }
            }
        }
    }

    private static void rowsSumToOne(double[] patterns) {
        int length = TOKENS.length;
        for (int row = 0; row < patterns.length / length; row++) {
            double sum = 0;
            for (int j = 0; j < length; j++) {
                sum += patterns[row * length + j];
                assertThat(j > row % length && patterns[row * length + j] != 0).isFalse();
            }
            assertThat(sum).isCloseTo(1, within(1e-12));
        }
    }

    @Test
    void aBlockMustBeThere() throws IOException {
        try (Model model =
                Greenfield.load("random:2,2,16,40,16,seed=1", Options.defaults().backend("reference"))) {
            assertThat(model.run(TOKENS).attention(1)).hasSize(2 * 12 * 12);
            assertThatThrownBy(() -> model.run(TOKENS).attention(2))
                    .isInstanceOf(InputException.class)
                    .hasMessage("found block 2, expected 0 to 1");
        }
    }
}
