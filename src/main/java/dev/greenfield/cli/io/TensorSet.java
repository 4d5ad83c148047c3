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

    /** Numbers that are made when the file is written, so that they are not held before. */
    public interface Numbers {
        /** Writes all of them, as many as the shape says. */
        void write(SafetensorsWriter file) throws IOException;
    }

    /**
     * @param type of the elements; null for that of the command's numbers
     */
    private record Entry(Numbers numbers, DType type, long[] shape) {}

    /** Adds a tensor; the values are kept, not copied. */
    public void add(String name, double[] values, long... shape) {
        require(name, values.length, shape);
        add(name, file -> file.write(values), shape);
    }

    /** Adds a tensor whose numbers are made when it is written. */
    public void add(String name, Numbers numbers, long... shape) {
        entries.put(name, new Entry(numbers, null, shape));
    }

    /** Adds a tensor of 64-bit integers; the values are kept, not copied. */
    public void add(String name, long[] values, long... shape) {
        require(name, values.length, shape);
        entries.put(name, new Entry(file -> file.write(values), DType.I64, shape));
    }

    private static void require(String name, int length, long[] shape) {
        if (Arrays.stream(shape).reduce(1, Math::multiplyExact) != length) {
            throw new IllegalArgumentException(
                    "tensor " + name + " has " + length + " values for shape " + Arrays.toString(shape));
        }
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

    /** How many axes each tensor has, by its name. */
    public Map<String, Integer> ranks() {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        entries.forEach((name, entry) -> ranks.put(name, entry.shape().length));
        return ranks;
    }

    /** Writes the file. */
    public void write(Path file, DType type, Map<String, String> metadata) throws IOException {
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(file);
        metadata.forEach(builder::metadata);
        entries.forEach(
                (name, entry) -> builder.tensor(name, entry.type() == null ? type : entry.type(), entry.shape()));
        try (SafetensorsWriter writer = builder.open()) {
            for (Entry entry : entries.values()) {
                entry.numbers().write(writer);
            }
            writer.commit();
        }
    }
}
