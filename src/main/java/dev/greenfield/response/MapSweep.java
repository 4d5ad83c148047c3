package dev.greenfield.response;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.engine.Visitor;
import dev.greenfield.lattice.Site;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Computes a {@link ResponseMap}: the directions of all sites of one side climb (or descend) together, each batch of columns in one
 * sweep that takes sites in as it reaches them. Rows are reduced to their squared norms where they are, and only those leave the
 * backend.
 */
final class MapSweep {
    private final Linearization run;
    private final boolean halfDepths;
    private final List<Site> sources;
    private final List<Site> targets;
    private final MapDirections directions;
    private final int levels;
    private final int tokens;
    private final int highest; // half depth of the highest target
    private final int lastToken; // of the targets
    private final int lowest; // half depth of the lowest source
    private final int firstToken; // of the sources

    MapSweep(Linearization run, boolean halfDepths, List<Site> sources, List<Site> targets, MapDirections directions) {
        this.run = run;
        this.halfDepths = halfDepths;
        this.sources = sources;
        this.targets = targets;
        this.directions = directions;
        this.levels = (halfDepths ? 2 : 1) * run.model().config().layers() + 1;
        this.tokens = run.length();
        this.highest = targets.stream().mapToInt(Site::halfDepth).max().orElseThrow();
        this.lastToken = targets.stream().mapToInt(Site::token).max().orElseThrow();
        this.lowest = sources.stream().mapToInt(Site::halfDepth).min().orElseThrow();
        this.firstToken = sources.stream().mapToInt(Site::token).min().orElseThrow();
    }

    /** How a map is computed within a memory budget: the mode, and what that costs. */
    MapPlan plan(ResponseMap.Mode mode, long budgetBytes) {
        boolean forward = forward(mode);
        int[] rows = rows(forward);
        long total = 0;
        for (int n : rows) {
            total += n;
        }
        List<Batches.Range> cut = Batches.cut(run.model(), rows, budgetBytes);
        long most = 0;
        for (Batches.Range range : cut) {
            long sum = 0;
            for (int c = range.from(); c < range.to(); c++) {
                sum += rows[c];
            }
            most = Math.max(most, Batches.bytes(run.model(), sum));
        }
        // Half a block is 8 D^2 (attention) or 16 D^2 (MLP) flops a row: 12 D^2 on average.
        double width = run.model().config().width();
        double flops = 12 * width * width * halfRowBlocks(forward) * directions.count();
        return new MapPlan(forward, rows.length, total, cut.size(), flops, most);
    }

    private boolean forward(ResponseMap.Mode mode) {
        return mode == ResponseMap.Mode.FORWARD
                || (mode == ResponseMap.Mode.AUTO && halfRowBlocks(true) <= halfRowBlocks(false));
    }

    ResponseMap compute(ResponseMap.Mode mode, long budgetBytes, MapProgress.Listener listener) {
        Pass pass = new Pass(forward(mode), listener);
        // A sweep that was broken off has added nothing.
        Batches.run(run.model(), rows(pass.forward), budgetBytes, range -> pass.add(range, pass.compute(range)));
        return pass.sums.finish();
    }

    /** Computes the map, keeping what batches find in a directory and taking from there what is known already. */
    ResponseMap compute(ResponseMap.Mode mode, long budgetBytes, MapProgress.Listener listener, Path directory) {
        Map<String, Object> facts = MapManifest.facts(run, halfDepths, sources, targets, directions, quantities());
        try (MapCheckpoint checkpoint =
                MapCheckpoint.open(directory, facts, mode, () -> cut(forward(mode), budgetBytes))) {
            Pass pass = new Pass(checkpoint.forward(), listener);
            Consumer<String> notes = listener == null ? line -> {} : listener::note;
            checkpoint.run(pass, run.model(), rows(pass.forward), budgetBytes, notes);
            return pass.sums.finish();
        }
    }

