package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.model.Rotary;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The memory of one run of T tokens: what its forward pass leaves behind, freed all at once. */
final class RunMemory implements AutoCloseable {
    private final Backend backend;
    private final int tokens;
    private final List<Buffer> buffers = new ArrayList<>();
    private final Map<Rotary, Matrix> rotations = new HashMap<>();

    RunMemory(Backend backend, int tokens) {
        this.backend = backend;
        this.tokens = tokens;
    }

    /** A buffer of {@code elements} elements for each token. */
    Buffer perToken(String label, long elements) {
        Buffer buffer = backend.allocate(label, elements * tokens);
        buffers.add(buffer);
        return buffer;
    }

    /** A matrix [T, columns]. */
    Matrix rows(String label, int columns) {
        return Matrix.of(perToken(label, columns), tokens, columns);
    }

    /** The angles of rotary positions at the run's tokens, [T, 2 n]; made once, however many blocks turn by them. */
    Matrix rotation(Rotary rotary) {
        return rotations.computeIfAbsent(rotary, key -> {
            Matrix rotation = rows("rotary angles", key.width());
            double[] table = key.table(tokens);
            backend.upload(table, 0, rotation.buffer(), rotation.offset(), table.length);
            return rotation;
        });
    }

    @Override
    public void close() {
        buffers.forEach(Buffer::close);
    }
}
