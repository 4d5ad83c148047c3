package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.util.Optional;

/** The pointwise nonlinearity of the MLP, by the names that Hugging Face configurations give it. */
public enum Activation {
    /** Gaussian error linear unit, tanh form: {@code u/2 (1 + tanh(sqrt(2/pi) (u + 0.044715 u^3)))}. */
    GELU_NEW("gelu_new"),
    /** Gaussian error linear unit, exact: {@code u/2 (1 + erf(u / sqrt(2)))}. */
    GELU("gelu"),
    /** {@code max(u, 0)}. */
    RELU("relu"),
    /** {@code u sigmoid(u)}, also called swish. */
    SILU("silu");

    private final String configName;

    Activation(String configName) {
        this.configName = configName;
    }

    /** The value of {@code activation_function} in {@code config.json} that means this activation. */
    public String configName() {
        return configName;
    }

    /**
     * The activation that a GPT-2 configuration names. Of transformers' names {@code gelu_pytorch_tanh}, {@code gelu_fast}, {@code
     * gelu_accurate} and {@code gelu_python_tanh} are the tanh form too, {@code gelu_python} the exact one.
     *
     * @throws InputException if the name is none that is supported
     */
    public static Activation named(String configName) {
        return find(configName)
                .filter(activation -> activation != SILU)
                .orElseThrow(
                        () -> new InputException(
                                "activation_function: found \"" + Lines.one(configName)
                                        + "\", expected gelu_new or another name of it (gelu_pytorch_tanh, gelu_fast, gelu_accurate), gelu, gelu_python or relu; other activations are not supported"));
    }

    /** The activation that any family's configuration names, by each of the names that transformers has for it. */
    static Optional<Activation> find(String configName) {
        return Optional.ofNullable(
                switch (configName) {
                    case "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate", "gelu_python_tanh" -> GELU_NEW;
                    case "gelu", "gelu_python" -> GELU;
                    case "relu" -> RELU;
                    case "silu", "swish" -> SILU;
                    default -> null;
                });
    }
}
