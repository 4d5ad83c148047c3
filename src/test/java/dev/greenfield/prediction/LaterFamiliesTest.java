package dev.greenfield.prediction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.Precision;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Components where attention and MLP stand side by side, and where a norm follows what they make. */
class LaterFamiliesTest {
    private static final int[] TOKENS = {5, 17, 3, 60, 9, 41};
    private static final int[] OTHER = {5, 20, 3, 61, 9, 12};

    private static Model open(String family) throws IOException {
        return Greenfield.load(
                TestData.model(TestData.FAMILIES + family),
                Options.defaults().backend("reference").precision(Precision.FP64));
    }

    /** A patch of all heads at once is one of the attention, and the norm after it is not linear. */
    @Test
    void whatAllHeadsMakeTogetherIsWhatAttentionMakes() throws IOException {
        for (String family : new String[] {"gemma2", "olmo2", "llama-bias"}) {
            try (Model model = open(family);
                    Run run = model.run(TOKENS);
                    Run donor = model.run(OTHER)) {
                ComponentOutputs own = run.components();
                Field difference = donor.components().of(Component.HEAD).minus(own.of(Component.HEAD));
                Field wanted = donor.components().of(Component.ATTENTION).minus(own.of(Component.ATTENTION));
                int heads = model.config().heads();
                for (int l = 0; l < model.config().layers(); l++) {
                    for (int t = 0; t < TOKENS.length; t++) {
                        double[] sum = new double[model.config().width()];
                        for (int h = 0; h < heads; h++) {
                            double[] change = difference.vector(l * heads + h, t);
                            for (int i = 0; i < sum.length; i++) {
                                sum[i] += change[i];
                            }
                        }
                        double[] received = own.received(Component.HEAD, l * heads, t, sum);
                        assertThat(Errors.relative(received, wanted.vector(l, t)))
                                .as(family + " block " + l + " token " + t)
                                .isLessThan(1e-11);
                    }
                }
            }
        }
    }

    /** Both outputs of a parallel block arrive at the next depth; patching both makes the stream there the donor's. */
    @Test
    void outputsOfAParallelBlockAreSourcesAtTheNextDepth() throws IOException {
        try (Model model = open("gpt_neox");
                Run run = model.run(TOKENS);
                Run donor = model.run(OTHER)) {
            ComponentOutputs own = run.components();
            Interventions attention = Interventions.patches(own, donor.components(), Component.ATTENTION);
            Interventions mlp = Interventions.patches(own, donor.components(), Component.MLP);
            Interventions whole = Interventions.patches(own, donor.components(), Component.RESIDUAL);
            int tokens = TOKENS.length;
            for (int l = 0; l < model.config().layers(); l++) {
                for (int t = 0; t < tokens; t++) {
                    Site next = Site.of(l + 1, t);
                    double[] entering =
                            whole.sources().get(l * tokens + t).vectors().get(Site.of(l, t));
                    double[] sum = attention
                            .sources()
                            .get(l * tokens + t)
                            .vectors()
                            .get(next)
                            .clone();
                    double[] other = mlp.sources().get(l * tokens + t).vectors().get(next);
                    for (int i = 0; i < sum.length; i++) {
                        sum[i] += other[i] + entering[i];
                    }
                    double[] wanted =
                            whole.sources().get((l + 1) * tokens + t).vectors().get(next);
                    assertThat(Errors.relative(sum, wanted)).isLessThan(1e-12);
                }
            }
        }
    }

    @Test
    void halfDepthsOfAParallelBlockAreRefused() throws IOException {
        try (Model model = open("gpt_neox");
                Run run = model.run(TOKENS)) {
            String reason = "expected whole depths only, because attention and MLP of a GPT-NeoX block";
            double[] source = new double[model.config().width()];
            assertThatThrownBy(run::middleField)
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(reason);
            assertThatThrownBy(() -> run.response(Site.mid(1, 2), source))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(reason);
            assertThatThrownBy(() -> run.green(Site.of(0, 2)).to(Site.mid(1, 2)))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(reason);
            assertThatThrownBy(() -> run.responseMap().halfDepths())
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(reason);
            assertThat(run.sensitivity(Observable.logit("#7")).field().depths())
                    .isEqualTo(model.config().layers() + 1);
        }
    }
}
