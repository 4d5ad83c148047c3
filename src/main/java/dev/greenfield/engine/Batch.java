package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The ragged batch of a sweep: grows as the sweep reaches the half depths at which columns are born, and takes in their
 * seeds. Columns of an upward sweep live from their first seed's token to the last token wanted; those of a downward sweep
 * from the first token wanted to their last seed's token. Sorted by that token, the columns alive anywhere are a prefix.
 */
final class Batch implements AutoCloseable {
    private final Backend backend;
    private final int tokens;
    private final int[] first;
    private final int[] last;
    private final Map<HalfDepth, List<Seeds.Seed>> seedsAt = new HashMap<>();
    private final int[] birth; // per column the number of the half depth at which it is born
    private final int[] birthOrder; // columns by that, and there in the batch's order
    private final int[] place; // per column of the seeds where it stands in the batch; -1 while it is not born
    private final boolean up;
    private final Workspace workspace;
    private final Workspace second; // null in sweeps of first order
    private final SeedInjection injection;
    private final HalfDepth start;
    private int born; // how many are, from the front of birthOrder
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
        this.up = up;
        int n = seeds.columns();
        this.first = new int[n];
        this.last = new int[n];
        this.birth = new int[n];
        this.place = new int[n];
        Arrays.fill(first, up ? Integer.MAX_VALUE : bound);
        Arrays.fill(last, up ? bound : -1);
        Arrays.fill(birth, up ? Integer.MAX_VALUE : -1);
        Arrays.fill(place, -1);
        for (Seeds.Seed seed : seeds.all()) {
            int c = seed.column();
            int level = seed.level().index();
            birth[c] = up ? Math.min(birth[c], level) : Math.max(birth[c], level);
            if (up) {
                first[c] = Math.min(first[c], seed.token());
            } else {
                last[c] = Math.max(last[c], seed.token());
            }
            seedsAt.computeIfAbsent(seed.level(), key -> new ArrayList<>()).add(seed);
        }
        long total = 0;
        int longest = 0;
        for (int c = 0; c < n; c++) {
            if (first[c] > last[c]) {
                throw new IllegalArgumentException(
                        "column " + c + " has no row: its tokens are " + first[c] + " to " + last[c]);
            }
            total += last[c] - first[c] + 1;
            longest = Math.max(longest, last[c] - first[c] + 1);
        }
        this.birthOrder = birthOrder();
        this.start = new HalfDepth(
                Arrays.stream(birth).reduce(up ? Math::min : Math::max).orElseThrow());
        this.rows = RaggedRows.of(tokens, new int[0], new int[0]);
        // No token has more rows than there are columns.
        ModelConfig config = model.config();
        boolean condenses = !curved && n >= Condensation.leastRows(backend, config);
        int size = Math.toIntExact(total);
        int attention = curved ? size : (int) ColumnTiles.mostRows(backend, size, longest);
        this.workspace = new Workspace(backend, config, size, attention, condenses);
        Workspace other = null;
        SeedInjection made = null;
        try {
            other = curved ? Workspace.ofSecondDerivatives(backend, config, size, tokens) : null;
            made = new SeedInjection(backend, config.width(), seedsAt.values());
        } finally {
            if (made == null) {
                workspace.close();
                if (other != null) {
                    other.close();
                }
            }
        }
        this.second = other;
        this.injection = made;
    }

    /** Columns that are born together come in the order of the tokens that bound them, which is mostly that of their numbers. */
    private int[] birthOrder() {
        long[] keys = new long[birth.length];
        for (int c = 0; c < keys.length; c++) {
            keys[c] =
                    ((long) (up ? birth[c] : -birth[c]) * tokens + edge(c) + (up ? 0 : tokens - 1)) << Integer.SIZE | c;
        }
        Arrays.sort(keys);
        return Arrays.stream(keys).mapToInt(key -> (int) key).toArray();
    }

    /** What columns are ordered by first: those alive at a token are then a prefix. */
    private int edge(int column) {
        return up ? first[column] : -last[column];
    }

    /** The level at which the sweep begins. */
    HalfDepth start() {
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
     * Lets the columns born at a level in and injects the seeds of that level.
     *
     * @param base what rows without a past hold, [T, D]; null for zeros
     * @param keep what an injected row keeps of itself: 1 to add, 0 to replace
     * @return the lowest token that received a seed; T when none did
     */
    int enter(HalfDepth level, Matrix base, double keep) {
        int until = born;
        while (until < birthOrder.length && birth[birthOrder[until]] == level.index()) {
            until++;
        }
        if (until > born) {
            grow(until, base);
        }
        List<Seeds.Seed> seeds = seedsAt.getOrDefault(level, List.of());
        if (seeds.isEmpty()) {
            return tokens;
        }
        int[] index = new int[seeds.size()];
        int low = tokens;
        for (int i = 0; i < index.length; i++) {
            Seeds.Seed seed = seeds.get(i);
            index[i] = rows.row(seed.token(), place[seed.column()]);
            low = Math.min(low, seed.token());
        }
        injection.inject(x(), index, seeds, keep);
        return low;
    }

    /** Merges the next columns of the order of birth, up to number {@code until}, with those that are there. */
    private void grow(int until, Matrix base) {
        int[] grown = new int[until];
        int[] origin = new int[until];
        int[] firsts = new int[until];
        int[] lasts = new int[until];
        int old = 0;
        int young = born;
        for (int c = 0; c < until; c++) {
            // Where tokens are the same, the elder comes first.
            boolean elder = young == until || (old < columns.length && edge(columns[old]) <= edge(birthOrder[young]));
            origin[c] = elder ? old : -1;
            grown[c] = elder ? columns[old++] : birthOrder[young++];
            firsts[c] = first[grown[c]];
            lasts[c] = last[grown[c]];
            place[grown[c]] = c;
        }
        RaggedRows next = RaggedRows.of(tokens, firsts, lasts);
        backend.grow(x(), rows, origin, base, workspace.y(next.rows()), next);
        workspace.swap();
        if (second != null) {
            backend.grow(second.x(rows.rows()), rows, origin, null, second.y(next.rows()), next);
            second.swap();
        }
        columns = grown;
        rows = next;
        born = until;
    }

    @Override
    public void close() {
        workspace.close();
        injection.close();
        if (second != null) {
            second.close();
        }
    }
}
