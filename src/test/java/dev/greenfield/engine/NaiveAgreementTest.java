package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.norm;
import static dev.greenfield.testing.Vectors.normal;
import static dev.greenfield.testing.Vectors.plus;
import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.Differences;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.NaiveTransformer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The float64 engine against a transformer written out from its equations: streams, observables, patches, sensitivities. */
class NaiveAgreementTest {
    private static final double EXACT = 1e-10;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    Path directory;

    private Model open(ModelCase which) {
        return which.open(directory, leaks.watched(Backends.REFERENCE.open()));
    }

    /** Every kind, at the last position and, where there is one, at an earlier one. */
    private static List<Observable> observables(int tokens, int width) {
        int early = tokens / 2;
        return List.of(
                Observable.logitDifference(3, 1),
                Observable.logit("#2"),
                Observable.logProbability("#4"),
                Observable.linear(normal(9, width)),
                Observable.logitDifference(0, 5).at(early),
                Observable.logProbability("#1").at(early),
                Observable.linear(normal(10, width)).at(early));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = "(LLAMA|MISTRAL|QWEN|GPT_NEO|NEOX|GEMMA|OLMO).*")
    void streamLogitsAndObservablesAgree(ModelCase which) {
        try (Model model = open(which)) {
            NaiveTransformer naive = new NaiveTransformer(model.source());
            Run run = model.run(which.tokens(model, 1));
            double[][][] stream = naive.run(run.tokens(), null, null);
            double[][][] whole = new double[model.config().layers() + 1][][];
            for (int l = 0; l < whole.length; l++) {
                whole[l] = stream[2 * l];
            }
            double[] expected = Arrays.stream(whole)
                    .flatMapToDouble(x -> Arrays.stream(Errors.flat(x)))
                    .toArray();
            assertThat(Errors.relative(run.field().toArray(), expected)).isLessThan(EXACT);
            double[][] logits =
                    Arrays.stream(whole[whole.length - 1]).map(naive::logits).toArray(double[][]::new);
            assertThat(Errors.relative(run.logits(), Errors.flat(logits))).isLessThan(EXACT);
            for (Observable f : observables(run.tokens().length, model.config().width())) {
                double value = naive.value(stream, f);
                assertThat(Math.abs(run.value(f) - value)).as(f.describe()).isLessThan(EXACT * (1 + Math.abs(value)));
                assertThat(run.sensitivity(f).value()).isEqualTo(run.value(f));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = "(LLAMA|MISTRAL|QWEN|GPT_NEO|NEOX|GEMMA|OLMO).*")
    void measuredPatchesAreFullRunsWithTheResidualReplaced(ModelCase which) {
        try (Model model = open(which)) {
            NaiveTransformer naive = new NaiveTransformer(model.source());
            Run run = model.run(which.tokens(model, 1));
            Run donor = model.run(which.tokens(model, 2));
            double[][][] other = naive.run(donor.tokens(), null, null);
            for (Observable f : List.of(
                    Observable.logitDifference(3, 1),
                    Observable.logProbability("#4").at(run.tokens().length / 2))) {
                PatchSweep sweep = run.patchSweep(donor, f);
                double own = naive.value(naive.run(run.tokens(), null, null), f);
                double[][] expected = new double[model.config().layers() + 1][run.tokens().length];
                for (int l = 0; l < expected.length; l++) {
                    for (int t = 0; t < expected[l].length; t++) {
                        double[][][] patched = naive.run(run.tokens(), Site.of(l, t), other[2 * l][t]);
                        expected[l][t] = naive.value(patched, f) - own;
                    }
                }
                assertThat(Errors.relative(Errors.flat(sweep.measured()), Errors.flat(expected)))
                        .as(f.describe())
                        .isLessThan(EXACT);
                assertThat(Math.abs(sweep.value() - own)).isLessThan(EXACT * (1 + Math.abs(own)));
                double theirs = naive.value(other, f);
                assertThat(Math.abs(sweep.donorValue() - theirs)).isLessThan(EXACT * (1 + Math.abs(theirs)));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = "(LLAMA|MISTRAL|QWEN|GPT_NEO|NEOX|GEMMA|OLMO).*")
    void sensitivitiesAreDerivativesOfTheObservable(ModelCase which) {
        try (Model model = open(which)) {
            NaiveTransformer naive = new NaiveTransformer(model.source());
            Run run = model.run(which.tokens(model, 1));
            int width = model.config().width();
            int top = 2 * model.config().layers();
            double[][][] stream = naive.run(run.tokens(), null, null);
            double[] direction = normal(11, width);
            for (Observable f : observables(run.tokens().length, width)) {
                SensitivityField s = run.sensitivity(f);
                int position = f.position() == Observable.LAST ? run.tokens().length - 1 : f.position();
                // The gradient of the readout itself, the middle of the last block, and the bottom.
                for (int h : new int[] {top, top - 1, 0}) {
                    Site site = h % 2 == 0 ? Site.of(h / 2, position) : Site.mid(h / 2, position);
                    double step = (which == ModelCase.RELU_UNTIED ? 0x1p-13 : 0x1p-9)
                            * norm(stream[h][position])
                            / Math.sqrt(width);
                    Differences.check(
                            f.describe() + " at " + site,
                            e -> new double[] {
                                naive.value(naive.run(run.tokens(), site, plus(stream[h][position], e, direction)), f)
                            },
                            new double[] {s.predict(site, direction)},
                            step);
                }
            }
        }
    }
}
