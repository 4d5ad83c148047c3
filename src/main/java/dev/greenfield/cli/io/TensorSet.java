package dev.greenfield.cli.io;

import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The tensors that a command writes, in order. */
public final class TensorSet {
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private record Entry(double[] values, long[] shape) {}

    /** Adds a tensor; the values are kept, not copied. */
    public void add(String name, double[] values, long... shape) {
        long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        if (elements != values.length) {
            throw new IllegalArgumentException(
                    "tensor " + name + " has " + values.length + " values for shape " + Arrays.toString(shape));
        }
        entries.put(name, new Entry(values, shape));
    }

    /** Adds a matrix given by its rows. */
    public void add(String name, double[][] rows) {
        int columns = rows.length == 0 ? 0 : rows[0].length;
        double[] values = new double[rows.length * columns];
        for (int r = 0; r < rows.length; r++) {
            System.arraycopy(rows[r], 0, values, r * columns, columns);
        }
        add(name, values, rows.length, columns);
    }

    /** Writes the file. */
    public void write(Path file, DType type, Map<String, String> metadata) throws IOException {
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(file);
        metadata.forEach(builder::metadata);
        entries.forEach((name, entry) -> builder.tensor(name, type, entry.shape()));
        try (SafetensorsWriter writer = builder.open()) {
            for (Entry entry : entries.values()) {
                writer.write(entry.values());
            }
            writer.commit();
        }
    }
}
