package dev.greenfield.engine;

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
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A run with a source in its stream, against patched runs and finite differences of the plain run. */
class SourceInARunTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final int WIDTH = 16;
    private static final Observable F = Observable.linear(normal(77, WIDTH));

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    private Path temporary;

    /** Vectors at the first, a middle, a half and the last depth. */
    private static Source source(long seed) {
        Map<Site, double[]> vectors = new LinkedHashMap<>();
        vectors.put(Site.of(0, 1), normal(seed, WIDTH));
        vectors.put(Site.mid(1, 2), normal(seed + 1, WIDTH));
        vectors.put(Site.of(2, 4), normal(seed + 2, WIDTH));
        vectors.put(Site.of(3, 4), normal(seed + 3, WIDTH));
        return Source.of(vectors);
    }

    private static Source joined(Source a, Source b) {
        Map<Site, double[]> all = new LinkedHashMap<>(a.vectors());
        b.vectors()
                .forEach((site, vector) -> all.merge(site, vector, (x, y) -> {
                    double[] sum = x.clone();
                    for (int i = 0; i < sum.length; i++) {
                        sum[i] += y[i];
                    }
                    return sum;
                }));
        return Source.of(all);
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void isThePatchedRun(Backends kind) throws IOException {
        double bound = kind == Backends.REFERENCE ? 1e-12 : 1e-5;
        try (Model model = TestModels.open(MODEL, leaks.watched(kind.open()))) {
            Run run = model.run(PROMPT);
            Site site = Site.mid(1, 2);
            Run patched = run.with(Source.of(site, normal(1, WIDTH)));
            Field change = patched.field().minus(run.field());
            Field measured = run.measuredResponse(site, normal(1, WIDTH), 1);
            assertThat(Errors.relative(change.toArray(), measured.toArray())).isLessThan(100 * bound);
            double[] middle = patched.middleField().minus(run.middleField()).vector(1, 2);
            assertThat(Errors.relative(middle, normal(1, WIDTH))).isLessThan(bound);
            double effect = run.effects(List.of(source(5)), F)[0];
            assertThat(run.with(source(5)).value(F)).isCloseTo(run.value(F) + effect, within(100 * bound));
        }
    }

    /** Runs that are patched on top of it carry its source too, whichever of the two comes first. */
    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void furtherSourcesComeOnTop(Backends kind) throws IOException {
        double bound = kind == Backends.REFERENCE ? 1e-11 : 1e-4;
        try (Model model = TestModels.open(MODEL, leaks.watched(kind.open()))) {
            Run run = model.run(PROMPT);
            Run patched = run.with(source(5));
            Source early = Source.of(Site.of(0, 0), normal(21, WIDTH));
            Source late = Source.of(Site.of(2, 3), normal(22, WIDTH));
            Source same = source(31);
            double[] together = run.effects(
                    List.of(source(5), joined(source(5), early), joined(source(5), late), joined(source(5), same)), F);
            double[] onTop = patched.effects(List.of(early, late, same), F);
            for (int i = 0; i < onTop.length; i++) {
                assertThat(onTop[i]).isCloseTo(together[i + 1] - together[0], within(bound));
            }
            Run twice = patched.with(same);
            assertThat(twice.value(F) - run.value(F)).isCloseTo(together[3], within(bound));
            // Putting back what a site holds changes nothing, although the run's source stands above it.
            double[] nothing = patched.replacementEffects(
                    List.of(
                            Source.of(Site.of(0, 0), patched.field().vector(0, 0)),
                            Source.of(Site.of(2, 4), patched.field().vector(2, 4))),
                    F);
            assertThat(nothing[0]).isCloseTo(0, within(bound));
            assertThat(nothing[1]).isCloseTo(0, within(bound));
        }
    }

    @Test
    void sensitivitiesAndTangentsAreThoseAtThatPoint() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            Run patched = run.with(source(5));
            Source direction = source(41);
            double small = 1e-5;
            double[] ends = run.effects(
                    List.of(joined(source(5), direction.times(small)), joined(source(5), direction.times(-small))), F);
            double slope = (ends[0] - ends[1]) / 2 / small;
            assertThat(patched.sensitivity(F).predict(direction)).isCloseTo(slope, within(1e-7));
            assertThat(Math.abs(run.sensitivity(F).predict(direction) - slope)).isGreaterThan(1e-3);
            Site site = Site.of(0, 1);
            double[] tangent = patched.green(site).to(3).apply(normal(7, WIDTH));
            double[] last = new double[PROMPT.length * WIDTH];
            Field response = patched.response(site, normal(7, WIDTH));
            for (int t = 0; t < PROMPT.length; t++) {
                System.arraycopy(response.vector(3, t), 0, last, t * WIDTH, WIDTH);
            }
            assertThat(Errors.relative(tangent, last)).isLessThan(1e-14);
        }
    }

    @Test
    void belongsToItsModelAndItsSites() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            assertThatThrownBy(() -> run.with(Source.of(Site.of(0, 5), new double[WIDTH])))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("token from 0 to 4");
            assertThatThrownBy(() -> run.with(Source.of(Site.of(0, 0), new double[3])))
                    .hasMessageContaining("expected 16");
        }
    }

    /** A checkpoint of the plain run's map is not one of the patched run's. */
    @Test
    void itsMapsHaveCheckpointsOfTheirOwn() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            run.responseMap().probes(2).checkpoint(temporary.resolve("map")).compute();
            Run patched = run.with(source(5));
            assertThatThrownBy(() -> patched.responseMap()
                            .probes(2)
                            .checkpoint(temporary.resolve("map"))
                            .compute())
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("source in the run");
        }
    }
}
