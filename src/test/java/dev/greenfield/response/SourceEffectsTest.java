package dev.greenfield.response;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Effects of sources, against patch sweeps, whole measured responses and first order. */
class SourceEffectsTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final int[] DONOR = {3, 5, 9, 1, 22};
    private static final int WIDTH = 16;
    private static final int LAYERS = 3;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static Observable linear(int position) {
        return Observable.linear(normal(77, WIDTH)).at(position);
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void patchesAreSources(Backends kind) throws IOException {
        double bound = kind == Backends.REFERENCE ? 1e-10 : 1e-4;
        try (Model model = TestModels.open(MODEL, leaks.watched(kind.open()))) {
            Run run = model.run(PROMPT);
            Run donor = model.run(DONOR);
            Observable f = linear(3);
            PatchSweep sweep = run.patchSweep(donor, f);
            Field displacement = donor.field().minus(run.field());
            List<Source> added = new ArrayList<>();
            List<Source> replaced = new ArrayList<>();
            for (int l = 0; l <= LAYERS; l++) {
                for (int t = 0; t < PROMPT.length; t++) {
                    added.add(Source.of(Site.of(l, t), displacement.vector(l, t)));
                    replaced.add(Source.of(Site.of(l, t), donor.field().vector(l, t)));
                }
            }
            double[] sums = run.effects(added, f);
            double[] replacements = run.replacementEffects(replaced, f);
            SensitivityField s = run.sensitivity(f);
            for (int i = 0; i < sums.length; i++) {
                double measured = sweep.measured()[i / PROMPT.length][i % PROMPT.length];
                assertThat(sums[i]).isCloseTo(measured, within(bound));
                assertThat(replacements[i]).isCloseTo(measured, within(bound));
                assertThat(s.predict(added.get(i)))
                        .isCloseTo(sweep.predicted()[i / PROMPT.length][i % PROMPT.length], within(bound));
                if (i % PROMPT.length > 3) {
                    assertThat(sums[i]).isZero();
                }
            }
        }
    }

    @Test
    void sourcesAtSeveralSitesActTogether() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            Observable f = linear(4);
            Site low = Site.of(0, 1);
            Site high = Site.mid(1, 3);
            Source both = Source.of(Map.of(low, normal(1, WIDTH), high, normal(2, WIDTH)));
            Source alone = Source.of(low, normal(1, WIDTH));
            Source other = Source.of(high, normal(2, WIDTH));
            double[] effects = run.effects(List.of(both, alone, other), f);
            // Not the sum of the parts, at this size; but to first order it is.
            assertThat(Math.abs(effects[0] - effects[1] - effects[2])).isGreaterThan(1e-5);
            double small = 1e-5;
            double[] tiny = run.effects(List.of(both.times(small), both.times(-small)), f);
            double slope = (tiny[0] - tiny[1]) / 2 / small;
            assertThat(slope).isCloseTo(run.sensitivity(f).predict(both), within(1e-7));
            assertThat(both.norm()).isCloseTo(Math.hypot(alone.norm(), other.norm()), within(1e-12));
            assertThat(both.times(0).isZero()).isTrue();
            // Of two replacements the upper is what it says, whatever the lower did.
            Field own = run.field();
            double[] replaced = run.replacementEffects(
                    List.of(
                            Source.of(Map.of(Site.of(0, 1), normal(3, WIDTH), Site.of(3, 4), own.vector(3, 4))),
                            Source.of(Site.of(1, 2), own.vector(1, 2))),
                    f);
            assertThat(replaced[0]).isCloseTo(0, within(1e-12));
            assertThat(replaced[1]).isCloseTo(0, within(1e-12));
        }
    }

    @Test
    void sourcesOfOtherRunsAreRefused() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            Observable f = linear(4);
            assertThatThrownBy(() -> run.effects(List.of(Source.of(Site.of(1, 5), new double[WIDTH])), f))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("token from 0 to 4");
            assertThatThrownBy(() -> run.effects(List.of(Source.of(Site.of(1, 2), new double[3])), f))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("3 components, expected 16");
            assertThatThrownBy(() -> Source.of(Map.of())).hasMessageContaining("no site");
            assertThatThrownBy(() -> Source.of(Site.of(0, 0), new double[] {Double.NaN}))
                    .hasMessageContaining("not finite");
        }
    }
}
