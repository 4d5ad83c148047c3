package dev.greenfield.engine;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backend;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.Activation;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.RandomDirectory;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** The models that the identities are checked on: every variant of a configuration that the engine treats differently. */
public enum ModelCase {
    DEMO("demo", null, 12),
    GPT2("random:2,2,24,19,16,seed=5", null, 7),
    ONE_TOKEN("random:2,2,24,19,16,seed=6", null, 1),
    TANH_GELU(null, config(3, 2, 32, 128, Activation.GELU_NEW, true, true, false), 6),
    ERF_GELU_HEAD_WIDTH_48(null, config(2, 1, 48, 77, Activation.GELU, true, true, false), 5),
    RELU_UNTIED(null, config(2, 3, 48, 96, Activation.RELU, false, true, false), 6),
    SCALED_BY_INVERSE_LAYER(null, config(3, 2, 20, 80, Activation.GELU_NEW, true, true, true), 5),
    UNSCALED(null, config(2, 4, 20, 33, Activation.GELU_NEW, false, false, false), 6),
    LLAMA_WITH_BIASES("families/llama-bias", null, 8),
    MISTRAL_WINDOW_5("families/mistral", null, 9),
    QWEN3_HEAD_NORMS("families/qwen3", null, 7),
    GPT_NEO("families/gpt_neo", null, 8),
    NEOX_PARALLEL("families/gpt_neox", null, 8),
    NEOX_SEQUENTIAL("families/gpt_neox-sequential", null, 6),
    GEMMA2_CAPS("families/gemma2", null, 6),
    GEMMA3_POSITIONS_BY_KIND("families/gemma3_text-pattern", null, 9),
    OLMO2_NORMS_AFTER("families/olmo2", null, 7);

    private final String spec;
    private final ModelConfig config;
    private final int length;

    ModelCase(String spec, ModelConfig config, int length) {
        this.spec = spec;
        this.config = config;
        this.length = length;
    }

    private static ModelConfig config(
            int layers,
            int heads,
            int width,
            int inner,
            Activation activation,
            boolean tied,
            boolean scale,
            boolean byInverseLayer) {
        return new ModelConfig(layers, heads, width, inner, 12, 23, 1e-5, activation, tied, scale, byInverseLayer);
    }

    /** Whether it is of a family whose blocks {@code NaiveTransformer} does not compute. */
    public boolean later() {
        return spec != null && spec.startsWith(TestData.FAMILIES);
    }

    /** The middle of a block, or where the stream has no state there the next depth, where the same sources arrive. */
    static Site middle(Run run, int block, int token) {
        try {
            run.middleField();
            return Site.mid(block, token);
        } catch (InputException parallel) {
            return Site.of(block + 1, token);
        }
    }

    /** Opens the model on a backend; files that it needs are written to {@code directory}. */
    public Model open(Path directory, Backend backend) {
        return open(directory, backend, 0);
    }

    /** Opens the model within a memory budget; 0 for the default. */
    public Model open(Path directory, Backend backend, long memory) {
        try {
            String where = later() ? TestData.model(spec).toString() : spec;
            if (where == null) {
                Path mine = directory.resolve(name());
                if (!Files.exists(mine)) {
                    RandomDirectory.write(Files.createDirectory(mine), config, ordinal());
                }
                where = mine.toString();
            }
            return TestModels.open(where, backend, memory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The tokens of a run; another seed gives another prompt of the same length. */
    public int[] tokens(Model model, long seed) {
        return new Random(100 * seed + ordinal())
                .ints(length, 0, model.config().vocabulary())
                .toArray();
    }
}
