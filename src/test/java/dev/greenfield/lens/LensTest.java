package dev.greenfield.lens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.model.ModelSource;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Lenses and decoded directions against the definition, written out in float64 here. */
class LensTest {
    private static final String MODEL = "random:2,2,16,40,16,seed=1";
    private static final String CAPPED =
            "random:gemma2:layers=2,heads=2,width=16,inner=24,vocabulary=40,positions=16,seed=3";
    private static final int[] TOKENS = {3, 1, 4, 1, 5};
    private static final int D = 16;
    private static final int V = 40;
    private static final int CHOSEN = 7;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static double[] parameter(ModelSource source, String name, int count) {
        double[] values = new double[count];
        source.parameter(name).read(0, values, 0, count);
        return values;
    }

    /** The logits of GPT-2's last LayerNorm and output matrix at x [D]. */
    private static double[] logits(ModelSource source, double[] x) {
        double[] gain = parameter(source, "ln_f.weight", D);
        double[] bias = parameter(source, "ln_f.bias", D);
        double[] head = parameter(source, "lm_head.weight", V * D);
        double mean = IntStream.range(0, D).mapToDouble(i -> x[i]).sum() / D;
        double variance = IntStream.range(0, D)
                        .mapToDouble(i -> (x[i] - mean) * (x[i] - mean))
                        .sum()
                / D;
        double[] logits = new double[V];
        for (int v = 0; v < V; v++) {
            for (int i = 0; i < D; i++) {
                logits[v] += head[v * D + i]
                        * (gain[i]
                                        * (x[i] - mean)
                                        / Math.sqrt(variance + source.config().epsilon())
                                + bias[i]);
            }
        }
        return logits;
    }

    private static double[] times(double[] matrix, double[] x) {
        double[] y = new double[D];
        for (int i = 0; i < D; i++) {
            for (int j = 0; j < D; j++) {
                y[i] += matrix[i * D + j] * x[j];
            }
        }
        return y;
    }

    private static long rank(double[] logits, int token) {
        return 1 + IntStream.range(0, V).filter(v -> logits[v] > logits[token]).count();
    }

