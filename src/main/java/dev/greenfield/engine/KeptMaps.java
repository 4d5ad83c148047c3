package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Maps of tokens' MLPs ({@link Condensation}) that a linearization keeps, since later sweeps need the same: then they cost nothing to
 * form. Which may be kept depends on the room alone, not on what was pushed before: those of the highest blocks, which most sweeps go
 * through.
 */
final class KeptMaps implements AutoCloseable {
    private final Backend backend;
    private final int width;
    private final int tokens;
    private final int capacity;
    private final IdentityHashMap<Object, Integer> blocks = new IdentityHashMap<>();
    private final Map<Integer, Kept> kept = new HashMap<>(); // by rank

    /**
     * A map [D, D] that is kept.
     *
     * @param transposed whether what lies there is M'
     */
    record Kept(Buffer buffer, Matrix map, boolean transposed) {}

    /**
     * @param blocks what stands for them, from below: what the run keeps of their MLPs
     * @param tokens of the run
     * @param capacity how many maps there is room for
     */
    KeptMaps(Backend backend, int width, List<?> blocks, int tokens, int capacity) {
        this.backend = backend;
        this.width = width;
        this.tokens = tokens;
        this.capacity = capacity;
        for (int l = 0; l < blocks.size(); l++) {
            this.blocks.put(blocks.get(l), l);
        }
    }

    /** Bytes of one map. */
    static long bytesOfMap(Backend backend, int width) {
        return (long) width * width * backend.precision().bytes();
    }

    private int rank(Object block, int token) {
        return (blocks.size() - 1 - blocks.get(block)) * tokens + token;
    }

    /** Whether there is room for a token's map. */
    boolean has(Object block, int token) {
        return rank(block, token) < capacity;
    }

    /** A map that is kept already, or null. */
    synchronized Kept get(Object block, int token) {
        return kept.get(rank(block, token));
    }

    /** Keeps a copy of a map, if there is room for it. */
    synchronized void keep(Object block, int token, Matrix map, boolean transposed) {
        int rank = rank(block, token);
        if (rank < capacity && !kept.containsKey(rank)) {
            Buffer buffer = backend.allocate("kept MLP of a token", (long) width * width);
            Matrix copy = Matrix.of(buffer, width, width);
            backend.blocks().scaleColumns(map, null, copy);
            kept.put(rank, new Kept(buffer, copy, transposed));
        }
    }

    /** How many maps there is room for in all. */
    int capacity() {
        return capacity;
    }

    /** How many maps there is still room for. */
    synchronized int room() {
        return capacity - kept.size();
    }

    @Override
    public synchronized void close() {
        kept.values().forEach(map -> map.buffer().close());
        kept.clear();
    }
}
