package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The ragged batch of a sweep: grows as the sweep reaches the half depths at which columns are born, and takes in their
 * seeds. Columns of an upward sweep live from their first seed's token to the last token wanted; those of a downward sweep
 * from the first token wanted to their last seed's token. Sorted by that token, the columns alive anywhere are a prefix.
 */
final class Batch implements AutoCloseable {
    private final Backend backend;
    private final int tokens;
    private final int width;
    private final int[] first;
    private final int[] last;
    private final Map<Integer, List<Seeds.Seed>> seedsAt = new HashMap<>();
    private final Map<Integer, List<Integer>> bornAt = new HashMap<>();
    private final Comparator<Integer> order;
    private final Workspace workspace;
    private final Workspace second; // null in sweeps of first order
    private final Buffer staging;
    private final int start;
    private int[] columns = new int[0];
    private RaggedRows rows;

    /**
     * Plans the batch and takes the memory of the whole sweep.
     *
     * @param up whether the sweep climbs
     * @param bound the last token wanted of an upward sweep, the first of a downward one
     */
    Batch(DeviceModel model, int tokens, Seeds seeds, boolean up, int bound) {
        this(model, tokens, seeds, up, bound, false);
    }

    /** A batch of an upward sweep that carries second derivatives beside the rows; they begin at zero. */
    static Batch curved(DeviceModel model, int tokens, Seeds seeds, int lastToken) {
        return new Batch(model, tokens, seeds, true, lastToken, true);
    }

    private Batch(DeviceModel model, int tokens, Seeds seeds, boolean up, int bound, boolean curved) {
        this.backend = model.backend();
        this.tokens = tokens;
        this.width = model.config().width();
        int n = seeds.columns();
        this.first = new int[n];
        this.last = new int[n];
        Arrays.fill(first, up ? Integer.MAX_VALUE : bound);
        Arrays.fill(last, up ? bound : -1);
        int[] birth = new int[n];
        Arrays.fill(birth, up ? Integer.MAX_VALUE : -1);
        for (Seeds.Seed seed : seeds.all()) {
            int c = seed.column();
            birth[c] = up ? Math.min(birth[c], seed.halfDepth()) : Math.max(birth[c], seed.halfDepth());
            if (up) {
                first[c] = Math.min(first[c], seed.token());
            } else {
                last[c] = Math.max(last[c], seed.token());
            }
            seedsAt.computeIfAbsent(seed.halfDepth(), key -> new ArrayList<>()).add(seed);
        }
        long total = 0;
        int longest = 0;
        for (int c = 0; c < n; c++) {
            if (first[c] > last[c]) {
                throw new IllegalArgumentException(
                        "column " + c + " has no row: its tokens are " + first[c] + " to " + last[c]);
            }
            bornAt.computeIfAbsent(birth[c], key -> new ArrayList<>()).add(c);
            total += last[c] - first[c] + 1;
            longest = Math.max(longest, last[c] - first[c] + 1);
        }
        this.order = Comparator.<Integer>comparingInt(c -> up ? first[c] : -last[c])
                .thenComparingInt(c -> up ? birth[c] : -birth[c])
                .thenComparingInt(c -> c);
        this.start = Arrays.stream(birth).reduce(up ? Math::min : Math::max).orElseThrow();
        this.rows = RaggedRows.of(tokens, new int[0], new int[0]);
        // No token has more rows than there are columns.
        boolean condenses = !curved && n >= Condensation.leastRows(model);
        int size = Math.toIntExact(total);
        int attention = curved ? size : (int) ColumnTiles.mostRows(backend, size, longest);
        this.workspace = new Workspace(backend, model.config(), size, attention, condenses);
        int most = seedsAt.values().stream().mapToInt(List::size).max().orElseThrow();
        Workspace other = null;
        Buffer made = null;
        try {
            other = curved ? new Workspace(backend, model.config(), size) : null;
            made = backend.allocate("sources", (long) most * width);
        } finally {
            if (made == null) {
                workspace.close();
                if (other != null) {
                    other.close();
                }
            }
        }
        this.second = other;
        this.staging = made;
    }

    /** The half depth at which the sweep begins. */
    int start() {
        return start;
    }

    RaggedRows rows() {
        return rows;
    }

    /** Per column of {@link #rows()} its number in the seeds. */
    int[] columns() {
        return columns;
    }

    /** The batch's rows, [R, D]. */
    Matrix x() {
        return workspace.x(rows.rows());
    }

    Workspace workspace() {
        return workspace;
    }

    /** The rows' second derivatives, [R, D]. */
    Matrix second() {
        return second.x(rows.rows());
    }

    /** Work space for the second derivatives. */
    Workspace secondWorkspace() {
        return second;
    }

    /**
     * Lets the columns born at a half depth in and injects the seeds of that half depth.
     *
     * @param base what rows without a past hold, [T, D]; null for zeros
     * @param keep what an injected row keeps of itself: 1 to add, 0 to replace
     * @return the tokens that received seeds, lowest and highest; null when there were none
     */
    int[] enter(int halfDepth, Matrix base, double keep) {
        List<Integer> born = bornAt.getOrDefault(halfDepth, List.of());
        if (!born.isEmpty()) {
            grow(born, base);
        }
        List<Seeds.Seed> seeds = seedsAt.getOrDefault(halfDepth, List.of());
        if (seeds.isEmpty()) {
            return null;
        }
        int[] place = places();
        int[] index = new int[seeds.size()];
        int low = tokens;
        int high = -1;
        for (int i = 0; i < index.length; i++) {
            Seeds.Seed seed = seeds.get(i);
            index[i] = rows.row(seed.token(), place[seed.column()]);
            backend.upload(seed.vector(), 0, staging, (long) i * width, width);
            low = Math.min(low, seed.token());
            high = Math.max(high, seed.token());
        }
        backend.inject(x(), index, Matrix.of(staging, index.length, width), keep);
        return new int[] {low, high};
    }

    /** Per column of the seeds where it stands in the batch now; -1 while it is not born. */
    private int[] places() {
        int[] place = new int[first.length];
        Arrays.fill(place, -1);
        for (int c = 0; c < columns.length; c++) {
            place[columns[c]] = c;
        }
        return place;
    }

    private void grow(List<Integer> born, Matrix base) {
        int[] grown = IntStream.concat(Arrays.stream(columns), born.stream().mapToInt(c -> c))
                .boxed()
                .sorted(order)
                .mapToInt(c -> c)
                .toArray();
        int[] place = places();
        RaggedRows next = RaggedRows.of(
                tokens,
                Arrays.stream(grown).map(c -> first[c]).toArray(),
                Arrays.stream(grown).map(c -> last[c]).toArray());
        int[] origin = Arrays.stream(grown).map(c -> place[c]).toArray();
        backend.grow(x(), rows, origin, base, workspace.y(next.rows()), next);
        workspace.swap();
        if (second != null) {
            backend.grow(second.x(rows.rows()), rows, origin, null, second.y(next.rows()), next);
            second.swap();
        }
        columns = grown;
        rows = next;
    }

    @Override
    public void close() {
        workspace.close();
        staging.close();
        if (second != null) {
            second.close();
        }
    }
}
