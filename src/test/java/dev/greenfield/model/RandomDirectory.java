package dev.greenfield.model;

import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;

/**
 * Writes small models of any configuration whose every parameter matters: matrices keep a stream's size, LayerNorm weights
 * scatter about 1, biases are not zero. (A freshly initialized GPT-2 is too tame: its blocks hardly change the stream.)
 */
public final class RandomDirectory {
    private RandomDirectory() {}

    /** Writes {@code config.json} and {@code model.safetensors} into a directory. */
    public static Path write(Path directory, ModelConfig config, long seed) throws IOException {
        Files.write(directory.resolve("config.json"), ConfigJson.write(config, "float32"));
        Map<String, long[]> shapes = ParameterLayout.shapes(config);
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(directory.resolve("model.safetensors"));
        shapes.forEach((name, shape) -> builder.tensor(name, DType.F32, shape));
        Random random = new Random(seed);
        try (SafetensorsWriter writer = builder.open()) {
            for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
                boolean gain =
                        tensor.getKey().contains("ln_") && tensor.getKey().endsWith("weight");
                double[] values = new double[(int) ParameterLayout.elements(tensor.getValue())];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float)
                            ((gain ? 1 : 0) + deviation(tensor.getKey(), tensor.getValue()) * random.nextGaussian());
                }
                writer.write(values);
            }
            writer.commit();
        }
        return directory;
    }

    private static double deviation(String name, long[] shape) {
        if (shape.length == 1) {
            return 0.2;
        }
        return name.startsWith("h.") ? 0.8 / Math.sqrt(shape[0]) : 0.5;
    }
}