    private static double probability(double[] logits, int token) {
        double sum = 0;
        for (double logit : logits) {
            sum += Math.exp(logit - logits[token]);
        }
        return 1 / sum;
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void bothLensesReadWhatTheDefinitionSays(Backends which) throws IOException {
        try (Model model = TestModels.open(MODEL, which.open());
                ModelSource source = ModelSource.open(MODEL)) {
            Run run = model.run(TOKENS);
            AverageJacobian average = model.averageJacobian(1);
            run.addTo(average);
            double[] mean = average.mean();
            Lens lens = run.lens()
                    .top(3)
                    .of("#" + CHOSEN)
                    .jacobians(Jacobians.of(average, model.config()))
                    .compute();
            assertThat(lens.levels()).hasSize(3);
            assertThat(lens.chosen()).isEqualTo(CHOSEN);
            double tolerance = which == Backends.REFERENCE ? 1e-12 : 1e-5;
            for (int l = 0; l <= 2; l++) {
                double[] matrix = Arrays.copyOfRange(mean, l * D * D, (l + 1) * D * D);
                for (int t = 0; t < TOKENS.length; t++) {
                    double[] stream = run.field().vector(l, t);
                    check(lens.logit(), l, t, logits(source, stream), tolerance);
                    check(lens.jacobian().orElseThrow(), l, t, logits(source, times(matrix, stream)), tolerance);
                }
            }
        }
    }

    private static void check(LensReading reading, int l, int t, double[] logits, double tolerance) {
        assertThat(reading.ranks()[l][t]).isEqualTo(rank(logits, CHOSEN));
        assertThat(reading.probabilities()[l][t]).isCloseTo(probability(logits, CHOSEN), within(tolerance));
        assertThat(reading.logits()[l][t]).isCloseTo(logits[CHOSEN], within(tolerance));
        List<LensToken> top = reading.top(l, t);
        assertThat(top).hasSize(3);
        for (int i = 0; i < 3; i++) {
            assertThat(rank(logits, top.get(i).id())).isEqualTo(i + 1);
            assertThat(top.get(i).logit()).isCloseTo(logits[top.get(i).id()], within(tolerance));
            assertThat(top.get(i).probability())
                    .isCloseTo(probability(logits, top.get(i).id()), within(tolerance));
        }
    }

    /** The norm's Jacobian, its gain and the slope of the cap, by differences of the model's own logits. */
    @Test
    void whatADirectionWritesIsTheDerivativeOfTheLogits() throws IOException {
        for (String spec : List.of(MODEL, CAPPED)) {
            try (Model model = Greenfield.load(spec, Options.defaults().backend("reference"))) {
                Run run = model.run(TOKENS);
                Random random = new Random(4);
                List<double[]> directions = new ArrayList<>();
                List<Site> sites = List.of(Site.of(1, 4), Site.of(2, 2), Site.of(0, 4));
                sites.forEach(site -> directions.add(random.doubles(D, -1, 1).toArray()));
                List<DecodedDirection> written = run.decoder(5).written(directions, sites);
                for (int n = 0; n < 3; n++) {
                    double[] slopes = slopes(run, sites.get(n).token(), directions.get(n));
                    checkEnds(written.get(n), slopes, 1e-7);
                }
            }
        }
    }

    private static double[] slopes(Run run, int token, double[] direction) {
        double h = 1e-6;
        double[][] ends = new double[2][];
        for (int side = 0; side < 2; side++) {
            double sign = side == 0 ? -h : h;
            double[] moved = Arrays.stream(direction).map(x -> sign * x).toArray();
            try (Run other = run.with(Source.of(Site.of(2, token), moved))) {
                ends[side] = other.logits(token);
            }
        }
        return IntStream.range(0, V)
                .mapToDouble(v -> (ends[1][v] - ends[0][v]) / (2 * h))
                .toArray();
    }

    private static void checkEnds(DecodedDirection decoded, double[] scores, double tolerance) {
        double[] sorted = Arrays.stream(scores).sorted().toArray();
        assertThat(decoded.top()).hasSize(5);
        assertThat(decoded.bottom()).hasSize(5);
        for (int i = 0; i < 5; i++) {
            TokenScore high = decoded.top().get(i);
            TokenScore low = decoded.bottom().get(i);
            assertThat(high.score()).isCloseTo(sorted[V - 1 - i], within(tolerance));
            assertThat(high.score()).isCloseTo(scores[high.id()], within(tolerance));
            assertThat(low.score()).isCloseTo(sorted[i], within(tolerance));
            assertThat(low.score()).isCloseTo(scores[low.id()], within(tolerance));
        }
    }

    @Test
    void transportedAndReadDirections() throws IOException {
        try (Model model = Greenfield.load(MODEL, Options.defaults().backend("reference"));
                ModelSource source = ModelSource.open(MODEL)) {
            Run run = model.run(TOKENS);
            AverageJacobian average = model.averageJacobian(0);
            run.addTo(average);
            Jacobians jacobians = Jacobians.of(average, model.config());
            double[] d = new Random(2).doubles(D, -1, 1).toArray();
            DecodedDirection moved = run.decoder(5)
                    .transported(List.of(d), List.of(Site.of(1, 3)), jacobians)
                    .get(0);
            checkEnds(moved, slopes(run, 3, times(jacobians.at(1), d)), 1e-7);

            double[] embedding = parameter(source, "wte.weight", V * D);
            double[] cosines = IntStream.range(0, V)
                    .mapToDouble(v -> {
                        double dot = 0;
                        double one = 0;
                        double other = 0;
                        for (int i = 0; i < D; i++) {
                            dot += embedding[v * D + i] * d[i];
                            one += embedding[v * D + i] * embedding[v * D + i];
                            other += d[i] * d[i];
                        }
                        return dot / Math.sqrt(one * other);
                    })
                    .toArray();
            checkEnds(run.decoder(5).read(List.of(d)).get(0), cosines, 1e-12);

            // Without a run: a residual of unit deviation to which nothing of the direction is parallel.
            double[] gain = parameter(source, "ln_f.weight", D);
            double[] head = parameter(source, "lm_head.weight", V * D);
            double mean = Arrays.stream(d).sum() / D;
            double[] outputs = IntStream.range(0, V)
                    .mapToDouble(v -> IntStream.range(0, D)
                            .mapToDouble(i -> head[v * D + i] * gain[i] * (d[i] - mean))
                            .sum())
                    .toArray();
            checkEnds(run.decoder(5).outputs(List.of(d)).get(0), outputs, 1e-12);
            assertThatThrownBy(() -> run.decoder(5).read(List.of(new double[3])))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("3 components, expected 16");
            assertThatThrownBy(() -> run.decoder(0)).isInstanceOf(InputException.class);
        }
    }

    @Test
    void halfDepthsAreTheLogitLensesAlone() throws IOException {
        try (Model model = Greenfield.load(MODEL, Options.defaults().backend("reference"));
                ModelSource source = ModelSource.open(MODEL)) {
            Run run = model.run(TOKENS);
            AverageJacobian average = model.averageJacobian(0);
            run.addTo(average);
            Lens lens = run.lens()
                    .halfDepths()
                    .jacobians(Jacobians.of(average, model.config()))
                    .compute();
            assertThat(lens.levels()).hasSize(5);
            double[] logits = logits(source, run.middleField().vector(1, 2));
            assertThat(rank(logits, lens.chosen()))
                    .isEqualTo((long) lens.logit().ranks()[3][2]);
            LensReading jacobian = lens.jacobian().orElseThrow();
            assertThat(jacobian.reads(3)).isFalse();
            assertThat(jacobian.ranks()[3][2]).isNaN();
            assertThat(jacobian.top(3, 2)).isEmpty();
            assertThat(jacobian.reads(2)).isTrue();
            double[] last = run.logits(TOKENS.length - 1);
            assertThat(rank(last, lens.chosen())).isEqualTo(1);
        }
    }
}
