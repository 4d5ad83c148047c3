package dev.greenfield.model;

import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** A small model directory to spoil: 2 layers, 2 heads, width 4, 6 positions, 5 tokens; element i of a tensor is i / 8. */
final class ModelDirectory {
    static final String CONFIG = """
            {"model_type": "gpt2", "n_layer": 2, "n_head": 2, "n_embd": 4, "n_inner": null, "n_positions": 6,
             "vocab_size": 5, "layer_norm_epsilon": 1e-05, "activation_function": "gelu_new"}
            """;

    private final Path path;
    private final Map<String, long[]> tensors = new TreeMap<>();
    private final Map<String, DType> types = new LinkedHashMap<>();
    private final Map<String, Double> factors = new LinkedHashMap<>();
    private UnaryOperator<String> naming = UnaryOperator.identity();

    ModelDirectory(Path path) {
        this.path = path;
        config(CONFIG);
        tensors.putAll(ParameterLayout.shapes(configuration()));
    }

    private static ModelConfig configuration() {
        return new ModelConfig(2, 2, 4, 16, 6, 5, 1e-5, Activation.GELU_NEW, true, true, false);
    }

    Path path() {
        return path;
    }

    ModelDirectory config(String json) {
        return file("config.json", json);
    }

    /** Replaces a part of the configuration. */
    ModelDirectory config(String part, String by) {
        if (!CONFIG.contains(part)) {
            throw new IllegalArgumentException(part + " is not in the configuration");
        }
        return config(CONFIG.replace(part, by));
    }

    ModelDirectory file(String name, String text) {
        try {
            Files.writeString(path.resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    ModelDirectory tensor(String name, DType type, long... shape) {
        tensors.put(name, shape);
        types.put(name, type);
        return this;
    }

    /** Multiplies the elements of a tensor. */
    ModelDirectory scaled(String name, double by) {
        factors.put(name, by);
        return this;
    }

    ModelDirectory without(String name) {
        tensors.remove(name);
        return this;
    }

    ModelDirectory typed(DType type) {
        tensors.keySet().forEach(name -> types.put(name, type));
        return this;
    }

    ModelDirectory prefixed() {
        naming = name -> name.startsWith("lm_head") ? name : "transformer." + name;
        return this;
    }

    /** Writes model.safetensors. */
    ModelDirectory whole() throws IOException {
        write("model.safetensors", tensors);
        return this;
    }

    /** Writes two shards, every other tensor in each, and their index, which names the second one first. */
    ModelDirectory sharded() throws IOException {
        Map<String, long[]> first = new TreeMap<>();
        Map<String, long[]> second = new TreeMap<>();
        StringBuilder index = new StringBuilder();
        for (Map.Entry<String, long[]> tensor : tensors.entrySet()) {
            boolean even = index.chars().filter(c -> c == ':').count() % 2 == 0;
            (even ? second : first).put(tensor.getKey(), tensor.getValue());
            index.append(index.isEmpty() ? "" : ", ")
                    .append('"' + naming.apply(tensor.getKey()) + "\": \"" + (even ? "two" : "one") + ".safetensors\"");
        }
        write("one.safetensors", first);
        write("two.safetensors", second);
        return file("model.safetensors.index.json", "{\"weight_map\": {" + index + "}}");
    }

    private void write(String file, Map<String, long[]> which) throws IOException {
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(path.resolve(file));
        which.forEach((name, shape) -> builder.tensor(naming.apply(name), types.getOrDefault(name, DType.F32), shape));
        try (SafetensorsWriter writer = builder.open()) {
            for (Map.Entry<String, long[]> tensor : which.entrySet()) {
                double[] values = new double[Math.toIntExact(ParameterLayout.elements(tensor.getValue()))];
                for (int i = 0; i < values.length; i++) {
                    values[i] = types.getOrDefault(tensor.getKey(), DType.F32).floating()
                            ? factors.getOrDefault(tensor.getKey(), 1.0) * i / 8.0
                            : i % 2;
                }
                writer.write(values, 0, values.length);
            }
            writer.commit();
        }
    }
}
