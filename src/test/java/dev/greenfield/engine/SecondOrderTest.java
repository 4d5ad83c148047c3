package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SecondOrder;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Vectors;
import dev.greenfield.testing.Yardstick;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Second derivatives against second differences of measured runs, against first order, and from backend to backend. */
@Tag("slow")
class SecondOrderTest {
    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    Path directory;

    private Model open(ModelCase which, Backend backend) {
        return which.open(directory, leaks.watched(backend));
    }

    /** Sources about as large as the stream, the same on every backend: at one site and at several, in blocks and at the top. */
    private static List<Source> sources(Run run, int layers) {
        return sources(run, layers, 0);
    }

    private static List<Source> sources(Run run, int layers, int seed) {
        int last = run.tokens().length - 1;
        int width = run.field().width();
        double size = Math.scalb(1, Math.getExponent(run.field().norm(0, 0) / Math.sqrt(width)));
        List<Source> sources = new ArrayList<>();
        sources.add(Source.of(Site.of(0, 0), normal(seed + 1, width)));
        sources.add(Source.of(ModelCase.middle(run, 0, last / 2), normal(seed + 2, width)));
        sources.add(Source.of(Site.of(1, last / 2), normal(seed + 3, width)));
        sources.add(Source.of(ModelCase.middle(run, layers - 1, last / 2), normal(seed + 4, width)));
        sources.add(Source.of(Site.of(layers, last / 2), normal(seed + 5, width)));
        Map<Site, double[]> several = new LinkedHashMap<>();
        several.put(ModelCase.middle(run, 1, last / 2), normal(seed + 6, width));
        several.put(Site.of(0, 0), normal(seed + 7, width));
        several.put(ModelCase.middle(run, 0, last / 3), normal(seed + 8, width));
        sources.add(Source.of(several));
        sources.add(Source.of(Site.of(0, last), normal(seed + 9, width)));
        return sources.stream().map(s -> s.times(size)).toList();
    }

    private static List<Observable> observables(Run run) {
        return List.of(
                Observable.logitDifference(3, 1),
                Observable.logProbability("#4").at(run.tokens().length / 2),
                Observable.logit("#2"),
                Observable.linear(normal(10, run.field().width())));
    }

    /** (F(h) + F(-h) - 2 F) / h^2 at two steps, with the error's leading term removed. */
    private static double[] secondDifference(Run run, List<Source> sources, Observable f, double step) {
        double[] coarse = secondDifferences(run, sources, f, step);
        double[] fine = secondDifferences(run, sources, f, step / 2);
        double[] both = new double[fine.length];
        for (int i = 0; i < both.length; i++) {
            both[i] = (4 * fine[i] - coarse[i]) / 3;
        }
        return both;
    }

    private static double[] secondDifferences(Run run, List<Source> sources, Observable f, double step) {
        double[] up = run.effects(sources.stream().map(s -> s.times(step)).toList(), f);
        double[] down = run.effects(sources.stream().map(s -> s.times(-step)).toList(), f);
        double[] difference = new double[up.length];
        for (int i = 0; i < up.length; i++) {
            difference[i] = (up[i] + down[i]) / (step * step);
        }
        return difference;
    }

    @ParameterizedTest
    @EnumSource
    void isWhatSecondDifferencesConvergeTo(ModelCase which) {
        try (Model model = open(which, Backends.REFERENCE.open())) {
            Run run = model.run(which.tokens(model, 1));
            List<Source> sources = sources(run, model.config().layers());
            for (Observable f : observables(run)) {
                SecondOrder exact = run.secondOrder(sources, f);
                // ReLU has kinks: steps must be small enough not to cross one, and then differences lose more digits.
                boolean kinks = which == ModelCase.RELU_UNTIED;
                double step = kinks ? 0x1p-12 : 0x1p-7;
                double bound = kinks ? 1e-5 : 1e-6;
                double[] differences = secondDifference(run, sources, f, step);
                for (int i = 0; i < differences.length; i++) {
                    assertThat(exact.second()[i])
                            .as(f.describe() + ", source " + i)
                            .isCloseTo(differences[i], within(bound * (0.1 + Math.abs(differences[i]))));
                    double first = run.sensitivity(f).predict(sources.get(i));
                    assertThat(exact.first()[i]).isCloseTo(first, within(1e-11 * (1 + Math.abs(first))));
                    double both = exact.first()[i] / 2 + exact.second()[i] / 8;
                    assertThat(exact.predicted(0.5)[i]).isCloseTo(both, within(1e-14 * (1 + Math.abs(both))));
                }
            }
        }
    }

