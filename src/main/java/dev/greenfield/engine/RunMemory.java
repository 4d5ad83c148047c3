package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import java.util.ArrayList;
import java.util.List;

/** The memory of one run of T tokens: what its forward pass leaves behind, freed all at once. */
final class RunMemory implements AutoCloseable {
    private final Backend backend;
    private final int tokens;
    private final List<Buffer> buffers = new ArrayList<>();

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

    @Override
    public void close() {
        buffers.forEach(Buffer::close);
    }
}
