package dev.greenfield.benchmarks;

import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * Random models of Llama's form, with windows if wanted, as directories: what is timed does not depend on what a model has learnt.
 *
 * @param layers L
 * @param heads H
 * @param keyHeads K
 * @param width D
 * @param inner F
 * @param vocabulary V
 * @param positions the most tokens
 * @param window how many keys a query sees; 0 for all before it
 */
record LlamaFolder(
        int layers, int heads, int keyHeads, int width, int inner, int vocabulary, int positions, int window) {
    static final String PREFIX = "llama:";

    /** Of {@code llama:} and the components in their order. */
    static LlamaFolder parse(String spec) {
        int[] n = Arrays.stream(spec.substring(PREFIX.length()).split(","))
                .mapToInt(Integer::parseInt)
                .toArray();
        if (n.length != 8) {
            throw new IllegalArgumentException("found " + spec + ", expected llama:L,H,K,D,F,V,positions,window");
        }
        return new LlamaFolder(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]);
    }

    /** Writes {@code config.json} and {@code model.safetensors}; matrices are normal, of standard deviation 0.02. */
    Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(directory.resolve("model.safetensors"));
        Map<String, long[]> tensors = tensors();
        tensors.forEach((name, shape) -> builder.tensor(name, DType.F32, shape));
        Random random = new Random(1);
        try (SafetensorsWriter writer = builder.open()) {
            for (long[] shape : tensors.values()) {
                double[] row = new double[(int) shape[shape.length - 1]];
                for (long i = 0; i < (shape.length == 1 ? 1 : shape[0]); i++) {
                    if (shape.length == 1) {
                        Arrays.fill(row, 1);
                    } else {
                        Arrays.setAll(row, j -> (float) (0.02 * random.nextGaussian()));
                    }
                    writer.write(row);
                }
            }
            writer.commit();
        }
        Files.write(
                directory.resolve("config.json"), config().getBytes(StandardCharsets.UTF_8)); // last: now it is whole
        return directory;
    }

    private Map<String, long[]> tensors() {
        Map<String, long[]> tensors = new LinkedHashMap<>();
        long keys = (long) width / heads * keyHeads;
        tensors.put("model.embed_tokens.weight", new long[] {vocabulary, width});
        for (int l = 0; l < layers; l++) {
            String block = "model.layers." + l + ".";
            tensors.put(block + "input_layernorm.weight", new long[] {width});
            tensors.put(block + "self_attn.q_proj.weight", new long[] {width, width});
            tensors.put(block + "self_attn.k_proj.weight", new long[] {keys, width});
            tensors.put(block + "self_attn.v_proj.weight", new long[] {keys, width});
            tensors.put(block + "self_attn.o_proj.weight", new long[] {width, width});
            tensors.put(block + "post_attention_layernorm.weight", new long[] {width});
            tensors.put(block + "mlp.gate_proj.weight", new long[] {inner, width});
            tensors.put(block + "mlp.up_proj.weight", new long[] {inner, width});
            tensors.put(block + "mlp.down_proj.weight", new long[] {width, inner});
        }
        tensors.put("model.norm.weight", new long[] {width});
        return tensors;
    }

    private String config() {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("model_type", window == 0 ? "\"llama\"" : "\"mistral\"");
        config.put("hidden_size", width);
        config.put("intermediate_size", inner);
        config.put("num_hidden_layers", layers);
        config.put("num_attention_heads", heads);
        config.put("num_key_value_heads", keyHeads);
        config.put("vocab_size", vocabulary);
        config.put("max_position_embeddings", positions);
        config.put("hidden_act", "\"silu\"");
        config.put("rms_norm_eps", "1e-5");
        config.put("rope_theta", "10000.0");
        config.put("tie_word_embeddings", true);
        if (window > 0) {
            config.put("sliding_window", window);
        }
        return config.entrySet().stream()
                .map(field -> String.format(Locale.ROOT, "\"%s\": %s", field.getKey(), field.getValue()))
                .collect(Collectors.joining(",\n  ", "{\n  ", "\n}\n"));
    }
}
