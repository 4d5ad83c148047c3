package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Maps of tokens' MLPs ({@link Condensation}) that are kept, since later sweeps need the same: then they cost nothing to form. Which
 * may be kept never depends on what was pushed before. A linearization keeps as many as there is room for: those of the highest blocks,
 * which most sweeps go through. A {@link SweepSeries} keeps those that it was planned with.
 */
final class KeptMaps implements AutoCloseable {
    private final Backend backend;
    private final int width;
    private final int tokens;
    private final int capacity;
    private final Places planned; // null where the rank decides
    private final IdentityHashMap<Object, Integer> blocks = new IdentityHashMap<>();
    private final Map<Integer, Kept> kept = new HashMap<>(); // by rank

    /**
     * A map [D, D] that is kept.
     *
     * @param transposed whether what lies there is M'
     */
    record Kept(Buffer buffer, Matrix map, boolean transposed) {}

    /** Which maps are kept, by block and token. */
    interface Places {
        boolean has(int block, int token);
    }

    /** Tokens from (inclusive) to (exclusive). */
    record Tokens(int from, int to) {}

    /**
     * Room for maps of the highest blocks.
     *
     * @param blocks what stands for them, from below: what the run keeps of their MLPs
     * @param tokens of the run
     * @param capacity how many maps there is room for
     */
    KeptMaps(Backend backend, int width, List<?> blocks, int tokens, int capacity) {
        this(backend, width, blocks, tokens, capacity, null);
    }

    /**
     * Room for the maps of given tokens; see the other constructor.
     *
     * @param capacity how many they are
     */
    KeptMaps(Backend backend, int width, List<?> blocks, int tokens, int capacity, Places planned) {
        this.backend = backend;
        this.width = width;
        this.tokens = tokens;
        this.capacity = capacity;
        this.planned = planned;
        for (int l = 0; l < blocks.size(); l++) {
            this.blocks.put(blocks.get(l), l);
        }
    }

    private int rank(Object block, int token) {
        return (blocks.size() - 1 - blocks.get(block)) * tokens + token;
    }

    /** Whether there is room for a token's map. */
    boolean has(Object block, int token) {
        return planned == null ? rank(block, token) < capacity : planned.has(blocks.get(block), token);
    }

    /** Whether it was planned which maps are kept. */
    boolean planned() {
        return planned != null;
    }

    /**
     * The planned tokens around one that are formed by one product whenever one of them is needed: a product of other size may round
     * otherwise, and the map must not depend on which sweep came first.
     *
     * @param atOnce how many there are at most
     */
    Tokens together(Object block, int token, int atOnce) {
        int first = token - token % atOnce;
        int from = token;
        while (from > first && has(block, from - 1)) {
            from--;
        }
        int to = token + 1;
        while (to < Math.min(first + atOnce, tokens) && has(block, to)) {
            to++;
        }
        return new Tokens(from, to);
    }

    /** A map that is kept already, or null. */
    synchronized Kept get(Object block, int token) {
        return kept.get(rank(block, token));
    }

    /** Keeps a copy of a map, if there is room for it. */
    synchronized void keep(Object block, int token, Matrix map, boolean transposed) {
        int rank = rank(block, token);
        if (has(block, token) && !kept.containsKey(rank)) {
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
