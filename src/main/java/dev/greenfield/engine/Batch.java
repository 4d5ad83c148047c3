package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.ModelConfig;
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
    private final int[] first;
    private final int[] last;
    private final Map<HalfDepth, List<Seeds.Seed>> seedsAt = new HashMap<>();
    private final int[] birth; // per column the number of the half depth at which it is born
    private final int[]
            entry; // per column the number of the half depth at which the batch has it, later than its birth where it
    // is newborn
    private final int[] entryOrder; // columns by that, and there in the batch's order
    private final int[] place; // per column of the seeds where it stands in the batch; -1 while it is not born
    private final boolean up;
    private final Workspace workspace;
    private final Workspace second; // null in sweeps of first order
    private final SeedInjection injection;
    private final Nurseries nurseries;
    private final HalfDepth start;
    private int born; // how many the batch has, from the front of entryOrder
    private int[] columns = new int[0];
    private RaggedRows rows;

    /**
     * Plans the batch and takes the memory of the whole sweep.
     *
     * @param up whether the sweep climbs
     * @param bound the last token wanted of an upward sweep, the first of a downward one
     * @param retention what is known of other sweeps; null for nothing
     */
    Batch(DeviceModel model, int tokens, Seeds seeds, boolean up, int bound, Retention retention) {
        this(model, tokens, seeds, up, bound, false, false, retention);
    }

    /** A batch of an upward sweep of tangents: columns with one seed wait in a {@link Nursery} for their first attention. */
    static Batch ofTangents(DeviceModel model, int tokens, Seeds seeds, int lastToken, Retention retention) {
        return new Batch(model, tokens, seeds, true, lastToken, false, true, retention);
    }

    /** A batch of an upward sweep that carries second derivatives beside the rows; they begin at zero. */
    static Batch curved(DeviceModel model, int tokens, Seeds seeds, int lastToken) {
        return new Batch(model, tokens, seeds, true, lastToken, true, false, null);
    }

    private Batch(
            DeviceModel model,
            int tokens,
            Seeds seeds,
            boolean up,
            int bound,
            boolean curved,
            boolean newborn,
            Retention retention) {
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
        this.entry = birth.clone();
        int[] newborns = newborn ? newborns(model, seeds) : new int[2];
        this.entryOrder = entryOrder();
        this.start = new HalfDepth(
                Arrays.stream(birth).reduce(up ? Math::min : Math::max).orElseThrow());
        this.rows = RaggedRows.of(tokens, new int[0], new int[0]);
        // No token has more rows than there are columns.
        ModelConfig config = model.config();
        boolean condenses =
                !curved && (retention == null ? n : retention.rows(n)) >= Condensation.leastRows(backend, config);
        int size = Math.toIntExact(total);
        int attention = curved ? size : (int) ColumnTiles.mostRows(backend, size, longest);
        this.workspace = new Workspace(backend, config, size, attention, condenses, retention);
        Workspace other = null;
        Nurseries waiting = null;
        SeedInjection made = null;
        try {
            other = curved ? Workspace.ofSecondDerivatives(backend, config, size, tokens) : null;
            waiting = new Nurseries(model, tokens, bound, newborns, attention);
            made = new SeedInjection(backend, config.width(), seedsAt.values());
        } finally {
            if (made == null) {
                workspace.close();
                if (waiting != null) {
                    waiting.close();
                }
                if (other != null) {
                    other.close();
                }
            }
        }
        this.second = other;
        this.nurseries = waiting;
        this.injection = made;
    }

    /**
     * Finds the columns that wait in a nursery, and says when the batch gets them.
     *
     * @return the most born at one whole depth, and in one middle
     */
    private int[] newborns(DeviceModel model, Seeds seeds) {
        int[] seedsOf = new int[seeds.columns()];
        seeds.all().forEach(seed -> seedsOf[seed.column()]++);
        Map<Integer, Integer> births = new HashMap<>();
        for (int c = 0; c < entry.length; c++) {
            if (seedsOf[c] == 1) {
                HalfDepth level = new HalfDepth(birth[c]);
                entry[c] += HalfBlockFlops.stepsAsNewborn(model, level, up, last[c] - first[c] + 1);
                if (isNewborn(c)) {
                    births.merge(birth[c], 1, Integer::sum);
                }
            }
        }
        int[] most = new int[2];
        births.forEach((level, count) -> most[level % 2] = Math.max(most[level % 2], count));
        return most;
    }

    private boolean isNewborn(int column) {
        return entry[column] > birth[column];
    }

    /** Columns that enter together come in the order of the tokens that bound them, which is mostly that of their numbers; newborn ones first. */
    private int[] entryOrder() {
        long[] keys = new long[birth.length];
        for (int c = 0; c < keys.length; c++) {
            long level = 2L * (up ? entry[c] : -entry[c]) + (isNewborn(c) ? 0 : 1);
            keys[c] = (level * tokens + edge(c) + (up ? 0 : tokens - 1)) << Integer.SIZE | c;
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
        grow(level, false, base);
        takeNewborns(level, keep);
        List<Seeds.Seed> seeds = seedsAt.getOrDefault(level, List.of()).stream()
                .filter(seed -> !isNewborn(seed.column()))
                .toList();
        int low = tokens;
        int[] index = new int[seeds.size()];
        for (int i = 0; i < index.length; i++) {
            Seeds.Seed seed = seeds.get(i);
            index[i] = rows.row(seed.token(), place[seed.column()]);
            low = Math.min(low, seed.token());
        }
        if (index.length > 0) {
            injection.inject(x(), index, seeds, keep);
        }
        return low;
    }

    /** Lets the newborn columns of a level into their nursery, each with its only seed. */
    private void takeNewborns(HalfDepth level, double keep) {
        List<Seeds.Seed> seeds = seedsAt.getOrDefault(level, List.of()).stream()
                .filter(seed -> isNewborn(seed.column()))
                .sorted(Comparator.comparingInt(Seeds.Seed::token))
                .toList();
        if (seeds.isEmpty()) {
            return;
        }
        Nursery nursery = nurseries.at(level);
        nursery.take(
                seeds.stream().mapToInt(Seeds.Seed::column).toArray(),
                seeds.stream().mapToInt(Seeds.Seed::token).toArray());
        injection.inject(nursery.x(), IntStream.range(0, seeds.size()).toArray(), seeds, keep);
    }

    /** Shows all columns that are born by now. */
    void visit(HalfDepth level, Visitor visitor) {
        if (columns.length > 0) {
            visitor.visit(level, rows, columns, x());
        }
        nurseries.visit(level, visitor);
    }

    /** Takes the tangents of all columns through half a block. */
    void climb(HalfDepth level, BlockPart part, BlockPrimal primal, int fromToken) {
        if (columns.length > 0) {
            part.tangent(x(), rows, primal, fromToken, workspace);
        }
        if (Causality.mixesTokens(level)) {
            grow(level.above(), true, null);
        }
        nurseries.climb(level, part, primal, fromToken, workspace, new Nurseries.Joining() {
            @Override
            public BlockPart.NewbornRows rowsOf(Nursery nursery, Nursery.Piece piece) {
                return (grown, from, branch) -> backend.inject(x(), indexOf(nursery, piece, from), branch, 1);
            }

            @Override
            public void join(Nursery nursery) {
                int[] at = new int[nursery.columns().length];
                for (int i = 0; i < at.length; i++) {
                    at[i] = rows.row(nursery.token(i), place[nursery.columns()[i]]);
                }
                backend.inject(x(), at, nursery.x(), 1);
            }
        });
    }

    /** Where the rows of a piece's columns are in the batch, from a token on. */
    private int[] indexOf(Nursery nursery, Nursery.Piece piece, int fromToken) {
        RaggedRows grown = piece.grown();
        int[] index = new int[grown.rows() - grown.start(fromToken)];
        int i = 0;
        for (int t = fromToken; t < tokens; t++) {
            for (int c = 0; c < grown.count(t); c++) {
                index[i++] = rows.row(t, place[nursery.columns()[piece.from() + c]]);
            }
        }
        return index;
    }

    /** Merges the columns that enter at a level, either the newborn ones or the others, with those that are there. */
    private void grow(HalfDepth level, boolean newborn, Matrix base) {
        int until = born;
        while (until < entryOrder.length
                && entry[entryOrder[until]] == level.index()
                && isNewborn(entryOrder[until]) == newborn) {
            until++;
        }
        if (until > born) {
            grow(until, base);
        }
    }

    /** Merges the next columns of the order of entry, up to number {@code until}, with those that are there. */
    private void grow(int until, Matrix base) {
        int[] grown = new int[until];
        int[] origin = new int[until];
        int[] firsts = new int[until];
        int[] lasts = new int[until];
        int old = 0;
        int young = born;
        for (int c = 0; c < until; c++) {
            // Where tokens are the same, the elder comes first.
            boolean elder = young == until || (old < columns.length && edge(columns[old]) <= edge(entryOrder[young]));
            origin[c] = elder ? old : -1;
            grown[c] = elder ? columns[old++] : entryOrder[young++];
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
        nurseries.close();
        if (second != null) {
            second.close();
        }
    }
}