    /** The plan when results are kept: more batches, so that something is saved now and then. */
    MapPlan kept(MapPlan plan, long budgetBytes) {
        int[] rows = rows(plan.forward());
        List<Batches.Range> batches = cut(plan.forward(), budgetBytes).batches();
        long most = batches.stream()
                .mapToLong(range -> Batches.bytes(run.model(), CheckpointPlan.rows(rows, range)))
                .max()
                .orElse(0);
        return new MapPlan(plan.forward(), plan.columns(), plan.rows(), batches.size(), plan.flops(), most);
    }

    private CheckpointPlan cut(boolean forward, long budgetBytes) {
        return new CheckpointPlan(
                forward, CheckpointPlan.cut(run.model(), rows(forward), budgetBytes, flopsBefore(forward)));
    }

    /** Per column the flops of all columns before it, and last those of all: half a block is 12 D^2 a row on average. */
    private double[] flopsBefore(boolean forward) {
        double width = run.model().config().width();
        List<Site> sites = sites(forward);
        int count = directions.count();
        double[] before = new double[Math.multiplyExact(sites.size(), count) + 1];
        for (int c = 0; c < before.length - 1; c++) {
            Site site = sites.get(c / count);
            double halves = Math.abs(site.halfDepth() - (forward ? highest : lowest));
            before[c + 1] = before[c] + 12 * width * width * halves * rows(site, forward);
        }
        return before;
    }

    /** One way through all columns. */
    private final class Pass implements MapCheckpoint.Work {
        private final boolean forward;
        private final List<Site> sites;
        private final Sums sums = new Sums();
        private final ProgressMeter meter;

        Pass(boolean forward, MapProgress.Listener listener) {
            this.forward = forward;
            this.sites = sites(forward);
            double width = run.model().config().width();
            this.meter = new ProgressMeter(flopsBefore(forward), 12 * width * width, listener, System::nanoTime);
        }

        @Override
        public int count(Batches.Range range) {
            return numbers(range);
        }

        @Override
        public double[] compute(Batches.Range range) {
            Part part = new Part(range, sites);
            Visitor watched = meter.watching(part);
            if (forward) {
                new Sweep(run).tangents(part.seeds(), highest, 0, lastToken, watched);
            } else {
                new Sweep(run).cotangents(part.seeds(), lowest, firstToken, watched);
            }
            meter.computed(range);
            return part.values;
        }

        @Override
        public void restored(Batches.Range range) {
            meter.restored(range);
        }

        @Override
        public void add(Batches.Range range, double[] values) {
            sums.add(range.from() / directions.count(), values, sites, forward);
        }
    }

    /** How many numbers a batch finds: for each of its sites {@link #quantities} for every site of the map. */
    private int numbers(Batches.Range range) {
        int count = directions.count();
        int sites = (range.to() - 1) / count - range.from() / count + 1;
        return Math.multiplyExact(sites * quantities(), levels * tokens);
    }

    /** The sites that are pushed, level by level. Those of the far side's own level see nothing of it but themselves. */
    private List<Site> sites(boolean forward) {
        return (forward ? sources : targets)
                .stream()
                        .filter(s -> forward
                                ? s.halfDepth() < highest && s.token() <= lastToken
                                : s.halfDepth() > lowest && s.token() >= firstToken)
                        .sorted(Comparator.comparingInt(Site::halfDepth).thenComparingInt(Site::token))
                        .toList();
    }

    private int rows(Site site, boolean forward) {
        return forward ? lastToken - site.token() + 1 : site.token() - firstToken + 1;
    }

    /** What a mode costs: the rows of each site times the half blocks that they are pushed through. */
    private double halfRowBlocks(boolean forward) {
        return sites(forward).stream()
                .mapToDouble(s -> (double) Math.abs(s.halfDepth() - (forward ? highest : lowest)) * rows(s, forward))
                .sum();
    }

    /** Per column its rows: the directions of a site are columns side by side. */
    private int[] rows(boolean forward) {
        List<Site> sites = sites(forward);
        int count = directions.count();
        int[] rows = new int[Math.multiplyExact(sites.size(), count)];
        for (int c = 0; c < rows.length; c++) {
            rows[c] = rows(sites.get(c / count), forward);
        }
        return rows;
    }

    private int place(int level, int token) {
        return level * tokens + token;
    }

