package dev.greenfield.prediction;

import static dev.greenfield.testing.Vectors.dot;
import static dev.greenfield.testing.Vectors.norm;
import static dev.greenfield.testing.Vectors.plus;
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
import dev.greenfield.model.ModelSource;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.NaiveTransformer;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Components of the trained demo model (4 blocks, 4 heads, width 128, with biases) and what is done to them. */
class InterventionsTest {
    private static final String KOREA = "<|endoftext|> The capital of Korea is";
    private static final String NORWAY = "<|endoftext|> The capital of Norway is";
    private static final int LAYERS = 4;
    private static final int HEADS = 4;
    private static final int WIDTH = 128;
    private static final int TOKENS = 6;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private Model demo(Backends kind) throws IOException {
        return TestModels.open("demo", leaks.watched(kind.open()));
    }

    /** One source of the interventions on a row at all tokens. */
    private static Source atAllTokens(Interventions interventions, int row) {
        Map<Site, double[]> vectors = new LinkedHashMap<>();
        for (int t = 0; t < interventions.tokens(); t++) {
            vectors.putAll(interventions
                    .sources()
                    .get(row * interventions.tokens() + t)
                    .vectors());
        }
        return Source.of(vectors);
    }

    @ParameterizedTest
    @EnumSource(
            value = Component.class,
            names = {"ATTENTION", "MLP", "HEAD"})
    void ablatedComponentsAreThoseOfAModelWithoutTheirWeights(Component component) throws IOException {
        try (Model model = demo(Backends.REFERENCE);
                ModelSource weights = ModelSource.open("demo")) {
            Run run = model.run(KOREA);
            // F by ids, since the independent implementation has no tokenizer.
            Observable f = Observable.logitDifference(
                    model.tokenizer().single("Seoul"), model.tokenizer().single("Oslo"));
            Interventions zero = Interventions.zeroAblations(run.components(), component);
            int perRow = WIDTH / HEADS * WIDTH;
            for (int row = 0; row < zero.rows(); row += component == Component.HEAD ? 3 : 1) {
                NaiveTransformer naive = new NaiveTransformer(weights);
                switch (component) {
                    case HEAD ->
                        naive.zeroed(
                                "h." + row / HEADS + ".attn.c_proj.weight",
                                row % HEADS * perRow,
                                (row % HEADS + 1) * perRow);
                    case ATTENTION ->
                        naive.zeroed("h." + row + ".attn.c_proj.weight", 0, WIDTH * WIDTH)
                                .zeroed("h." + row + ".attn.c_proj.bias", 0, WIDTH);
                    default ->
                        naive.zeroed("h." + row + ".mlp.c_proj.weight", 0, 4 * WIDTH * WIDTH)
                                .zeroed("h." + row + ".mlp.c_proj.bias", 0, WIDTH);
                }
                double expected = naive.value(naive.run(run.tokens(), null, null), f);
                double effect = run.effects(List.of(atAllTokens(zero, row)), f)[0];
                assertThat(run.value(f) + effect).as("row " + row).isCloseTo(expected, within(1e-8));
                assertThat(Math.abs(effect)).as("the test sees something").isGreaterThan(1e-6);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void headsSumToTheAttentionAndPartsToTheStream(Backends kind) throws IOException {
        double bound = kind == Backends.REFERENCE ? 1e-11 : 2e-4;
        try (Model model = demo(kind)) {
            ComponentOutputs own = model.run(KOREA).components();
            ComponentOutputs donor = model.run(NORWAY).components();
            List<Source> heads =
                    Interventions.patches(own, donor, Component.HEAD).sources();
            List<Source> attention =
                    Interventions.patches(own, donor, Component.ATTENTION).sources();
            List<Source> mlp = Interventions.patches(own, donor, Component.MLP).sources();
            List<Source> stream =
                    Interventions.patches(own, donor, Component.RESIDUAL).sources();
            for (int l = 0; l < LAYERS; l++) {
                for (int t = 0; t < TOKENS; t++) {
                    Site middle = Site.mid(l, t);
                    double[] all = attention.get(l * TOKENS + t).vectors().get(middle);
                    double[] rest = all.clone();
                    for (int h = 0; h < HEADS; h++) {
                        rest = plus(
                                rest,
                                -1,
                                heads.get((l * HEADS + h) * TOKENS + t)
                                        .vectors()
                                        .get(middle));
                    }
                    assertThat(norm(rest)).isLessThanOrEqualTo(bound);
                    double[] up = stream.get((l + 1) * TOKENS + t).vectors().get(Site.of(l + 1, t));
                    up = plus(up, -1, stream.get(l * TOKENS + t).vectors().get(Site.of(l, t)));
                    up = plus(up, -1, all);
                    up = plus(up, -1, mlp.get(l * TOKENS + t).vectors().get(Site.of(l + 1, t)));
                    assertThat(norm(up)).isLessThanOrEqualTo(bound);
                }
            }
        }
    }

    @Test
    void patchesOfTheStreamAreThoseOfAPatchSweep() throws IOException {
        try (Model model = demo(Backends.REFERENCE)) {
            Run run = model.run(KOREA);
            Run donor = model.run(NORWAY);
            Observable f = Observable.logitDifference("Seoul", "Oslo");
            Interventions patches = Interventions.patches(run.components(), donor.components(), Component.RESIDUAL);
            double[] effects = run.effects(patches.sources(), f);
            double[][] swept = run.patchSweep(donor, f).measured();
            for (int i = 0; i < effects.length; i++) {
                assertThat(effects[i]).isCloseTo(swept[i / TOKENS][i % TOKENS], within(1e-9));
            }
            double[] half = run.effects(patches.times(0.5).sources(), f);
            assertThat(half[4]).isNotZero().isNotEqualTo(effects[4]);
        }
    }

    @Test
    void meansAreThoseOfThePromptsTokens() throws IOException {
        try (Model model = demo(Backends.REFERENCE)) {
            ComponentOutputs own = model.run(KOREA).components();
            for (Component component : Component.values()) {
                Field outputs = own.of(component);
                Interventions mean = Interventions.meanAblations(own, component);
                Interventions zero = Interventions.zeroAblations(own, component);
                for (int row = 0; row < outputs.depths(); row++) {
                    double[] sum = new double[WIDTH];
                    double[] left = null;
                    for (int t = 0; t < TOKENS; t++) {
                        Site site = component.site(model.config(), row, t);
                        double[] vector = outputs.vector(row, t);
                        sum = plus(sum, 1.0 / TOKENS, vector);
                        double[] changed = plus(
                                vector,
                                1,
                                mean.sources().get(row * TOKENS + t).vectors().get(site));
                        assertThat(left == null ? 0 : norm(plus(changed, -1, left)))
                                .isLessThan(1e-12);
                        left = changed;
                        assertThat(norm(plus(
                                        vector,
                                        1,
                                        zero.sources()
                                                .get(row * TOKENS + t)
                                                .vectors()
                                                .get(site))))
                                .isZero();
                    }
                    assertThat(norm(plus(sum, -1, left))).isLessThan(1e-12);
                }
            }
        }
    }

    @Test
    void steeringHasItsLengthAndDirection() throws IOException {
        try (Model model = demo(Backends.REFERENCE)) {
            Run run = model.run(KOREA);
            ComponentOutputs own = run.components();
            SensitivityField s = run.sensitivity(Observable.logitDifference("Seoul", "Oslo"));
            for (Component component : Component.values()) {
                Field outputs = own.of(component);
                Interventions random = Interventions.randomSteering(own, component, 0.25, 5);
                Interventions again = Interventions.randomSteering(own, component, 0.25, 5);
                Interventions other = Interventions.randomSteering(own, component, 0.25, 6);
                Interventions along = Interventions.sensitivitySteering(own, component, 0.5, s);
                int last = outputs.depths() * TOKENS - 1;
                for (int i = 0; i <= last; i++) {
                    Site site = component.site(model.config(), i / TOKENS, i % TOKENS);
                    double length = outputs.norm(i / TOKENS, i % TOKENS);
                    double[] drawn = random.sources().get(i).vectors().get(site);
                    assertThat(norm(drawn)).isCloseTo(0.25 * length, within(1e-12));
                    assertThat(again.sources().get(i).vectors().get(site)).containsExactly(drawn);
                    double[] steered = along.sources().get(i).vectors().get(site);
                    double slope = norm(s.at(site));
                    if (slope == 0) {
                        assertThat(along.sources().get(i).isZero()).isTrue();
                    } else {
                        assertThat(dot(steered, s.at(site))).isCloseTo(0.5 * length * slope, within(1e-9 * slope));
                    }
                }
                Site site = component.site(model.config(), outputs.depths() - 1, TOKENS - 1);
                double[] drawn = random.sources().get(last).vectors().get(site);
                assertThat(other.sources().get(last).vectors().get(site)).isNotEqualTo(drawn);
                double[] before = random.sources()
                        .get(last - 1)
                        .vectors()
                        .get(component.site(model.config(), outputs.depths() - 1, TOKENS - 2));
                assertThat(Math.abs(dot(drawn, before)) / norm(drawn) / norm(before))
                        .isLessThan(0.5);
            }
        }
    }

    @Test
    void runsThatDoNotFitAreRefused() throws IOException {
        try (Model model = demo(Backends.REFERENCE);
                Model second = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            ComponentOutputs own = model.run(KOREA).components();
            ComponentOutputs longer = model.run("<|endoftext|> Alice lives in Sofia so Alice speaks")
                    .components();
            assertThatThrownBy(() -> Interventions.patches(own, longer, Component.MLP))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("6 and 8 tokens");
            ComponentOutputs foreign = second.run(NORWAY).components();
            assertThatThrownBy(() -> Interventions.patches(own, foreign, Component.MLP))
                    .hasMessageContaining("different models");
            assertThatThrownBy(() -> Component.of("residual")).hasMessageContaining("resid, attn, mlp, head");
        }
    }
}
