package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.util.Arrays;
import java.util.stream.Collectors;

/** A family of models: what {@code model_type} calls it, and the names of its sizes in {@code config.json}. */
public enum Family {
    /** GPT-2: LayerNorm, learned positions, a plain MLP. */
    GPT2("gpt2", "GPT-2", "transformer."),
    /** Llama 2 and 3, TinyLlama, SmolLM, SmolLM2 and many that have its form: RMSNorm, rotary positions, a gated MLP. */
    LLAMA("llama", "Llama", "model."),
    /** Mistral: Llama with a window that attention sees. */
    MISTRAL("mistral", "Mistral", "model."),
    /** Qwen 2 and 2.5: Llama with biases of queries, keys and values. */
    QWEN2("qwen2", "Qwen 2", "model."),
    /** Qwen 3: Llama with norms of each head's query and key. */
    QWEN3("qwen3", "Qwen 3", "model.");

    private final String modelType;
    private final String label;
    private final String prefix;

    Family(String modelType, String label, String prefix) {
        this.modelType = modelType;
        this.label = label;
        this.prefix = prefix;
    }

    /** The value of {@code model_type} that means this family. */
    public String modelType() {
        return modelType;
    }

    /** What people call it. */
    public String label() {
        return label;
    }

    /** What stands before the names of tensors in files that the causal model was saved to. */
    String prefix() {
        return prefix;
    }

    String layersKey() {
        return this == GPT2 ? "n_layer" : "num_hidden_layers";
    }

    String headsKey() {
        return this == GPT2 ? "n_head" : "num_attention_heads";
    }

    String widthKey() {
        return this == GPT2 ? "n_embd" : "hidden_size";
    }

    String innerKey() {
        return this == GPT2 ? "n_inner" : "intermediate_size";
    }

    String positionsKey() {
        return this == GPT2 ? "n_positions" : "max_position_embeddings";
    }

    String epsilonKey() {
        return this == GPT2 ? "layer_norm_epsilon" : "rms_norm_eps";
    }

    /**
     * The family that a configuration names.
     *
     * @throws InputException if it is none of these
     */
    static Family named(String modelType) {
        for (Family family : values()) {
            if (family.modelType.equals(modelType)) {
                return family;
            }
        }
        throw new InputException("model_type: found " + Lines.quoted(modelType) + ", expected one of "
                + Arrays.stream(values()).map(f -> '"' + f.modelType + '"').collect(Collectors.joining(", "))
                + "; other families are not supported");
    }
}
