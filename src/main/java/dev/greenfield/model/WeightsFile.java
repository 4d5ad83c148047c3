package dev.greenfield.model;

import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.Task;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/** Writes {@code model.safetensors}: all parameters in the tensors and under the names that Hugging Face has for the family. */
final class WeightsFile {
    private static final int CHUNK = 1 << 20; // elements
    private static final int TILE = 32; // rows whose lines of the cache are read while they are there

    private final Weights weights;
    private final SafetensorsWriter writer;
    private long written; // elements

    private WeightsFile(Weights weights, SafetensorsWriter writer) {
        this.weights = weights;
        this.writer = writer;
    }

    /**
     * Writes to a stream, which stays open.
     *
     * @param type of all tensors; numbers are rounded to it
     */
    static void write(ModelConfig config, Weights weights, DType type, OutputStream out) throws IOException {
        List<StoredNames.Source> sources = StoredNames.of(config);
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(out).metadata("format", "pt");
        long all = 0;
        for (StoredNames.Source source : sources) {
            source.tensors().forEach((name, shape) -> builder.tensor(storedName(config, name), type, shape));
            all += ParameterLayout.elements(source.shape());
        }
        try (SafetensorsWriter writer = builder.open()) {
            WeightsFile file = new WeightsFile(weights, writer);
            Task.run("weights", "parameters", (double) all, task -> {
                for (StoredNames.Source source : sources) {
                    file.write(source, task);
                }
            });
            writer.commit();
        }
    }

    private static String storedName(ModelConfig config, String name) {
        // A model with a head of its own is saved as GPT2LMHeadModel, with "transformer." before every other name:
        // transformers does not find the head beside bare names. With a tied head both forms load, and the published
        // GPT-2
        // is bare.
        boolean bare = config.family() == Family.GPT2 && config.tied();
        return bare ? name : config.family().storedName(name);
    }

    private void write(StoredNames.Source source, Task task) throws IOException {
        Parameter parameter = weights.parameter(source.name());
        if (source.transposed() || source.headWidth() > 0) {
            columns(source, parameter, task);
        } else { // tensors one after the other, as the parameter has them
            inOrder(parameter, task);
        }
    }

    private void inOrder(Parameter parameter, Task task) throws IOException {
        long elements = ParameterLayout.elements(parameter.shape());
        float[] chunk = new float[(int) Math.min(CHUNK, elements)];
        for (long from = 0; from < elements; from += chunk.length) {
            int count = (int) Math.min(chunk.length, elements - from);
            parameter.read(from, chunk, 0, count);
            put(chunk, count, task);
        }
    }

    /** Columns of the parameter as rows, in the order in which the file has them: the whole of it is turned in memory. */
    private void columns(StoredNames.Source source, Parameter parameter, Task task) throws IOException {
        long[] shape = source.shape();
        int in = shape.length == 2 ? (int) shape[0] : 1;
        int out = (int) shape[shape.length - 1];
        float[] all = new float[Math.multiplyExact(in, out)];
        parameter.read(0, all, 0, all.length);
        int rows = Math.max(1, CHUNK / in);
        float[] chunk = new float[rows * in];
        for (int from = 0; from < out; from += rows) {
            Cancellation.check();
            int n = Math.min(rows, out - from);
            for (int i0 = 0; i0 < in; i0 += TILE) {
                int last = Math.min(in, i0 + TILE);
                for (int j = 0; j < n; j++) {
                    int column = source.headWidth() == 0
                            ? from + j
                            : HeadByHead.canonical(from + j, out, source.headWidth());
                    for (int i = i0; i < last; i++) {
                        chunk[j * in + i] = all[i * out + column];
                    }
                }
            }
            put(chunk, n * in, task);
        }
    }

    private void put(float[] chunk, int count, Task task) throws IOException {
        task.to((double) written);
        writer.write(chunk, 0, count);
        written += count;
    }
}
