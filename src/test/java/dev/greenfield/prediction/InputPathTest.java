package dev.greenfield.prediction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sensitivities along the path between two prompts. */
class InputPathTest {
    private static final String KOREA = "<|endoftext|> The capital of Korea is";
    private static final String NORWAY = "<|endoftext|> The capital of Norway is";

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** The averaged sensitivity times the displacement, summed over all tokens of depth 0. */
    private static double atDepthZero(Run run, Run donor, Observable f, int steps) {
        Field displacement = donor.field().minus(run.field());
        SensitivityField s = run.pathSensitivity(donor, f, steps);
        double sum = 0;
        for (int t = 0; t < displacement.tokens(); t++) {
            sum += s.field().dot(0, t, displacement);
        }
        return sum;
    }

    @Test
    void itIsCompleteAtTheEmbeddings() throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(KOREA);
            Run donor = model.run(NORWAY);
            Observable f = Observable.logitDifference("Seoul", "Oslo");
            double change = donor.value(f) - run.value(f);
            double coarse = Math.abs(atDepthZero(run, donor, f, 32) - change);
            double fine = Math.abs(atDepthZero(run, donor, f, 64) - change);
            assertThat(fine).isLessThan(1e-3 * Math.abs(change));
            // The midpoint rule is of second order.
            assertThat(coarse / fine).isBetween(3.0, 5.0);
            // From the other end it is the same path, with the same midpoints.
            assertThat(atDepthZero(donor, run, f, 8)).isCloseTo(-atDepthZero(run, donor, f, 8), within(1e-9));
            assertThat(run.pathSensitivity(donor, f, 3).value()).isEqualTo(run.value(f));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void aRunOnItsOwnEmbeddingsIsTheRun(Backends kind) throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(kind.open()))) {
            Run run = model.run(KOREA);
            Observable f = Observable.logitDifference("Seoul", "Oslo");
            // A path of no length.
            assertThat(run.pathSensitivity(run, f, 1).field().toArray())
                    .containsExactly(run.sensitivity(f).field().toArray());
        }
    }

    @Test
    void pathsThatAreNoneAreRefused() throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(KOREA);
            Observable f = Observable.logit("Seoul");
            assertThatThrownBy(() -> run.pathSensitivity(run, f, 0))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("0 steps");
            Run longer = model.run("<|endoftext|> Alice lives in Sofia so Alice speaks");
            assertThatThrownBy(() -> run.pathSensitivity(longer, f, 1)).hasMessageContaining("6 and 8 tokens");
        }
    }

    @Test
    void itNeedsRoomForOneMoreRun() throws IOException {
        long weights = 8L * 17_000;
        try (Model model =
                TestModels.open("random:2,2,16,40,16,seed=1", leaks.watched(Backends.REFERENCE.open()), weights)) {
            Run run = model.run(1, 2, 3, 4, 5, 6, 7, 8);
            Run donor = model.run(1, 2, 3, 9, 5, 6, 7, 8);
            assertThatThrownBy(() -> run.pathSensitivity(donor, Observable.linear(new double[16]), 2))
                    .isInstanceOf(MemoryBudgetException.class);
        }
    }
}
