package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import dev.greenfield.text.Nearest;
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
    QWEN3("qwen3", "Qwen 3", "model."),
    /** GPT-NeoX and Pythia: LayerNorm, rotary positions on a part of each head, attention and MLP side by side. */
    GPT_NEOX("gpt_neox", "GPT-NeoX", "gpt_neox."),
    /** GPT-Neo and TinyStories: GPT-2 with scores that are not scaled, and a window in every other block. */
    GPT_NEO("gpt_neo", "GPT-Neo", "transformer."),
    /** Gemma 1: Llama with embeddings times sqrt(D), gains 1 + w and wide heads. */
    GEMMA("gemma", "Gemma", "model."),
    /** Gemma 2: with norms around each half, soft caps, and a window in every other block. */
    GEMMA2("gemma2", "Gemma 2", "model."),
    /** Gemma 3, the text model: head norms instead of caps, and windows in five of six blocks with positions of their own. */
    GEMMA3("gemma3_text", "Gemma 3", "language_model.model. model.language_model. language_model. model."),
    /** OLMo 2: norms of what each half adds, and of queries and keys as a whole. */
    OLMO2("olmo2", "OLMo 2", "model.");

    private final String modelType;
    private final String label;
    private final String prefixes; // separated by spaces, the longest first

    Family(String modelType, String label, String prefixes) {
        this.modelType = modelType;
        this.label = label;
        this.prefixes = prefixes;
    }

    /** The value of {@code model_type} that means this family. */
    public String modelType() {
        return modelType;
    }

    /** What people call it. */
    public String label() {
        return label;
    }

    /** A stored tensor's name without what stands before it, and with the output matrix named as all families name it. */
    String shortName(String stored) {
        String rest = stored;
        for (String prefix : prefixes.split(" ", -1)) {
            if (stored.startsWith(prefix)) {
                rest = stored.substring(prefix.length());
                break;
            }
        }
        return this == GPT_NEOX && rest.equals("embed_out.weight") ? ParameterLayout.OUTPUT : rest;
    }

    /** What a tensor is called in a file that this family's causal model is saved to: the opposite of {@link #shortName}. */
    String storedName(String shortName) {
        if (shortName.equals(ParameterLayout.OUTPUT)) {
            return this == GPT_NEOX ? "embed_out.weight" : shortName;
        }
        return prefixes.substring(prefixes.lastIndexOf(' ') + 1) + shortName;
    }

    String layersKey() {
        return switch (this) {
            case GPT2 -> "n_layer";
            case GPT_NEO -> "num_layers";
            default -> "num_hidden_layers";
        };
    }

    String headsKey() {
        return switch (this) {
            case GPT2 -> "n_head";
            case GPT_NEO -> "num_heads";
            default -> "num_attention_heads";
        };
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
        return switch (this) {
            case GPT2, GPT_NEO -> "layer_norm_epsilon";
            case GPT_NEOX -> "layer_norm_eps";
            default -> "rms_norm_eps";
        };
    }

    /** Whether this is one of Google's Gemmas, whose gains are 1 + w and whose embeddings are scaled. */
    boolean gemma() {
        return this == GEMMA || this == GEMMA2 || this == GEMMA3;
    }

    /**
     * The family that a configuration names. That of Gemma 3 with its vision tower counts as that of the text model in it.
     *
     * @throws InputException if it is none of these
     */
    static Family named(String modelType) {
        for (Family family : values()) {
            if (family.modelType.equals(modelType)) {
                return family;
            }
        }
        if (modelType.equals(NESTED)) {
            return GEMMA3;
        }
        throw new InputException("model_type: found " + Lines.quoted(modelType)
                + Nearest.question(
                        modelType, Arrays.stream(values()).map(f -> f.modelType).toList())
                + ", expected one of "
                + Arrays.stream(values()).map(f -> '"' + f.modelType + '"').collect(Collectors.joining(", "))
                + "; other families are not supported");
    }

    /** The model_type of a configuration that has Gemma 3's text model as its {@code text_config}. */
    static final String NESTED = "gemma3";
}
