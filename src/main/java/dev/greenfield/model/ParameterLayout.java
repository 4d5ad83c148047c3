package dev.greenfield.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which parameters a configuration calls for, in the order in which they are written. */
final class ParameterLayout {
    static final String TOKEN_EMBEDDING = "wte.weight";
    static final String OUTPUT = "lm_head.weight";

    private ParameterLayout() {}

    /** Canonical names (no {@code transformer.} in front) and shapes; {@code lm_head.weight} only if it is not tied. */
    static Map<String, long[]> shapes(ModelConfig config) {
        long width = config.width(); // D
        long inner = config.inner();
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put(TOKEN_EMBEDDING, new long[] {config.vocabulary(), width});
        shapes.put("wpe.weight", new long[] {config.positions(), width});
        for (int l = 0; l < config.layers(); l++) {
            String block = "h." + l + ".";
            shapes.put(block + "ln_1.weight", new long[] {width});
            shapes.put(block + "ln_1.bias", new long[] {width});
            shapes.put(block + "attn.c_attn.weight", new long[] {width, 3 * width});
            shapes.put(block + "attn.c_attn.bias", new long[] {3 * width});
            shapes.put(block + "attn.c_proj.weight", new long[] {width, width});
            shapes.put(block + "attn.c_proj.bias", new long[] {width});
            shapes.put(block + "ln_2.weight", new long[] {width});
            shapes.put(block + "ln_2.bias", new long[] {width});
            shapes.put(block + "mlp.c_fc.weight", new long[] {width, inner});
            shapes.put(block + "mlp.c_fc.bias", new long[] {inner});
            shapes.put(block + "mlp.c_proj.weight", new long[] {inner, width});
            shapes.put(block + "mlp.c_proj.bias", new long[] {width});
        }
        shapes.put("ln_f.weight", new long[] {width});
        shapes.put("ln_f.bias", new long[] {width});
        if (!config.tied()) {
            shapes.put(OUTPUT, new long[] {config.vocabulary(), width});
        }
        return Collections.unmodifiableMap(shapes);
    }

    static long elements(long[] shape) {
        long elements = 1;
        for (long extent : shape) {
            elements = Math.multiplyExact(elements, extent);
        }
        return elements;
    }
}
