package dev.greenfield.model;

import dev.greenfield.failure.Task;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;

/** Writes {@code model.safetensors}: all parameters as float32 under Hugging Face's names. */
final class WeightsFile {
    private static final int CHUNK = 1 << 20; // elements

    private WeightsFile() {}

    /** Writes to a stream, which stays open. */
    static void write(ModelConfig config, Weights weights, OutputStream out) throws IOException {
        // A model with a head of its own is saved as GPT2LMHeadModel, with "transformer." before every other name:
        // transformers
        // does not find the head beside bare names. With a tied head both forms load, and the published GPT-2 is bare.
        String prefix = config.tied() ? "" : "transformer.";
        Map<String, long[]> shapes = ParameterLayout.shapes(config);
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(out).metadata("format", "pt");
        shapes.forEach((name, shape) ->
                builder.tensor(name.equals(ParameterLayout.OUTPUT) ? name : prefix + name, DType.F32, shape));
        long all = shapes.values().stream().mapToLong(ParameterLayout::elements).sum();
        try (SafetensorsWriter writer = builder.open()) {
            Task.run("weights", "parameters", (double) all, task -> {
                long before = 0;
                for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
                    Parameter parameter = weights.parameter(entry.getKey());
                    long elements = ParameterLayout.elements(entry.getValue());
                    float[] chunk = new float[(int) Math.min(CHUNK, elements)];
                    for (long from = 0; from < elements; from += chunk.length) {
                        task.to((double) (before + from));
                        int count = (int) Math.min(chunk.length, elements - from);
                        parameter.read(from, chunk, 0, count);
                        writer.write(chunk, 0, count);
                    }
                    before += elements;
                }
            });
            writer.commit();
        }
    }
}
