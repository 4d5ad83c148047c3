package dev.greenfield.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which parameters a configuration calls for, in the order in which they are written. */
final class ParameterLayout {
    static final String TOKEN_EMBEDDING = "wte.weight";
    static final String POSITIONS = "wpe.weight";
    static final String OUTPUT = "lm_head.weight";

    private ParameterLayout() {}

    /** Canonical names (no {@code transformer.} in front) and shapes; {@code lm_head.weight} only if it is not tied. */
    static Map<String, long[]> shapes(ModelConfig config) {
        Architecture.Attention attention = config.architecture().attention();
        Architecture.Mlp mlp = config.architecture().mlp();
        long width = config.width(); // D
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put(TOKEN_EMBEDDING, new long[] {config.vocabulary(), width});
        if (attention.rotary() == null) {
            shapes.put(POSITIONS, new long[] {config.positions(), width});
        }
        for (int l = 0; l < config.layers(); l++) {
            String block = "h." + l + ".";
            Architecture.Placement norms = config.architecture().norm().placement();
            if (norms.before()) {
                norm(shapes, config, block + "ln_1");
            }
            linear(shapes, block + "attn.c_attn", width, attention.projectedWidth(), attention.bias());
            if (attention.headNorms() != Architecture.HeadNorms.NONE) {
                boolean whole = attention.headNorms() == Architecture.HeadNorms.WHOLE;
                int queries = whole ? attention.queryWidth() : attention.headWidth();
                int keys = whole ? attention.keyWidth() : attention.headWidth();
                shapes.put(block + "attn.q_norm.weight", new long[] {queries});
                shapes.put(block + "attn.k_norm.weight", new long[] {keys});
            }
            linear(shapes, block + "attn.c_proj", attention.queryWidth(), width, attention.outputBias());
            if (norms.after()) {
                norm(shapes, config, block + "attn.ln_post");
            }
            if (norms.before()) {
                norm(shapes, config, block + "ln_2");
            }
            linear(shapes, block + "mlp.c_fc", width, mlp.upWidth(), mlp.bias());
            linear(shapes, block + "mlp.c_proj", mlp.inner(), width, mlp.bias());
            if (norms.after()) {
                norm(shapes, config, block + "mlp.ln_post");
            }
        }
        norm(shapes, config, "ln_f");
        if (!config.tied()) {
            shapes.put(OUTPUT, new long[] {config.vocabulary(), width});
        }
        return Collections.unmodifiableMap(shapes);
    }

    private static void norm(Map<String, long[]> shapes, ModelConfig config, String name) {
        shapes.put(name + ".weight", new long[] {config.width()});
        if (config.architecture().norm().centred()) {
            shapes.put(name + ".bias", new long[] {config.width()});
        }
    }

    private static void linear(Map<String, long[]> shapes, String name, long in, long out, boolean bias) {
        shapes.put(name + ".weight", new long[] {in, out});
        if (bias) {
            shapes.put(name + ".bias", new long[] {out});
        }
    }

    static long elements(long[] shape) {
        long elements = 1;
        for (long extent : shape) {
            elements = Math.multiplyExact(elements, extent);
        }
        return elements;
    }
}
