package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.model.Activation;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.ModelExport;
import dev.greenfield.model.ModelSource;
import dev.greenfield.propagation.MapMeasures;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The untrained control of a model: its configuration and nothing of its training. */
@Tag("slow")
class UntrainedControlTest {
    private static final String SMALL = "random:2,2,16,40,16,seed=1";

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @Test
    void isTheModelsConfigurationWithOtherWeights() throws IOException {
        try (Model model = Greenfield.load("demo", Options.defaults().backend("cpu"))) {
            Run run = model.run("<|endoftext|> The capital of Korea is");
            try (Model control = model.untrained(5);
                    Model again = model.untrained(5);
                    Model other = model.untrained(6)) {
                assertThat(control.config()).isEqualTo(model.config());
                assertThat(control.backend()).isEqualTo(model.backend());
                assertThat(control.tokenizer().encode("The capital"))
                        .isEqualTo(model.tokenizer().encode("The capital"));
                double[] field = control.run(run.tokens()).field().toArray();
                assertThat(field)
                        .hasSameSizeAs(run.field().toArray())
                        .isNotEqualTo(run.field().toArray());
                assertThat(again.run(run.tokens()).field().toArray()).isEqualTo(field);
                assertThat(other.run(run.tokens()).field().toArray()).isNotEqualTo(field);
            }
            assertThat(run.logits(0)).as("the model goes on").isNotEmpty();
        }
    }

    @Test
    void isTheRandomModelOfThatSeed() throws IOException {
        try (Model model = Greenfield.load(SMALL, Options.defaults().backend("reference"));
                Model named = Greenfield.load(
                        "random:2,2,16,40,16,seed=9", Options.defaults().backend("reference"))) {
            assertThat(model.untrained(9).run(1, 2, 3).logits())
                    .isEqualTo(named.run(1, 2, 3).logits());
            assertThat(model.untrained(9).source().sha256())
                    .isEqualTo(named.source().sha256());
            assertThatThrownBy(() -> model.untrained(1))
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll("itself the random initialization of seed 1", "another seed");
        }
    }

    @Test
    void keepsEveryVariantOfTheConfiguration(@TempDir Path directory) throws IOException {
        Path exported = directory.resolve("model");
        try (ModelSource source = ModelSource.open("random:2,2,16,40,16,seed=1")) {
            ModelExport.write(source, exported);
        }
        Path config = exported.resolve("config.json");
        String text = Files.readString(config);
        assertThat(text).contains("\"gelu_new\"");
        Files.writeString(
                config,
                text.replace("\"gelu_new\"", "\"relu\"").replaceAll("(\"layer_norm_epsilon\" *: *)[^,\\s]+", "$10.5"));
        try (Model model =
                        Greenfield.load(exported.toString(), Options.defaults().backend("reference"));
                Model control = model.untrained(9);
                Model plain = Greenfield.load(
                        "random:2,2,16,40,16,seed=9", Options.defaults().backend("reference"))) {
            ModelConfig kept = control.config();
            assertThat(kept.activation()).isEqualTo(Activation.RELU);
            assertThat(kept.epsilon()).isEqualTo(0.5);
            assertThat(kept).isEqualTo(model.config());
            // The same weights, read by another activation and another epsilon.
            assertThat(control.run(1, 2, 3).logits())
                    .isNotEqualTo(plain.run(1, 2, 3).logits());
        }
    }

    @Test
    void closesWithItsModelAndLeavesTheBackendOpenBefore() throws IOException {
        Backend backend = leaks.watched(Backends.CPU.open());
        Model model = TestModels.open(SMALL, backend);
        long before = backend.ledger().bytes();
        Model closed = model.untrained(2);
        closed.run(1, 2);
        closed.close();
        assertThat(backend.ledger().bytes()).isEqualTo(before);
        Model left = model.untrained(3);
        Run run = left.run(1, 2);
        model.close();
        assertThatThrownBy(run::logits).hasMessageContaining("closed");
        assertThatThrownBy(() -> model.untrained(4)).hasMessageContaining("closed");
    }

    @Test
    void keepsWithinTheModelsBudget() throws IOException {
        Backend backend = leaks.watched(Backends.CPU.open());
        long weights;
        try (Model model = TestModels.open(SMALL, leaks.watched(Backends.CPU.open()))) {
            weights = 4 * model.config().parameters();
        }
        try (Model model = TestModels.open(SMALL, backend, weights + 1_000)) {
            // Not even the weights of one block fit beside the model.
            assertThatThrownBy(() -> model.untrained(2))
                    .isInstanceOf(MemoryBudgetException.class)
                    .hasMessageContainingAll("untrained control", "raise the memory budget");
        }
    }

    /**
     * Observed, not derived: in the trained model more of a response leaves its token than at initialization, it goes farther and
     * onto more tokens, at every depth distance. How its median falls with token distance does not tell the two apart here.
     */
    @Test
    void trainingMovesResponsesAlongTokens() throws IOException {
        List<String> prompts = List.of(
                "<|endoftext|> The capital of Korea is",
                "<|endoftext|> When Leo and Kate went to the park , Leo gave a key to",
                "<|endoftext|> Alice lives in Sofia so Alice speaks");
        try (Model model = Greenfield.load("demo", Options.defaults().backend("cpu"))) {
            for (String prompt : prompts) {
                MapMeasures trained = measured(model, model.tokenizer().encode(prompt));
                for (long seed = 0; seed < 3; seed++) {
                    try (Model control = model.untrained(seed)) {
                        MapMeasures untrained =
                                measured(control, model.tokenizer().encode(prompt));
                        for (int d = 0; d < model.config().layers(); d++) {
                            MapMeasures.AtDistance a = trained.distances().get(d);
                            MapMeasures.AtDistance b = untrained.distances().get(d);
                            assertThat(a.tokenShare().value())
                                    .isGreaterThan(2 * b.tokenShare().value());
                            assertThat(a.displacement().value())
                                    .isGreaterThan(2 * b.displacement().value());
                            assertThat(a.participation().value())
                                    .isGreaterThan(b.participation().value());
                        }
                    }
                }
            }
        }
    }

    private static MapMeasures measured(Model model, int[] tokens) {
        try (Run run = model.run(tokens)) {
            ResponseMap map = run.responseMap().probes(16).compute();
            return MapMeasures.of(map, MapMeasures.Settings.seeded(0));
        }
    }
}