    private int place(Site site) {
        return place(halfDepths ? site.halfDepth() : site.depth(), site.token());
    }

    /**
     * One batch of columns: a visitor that sums squared norms by the column's site and the row's site. All that it finds is in one
     * array: for each of its sites in turn, and each quantity of {@link #quantities}, a number for every site of the map.
     */
    private final class Part implements Visitor {
        private final Batches.Range range;
        private final List<Site> sites;
        private final int firstSite;
        private final double[] values; // [sites of the batch, quantities, levels T]

        Part(Batches.Range range, List<Site> sites) {
            this.range = range;
            this.sites = sites;
            this.firstSite = range.from() / directions.count();
            this.values = new double[numbers(range)];
        }

        Seeds seeds() {
            Seeds seeds = new Seeds();
            for (int c = range.from(); c < range.to(); c++) {
                Site site = sites.get(c / directions.count());
                seeds.column(site.halfDepth(), site.token(), directions.of(site, c % directions.count()));
            }
            return seeds;
        }

        @Override
        public void visit(int halfDepth, RaggedRows rows, int[] columns, Matrix x) {
            if (halfDepth % 2 == 1 && !halfDepths) {
                return;
            }
            double[] squares = new double[rows.rows()];
            run.model().backend().squaredNorms(x, squares, 0);
            int level = halfDepths ? halfDepth : halfDepth / 2;
            for (int t = 0; t < tokens; t++) {
                for (int c = 0; c < rows.count(t); c++) {
                    int site = (range.from() + columns[c]) / directions.count() - firstSite;
                    double square = squares[rows.row(t, c)];
                    int at = site * quantities() * levels * tokens + place(level, t);
                    values[at] += square;
                    if (!directions.exact()) {
                        values[at + levels * tokens] += square * square;
                    }
                }
            }
        }
    }

    /** How many numbers are summed for a pair of sites: the square of the norm and, for its error, the square of that. */
    private int quantities() {
        return directions.exact() ? 1 : 2;
    }

    /** Sums over all directions, [levels, T, levels, T]. */
    private final class Sums {
        private final double[] sum = new double[Math.multiplyExact(levels * tokens, levels * tokens)];
        private final double[] sumOfSquares = new double[directions.exact() ? 0 : sum.length];

        /** Adds what a batch found whose first site is number {@code firstSite} of those that are pushed. */
        void add(int firstSite, double[] values, List<Site> sites, boolean forward) {
            int places = levels * tokens;
            for (int s = 0; s < values.length / (quantities() * places); s++) {
                int mine = place(sites.get(firstSite + s));
                for (int other = 0; other < places; other++) {
                    int at = forward ? mine * places + other : other * places + mine;
                    int from = s * quantities() * places + other;
                    sum[at] += values[from];
                    if (!directions.exact()) {
                        sumOfSquares[at] += values[from + places];
                    }
                }
            }
        }

        ResponseMap finish() {
            boolean[] source = marked(sources);
            boolean[] target = marked(targets);
            int places = levels * tokens;
            int k = directions.count();
            double[] squares = new double[sum.length];
            double[] errors = directions.exact() ? null : new double[sum.length];
            for (int s = 0; s < places; s++) {
                for (int t = 0; t < places; t++) {
                    int at = s * places + t;
                    if (!source[s] || !target[t]) {
                        squares[at] = Double.NaN;
                        if (errors != null) {
                            errors[at] = Double.NaN;
                        }
                    } else if (s == t) {
                        squares[at] = run.model().config().width(); // the identity
                    } else if (directions.exact()) {
                        squares[at] = sum[at];
                    } else {
                        squares[at] = sum[at] / k;
                        double spread = Math.max(0, sumOfSquares[at] - sum[at] * squares[at]);
                        errors[at] = Math.sqrt(spread / (k - 1) / k);
                    }
                }
            }
            return new ResponseMap(run, halfDepths, squares, errors);
        }

        private boolean[] marked(List<Site> sites) {
            boolean[] marked = new boolean[levels * tokens];
            sites.forEach(site -> marked[place(site)] = true);
            return marked;
        }
    }
}
