package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntPredicate;

/** Which blocks have a window, as a {@code config.json} says it: by {@code layer_types}, or by a rule of the family. */
final class Windows {
    static final String FULL = "full_attention";
    static final String SLIDING = "sliding_attention";

    private final Family family;
    private final ConfigFields fields;

    Windows(Family family, ConfigFields fields) {
        this.family = family;
        this.fields = fields;
    }

    /** Per block how many keys a query sees, 0 for all. */
    List<Integer> read(int layers) {
        return switch (family) {
            // transformers' Mistral has a window of 4096 where the file says nothing, and ignores layer_types.
            case MISTRAL -> {
                fields.read("layer_types");
                yield Collections.nCopies(layers, size(4096));
            }
            case QWEN2, QWEN3 -> qwen(layers);
            case GEMMA2 -> {
                fields.read("sliding_window_size"); // published files have it beside sliding_window, and transformers
                // ignores it
                yield byType(layers, size(4096), l -> l % 2 == 0);
            }
            case GEMMA3 -> {
                int pattern = fields.integer("sliding_window_pattern", 6);
                if (pattern < 1) {
                    throw new InputException("sliding_window_pattern: found " + pattern
                            + ", expected a whole number of at least 1; correct sliding_window_pattern");
                }
                yield byType(layers, size(4096), l -> (l + 1) % pattern != 0);
            }
            default -> List.of();
        };
    }

    private int size(int otherwise) {
        return fields.missing("sliding_window") ? otherwise : fields.integer("sliding_window", 0);
    }

    private List<Integer> qwen(int layers) {
        boolean sliding = fields.flag("use_sliding_window", false);
        int window = size(4096);
        int from = fields.integer("max_window_layers", 28);
        List<Integer> windows = byType(layers, window, l -> sliding && l >= from);
        if (!sliding && window > 0 && windows.stream().anyMatch(size -> size > 0)) {
            throw new InputException("layer_types: found " + SLIDING + ", expected " + FULL
                    + " where use_sliding_window is false; correct one of the two");
        }
        return windows;
    }

    /** Windows in the blocks that {@code layer_types} names, and where the file has no such key in those of a rule. */
    private List<Integer> byType(int layers, int window, IntPredicate rule) {
        JsonNode types = fields.read("layer_types");
        if (!fields.absent("layer_types") && !types.isArray()) {
            throw ConfigFields.wrong("layer_types", types, "a list");
        }
        if (types.isArray() && types.size() != layers) {
            throw new InputException("layer_types: found " + types.size() + " entries, expected one for each of the "
                    + layers + " blocks; correct layer_types or " + family.layersKey());
        }
        List<Integer> windows = new ArrayList<>();
        for (int l = 0; l < layers; l++) {
            boolean here = types.isArray() ? sliding(types.get(l).asText()) : rule.test(l);
            windows.add(here && window > 0 ? window : 0);
        }
        return windows;
    }

    private static boolean sliding(String type) {
        if (!type.equals(FULL) && !type.equals(SLIDING)) {
            throw new InputException("layer_types: found " + Lines.quoted(type) + ", expected " + FULL + " or "
                    + SLIDING + "; other kinds of blocks are not supported");
        }
        return type.equals(SLIDING);
    }
}