    /** The quadratic form of two sites has a mixed term; sites that F cannot see have none. */
    @ParameterizedTest
    @EnumSource
    void whatFCannotSeeIsZeroToTheBit(ModelCase which) {
        for (Backends kind : Backends.here()) {
            try (Model model = open(which, kind.open())) {
                Run run = model.run(which.tokens(model, 1));
                int width = model.config().width();
                int top = model.config().layers();
                int tokens = run.tokens().length;
                int position = (tokens - 1) / 2;
                Observable f = Observable.logProbability("#2").at(position);
                Source seen = Source.of(Site.of(0, position), normal(1, width));
                List<Source> sources = new ArrayList<>(List.of(seen));
                Map<Site, double[]> more = new LinkedHashMap<>(seen.vectors());
                for (int t = position + 1; t < tokens; t++) {
                    sources.add(Source.of(Site.of(0, t), normal(2, width)));
                    more.put(Site.of(1, t), normal(3, width));
                }
                for (int t = 0; t < position; t++) {
                    sources.add(Source.of(ModelCase.middle(run, top - 1, t), normal(4, width)));
                    more.put(Site.of(top, t), normal(5, width));
                }
                SecondOrder derivatives = run.secondOrder(sources, f);
                SecondOrder joined = run.secondOrder(List.of(Source.of(more)), f);
                assertThat(derivatives.second()[0]).isNotZero();
                for (int i = 1; i < sources.size(); i++) {
                    assertThat(derivatives.first()[i]).isEqualTo(0.0);
                    assertThat(derivatives.second()[i]).isEqualTo(0.0);
                }
                double alone = run.secondOrder(List.of(seen), f).second()[0];
                assertThat(joined.second()[0]).isEqualTo(alone);
            }
        }
    }

    private Map<String, double[]> results(ModelCase which, Backend backend) {
        Map<String, double[]> results = new LinkedHashMap<>();
        try (Model model = open(which, backend)) {
            Run run = model.run(which.tokens(model, 1));
            Run donor = model.run(which.tokens(model, 2));
            for (Observable f : observables(run)) {
                SecondOrder derivatives =
                        run.secondOrder(sources(run, model.config().layers()), f);
                // What reads logits reads the same rows, along directions of one kind: float32's luck evens out over
                // them.
                String kind = f.kind() == Observable.Kind.LINEAR ? "linear" : "logits";
                results.merge("first derivatives: " + kind, derivatives.first(), Vectors::concat);
                results.merge("second derivatives: " + kind, derivatives.second(), Vectors::concat);
            }
            Observable f = Observable.logitDifference(3, 1);
            PatchSweep sweep = run.withSecondOrder(run.patchSweep(donor, f));
            results.put("patch.second_order", Errors.flat(sweep.secondOrder()));
        }
        return results;
    }

    @ParameterizedTest
    @EnumSource
    void backendsAgreeWithTheOracle(ModelCase which) {
        Map<String, double[]> oracle = results(which, Backends.REFERENCE.open());
        Map<String, double[]> single = results(which, Backends.single());
        for (Backends kind : Backends.tested()) {
            results(which, kind.open()).forEach((name, values) -> {
                double[] exact = oracle.get(name);
                // Sources are of the stream's size: terms of F'' that cancel are as large as F'.
                double[] terms = oracle.get(name.replace("second", "first"));
                double magnitude = Yardstick.magnitude(exact);
                Yardstick.check(
                        kind + " " + name + " (" + which + ")",
                        Yardstick.distance(values, exact),
                        Yardstick.distance(single.get(name), exact),
                        terms == null ? magnitude : Math.max(magnitude, Yardstick.magnitude(terms)));
            });
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"GPT2", "RELU_UNTIED"})
    void aPatchSweepsSecondOrderIsThatOfItsDisplacement(ModelCase which) {
        try (Model model = open(which, Backends.REFERENCE.open())) {
            Run run = model.run(which.tokens(model, 1));
            Run donor = model.run(which.tokens(model, 2));
            int position = run.tokens().length - 2;
            Observable f = Observable.logProbability("#3").at(position);
            PatchSweep first = run.patchSweep(donor, f);
            PatchSweep sweep = run.withSecondOrder(first);
            assertThat(sweep.measured()).isDeepEqualTo(first.measured());
            assertThat(sweep.predicted()).isDeepEqualTo(first.predicted());
            for (int l = 0; l <= model.config().layers(); l++) {
                for (int t = 0; t < run.tokens().length; t++) {
                    Source source =
                            Source.of(Site.of(l, t), sweep.displacement().vector(l, t));
                    double expected = run.secondOrder(List.of(source), f).predicted(1)[0];
                    assertThat(sweep.secondOrder()[l][t]).isCloseTo(expected, within(1e-12 * (1 + Math.abs(expected))));
                    if (t > position || (l == model.config().layers() && t < position)) {
                        assertThat(sweep.secondOrder()[l][t]).isEqualTo(0.0);
                    }
                }
            }
            assertThatThrownBy(first::secondOrder)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("withSecondOrder");
            assertThatThrownBy(() -> donor.withSecondOrder(first))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("another run");
        }
    }
}
