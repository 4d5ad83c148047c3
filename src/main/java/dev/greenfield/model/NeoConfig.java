package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code config.json} of EleutherAI's two families, GPT-Neo (TinyStories) and GPT-NeoX (Pythia). Keys that are absent have the
 * defaults of transformers' classes.
 */
final class NeoConfig {
    private final Family family;
    private final ConfigFields fields;

    private NeoConfig(Family family, ConfigFields fields) {
        this.family = family;
        this.fields = fields;
    }

    /**
     * Reads the configuration of a family.
     *
     * @throws InputException if a field is of the wrong type, out of range or asks for what is not supported
     */
    static ModelConfig read(Family family, ConfigFields fields) {
        NeoConfig config = new NeoConfig(family, fields);
        return family == Family.GPT_NEO ? config.neo() : config.neox();
    }

    private ModelConfig neo() {
        int layers = fields.required(family.layersKey());
        int width = fields.required(family.widthKey());
        int heads = fields.required(family.headsKey());
        int inner =
                fields.absent(family.innerKey()) ? ConfigFields.fourTimes(width) : fields.required(family.innerKey());
        return config(
                layers,
                width,
                fields.flag("tie_word_embeddings", true),
                new Architecture.Attention(
                        heads,
                        heads,
                        fields.shared(width, family.widthKey(), heads, family.headsKey()),
                        1, // GPT-Neo's scores are not scaled
                        false,
                        null,
                        null,
                        Architecture.HeadNorms.NONE,
                        windows(layers),
                        0,
                        false,
                        true),
                new Architecture.Mlp(inner, false, fields.activation("activation_function", Activation.GELU_NEW), true),
                Architecture.Stream.PLAIN);
    }

    private ModelConfig neox() {
        int width = fields.required(family.widthKey());
        int heads = fields.required(family.headsKey());
        int headWidth = fields.shared(width, family.widthKey(), heads, family.headsKey());
        boolean bias = fields.flag("attention_bias", true);
        double theta = fields.either("rotary_emb_base", "rope_theta", 10000);
        double part = fields.either("rotary_pct", "partial_rotary_factor", 0.25);
        Rotary rotary = new RotaryConfig(fields, headWidth, fields.required(family.positionsKey())).read(theta, part);
        return config(
                fields.required(family.layersKey()),
                width,
                fields.flag("tie_word_embeddings", false),
                new Architecture.Attention(
                        heads,
                        heads,
                        headWidth,
                        1 / Math.sqrt(headWidth),
                        false,
                        rotary,
                        rotary,
                        Architecture.HeadNorms.NONE,
                        List.of(),
                        0,
                        bias,
                        bias),
                new Architecture.Mlp(
                        fields.required(family.innerKey()),
                        false,
                        fields.activation("hidden_act", Activation.GELU),
                        true),
                new Architecture.Stream(fields.flag("use_parallel_residual", true), 1, 0));
    }

    private ModelConfig config(
            int layers,
            int width,
            boolean tied,
            Architecture.Attention attention,
            Architecture.Mlp mlp,
            Architecture.Stream stream) {
        return new ModelConfig(
                family,
                layers,
                width,
                fields.required(family.positionsKey()),
                fields.required("vocab_size"),
                tied,
                new Architecture(
                        new Architecture.Norm(true, fields.number(family.epsilonKey(), 1e-5)), attention, mlp, stream));
    }

    /** GPT-Neo's windows, from {@code attention_layers} or the pairs of kinds and counts that it is written out of. */
    private List<Integer> windows(int layers) {
        List<String> kinds = new ArrayList<>();
        JsonNode all = fields.read("attention_layers");
        JsonNode types = fields.read("attention_types");
        if (all.isArray()) {
            all.forEach(kind -> kinds.add(kind.asText()));
        } else if (types.isArray()) {
            for (JsonNode entry : types) {
                int times = entry.path(1).asInt();
                // No more than are wanted: a file may claim millions.
                for (int i = 0; i < times && kinds.size() <= layers; i++) {
                    entry.path(0).forEach(kind -> kinds.add(kind.asText()));
                }
            }
        } else {
            for (int l = 0; l < layers; l++) {
                kinds.add(l % 2 == 0 ? "global" : "local");
            }
        }
        if (kinds.size() != layers) {
            throw new InputException((all.isArray() ? "attention_layers" : "attention_types") + ": found "
                    + (kinds.size() > layers ? "more" : kinds.size()) + " entries, expected one for each of the "
                    + layers + " blocks; correct it or " + family.layersKey());
        }
        int window = fields.missing("window_size") ? 256 : fields.required("window_size");
        List<Integer> windows = new ArrayList<>();
        for (String kind : kinds) {
            windows.add(
                    switch (kind) {
                        case "global" -> 0;
                        case "local" -> window;
                        default ->
                            throw new InputException("attention_types: found " + Lines.quoted(kind)
                                    + ", expected global or local; other kinds of blocks are not supported");
                    });
        }
        return windows;
    }
}
