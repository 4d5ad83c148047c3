package dev.greenfield.response;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.engine.Visitor;
import dev.greenfield.lattice.InputException;
import dev.greenfield.lattice.Site;
import java.util.Comparator;
import java.util.List;

/**
 * Computes a {@link ResponseMap}: the directions of all sites of one side climb (or descend) together, each batch of columns in one
 * sweep that takes sites in as it reaches them. Rows are reduced to their squared norms, and to inner products with vectors at
 * targets, where they are; only those leave the backend.
 */
final class MapSweep {
    private final Linearization run;
    private final boolean halfDepths;
    private final List<Site> sources;
    private final List<Site> targets;
    private final MapDirections directions;
    private final MapReadings readings;
    private final int levels;
    private final int tokens;
    private final int highest; // half depth of the highest target
    private final int lastToken; // of the targets
    private final int lowest; // half depth of the lowest source
    private final int firstToken; // of the sources

    MapSweep(
            Linearization run,
            boolean halfDepths,
            List<Site> sources,
            List<Site> targets,
            MapDirections directions,
            MapReadings readings) {
        this.run = run;
        this.halfDepths = halfDepths;
        this.sources = sources;
        this.targets = targets;
        this.directions = directions;
        this.readings = readings;
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
        int[] rows = rows(layout(forward));
        long total = 0;
        for (int n : rows) {
            total += n;
        }
        List<Batches.Range> cut = Batches.cut(run.model(), rows, budgetBytes - readingBytes(forward));
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
        double flops = 12 * width * width * halfRowBlocks(forward);
        return new MapPlan(forward, rows.length, total, cut.size(), flops, most + readingBytes(forward));
    }

    private boolean forward(ResponseMap.Mode mode) {
        if (directions.given()) {
            if (mode == ResponseMap.Mode.ADJOINT) {
                throw new InputException(
                        "given directions stand at the sources and are pushed forward, found adjoint mode: "
                                + "leave the mode at auto or forward");
            }
            return true;
        }
        if (mode != ResponseMap.Mode.AUTO) {
            return mode == ResponseMap.Mode.FORWARD;
        }
        // Descending, a cotangent for each vector gives what is read exactly: worth twice the work of estimates.
        double worth = readings.count() > 0 && !directions.exact() ? 2 : 1;
        return readings.count() > 0
                ? worth * halfRowBlocks(true) < halfRowBlocks(false)
                : halfRowBlocks(true) <= halfRowBlocks(false);
    }

    private MapLayout layout(boolean forward) {
        return new MapLayout(forward, sites(forward), directions, readings, levels * tokens);
    }

    /** Bytes on the backend beside those of the sweep. */
    private long readingBytes(boolean forward) {
        return forward && readings.count() > 0
                ? MapReadings.bytes(
                        run.model().backend(), tokens, run.model().config().width())
                : 0;
    }

    ResponseMap compute(ResponseMap.Mode mode, long budgetBytes) {
        MapLayout layout = layout(forward(mode));
        boolean forward = layout.forward();
        Sums sums = new Sums(layout);
        Batches.run(run.model(), rows(layout), budgetBytes - readingBytes(forward), range -> {
            Part part = new Part(range, layout);
            if (forward) {
                new Sweep(run).tangents(part.seeds(), highest, 0, lastToken, part);
            } else {
                new Sweep(run).cotangents(part.seeds(), lowest, firstToken, part);
            }
            sums.add(part.firstSite, part.values); // a sweep that was broken off has added nothing
        });
        return sums.finish();
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

    /** What a mode costs: the rows of each site's columns times the half blocks that they are pushed through. */
    private double halfRowBlocks(boolean forward) {
        MapLayout layout = layout(forward);
        return layout.sites().stream()
                .mapToDouble(s -> (double) Math.abs(s.halfDepth() - (forward ? highest : lowest))
                        * rows(s, forward)
                        * layout.columns(s))
                .sum();
    }

    /** Per column its rows: those of a site are columns side by side. */
    private int[] rows(MapLayout layout) {
        int[] rows = new int[layout.columns()];
        for (int c = 0; c < rows.length; c++) {
            rows[c] = rows(layout.sites().get(layout.site(c)), layout.forward());
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
     * One batch of columns: a visitor that sums what it sees by the column's site and the row's site. All that it finds is in one
     * array, the blocks of its sites in turn as {@link MapLayout} says.
     */
    private final class Part implements Visitor {
        private final Batches.Range range;
        private final MapLayout layout;
        private final int firstSite;
        private final double[] values;

        Part(Batches.Range range, MapLayout layout) {
            this.range = range;
            this.layout = layout;
            this.firstSite = layout.site(range.from());
            this.values = new double[layout.length(firstSite, layout.site(range.to() - 1) + 1)];
        }

        Seeds seeds() {
            Seeds seeds = new Seeds();
            for (int c = range.from(); c < range.to(); c++) {
                Site site = layout.sites().get(layout.site(c));
                seeds.column(site.halfDepth(), site.token(), layout.vector(c));
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
            int places = levels * tokens;
            for (int c = 0; c < columns.length; c++) {
                int site = layout.site(range.from() + columns[c]);
                int block = layout.length(firstSite, site);
                int read = layout.number(range.from() + columns[c])
                        - directions.count(layout.sites().get(site));
                for (int t = rows.first(c); t <= rows.last(c); t++) {
                    double square = squares[rows.row(t, c)];
                    if (read >= 0) {
                        values[block + layout.read(read) + place(level, t)] += square;
                    } else {
                        values[block + place(level, t)] += square;
                        if (!directions.exact()) {
                            values[block + places + place(level, t)] += square * square;
                        }
                    }
                }
            }
            if (layout.forward()) {
                readings.read(
                        run.model().backend(), halfDepth, rows, x, (c, vector, dot) -> read(columns[c], vector, dot));
            }
        }

        private void read(int column, int vector, double dot) {
            int site = layout.site(range.from() + column);
            int at = layout.length(firstSite, site) + layout.read(0) + vector;
            if (directions.given()) {
                values[at + layout.number(range.from() + column) * readings.count()] += dot;
            } else {
                values[at] += dot * dot;
                if (!directions.exact()) {
                    values[at + readings.count()] += dot * dot * dot * dot;
                }
            }
        }
    }

    /** Sums over all directions, [levels, T, levels, T], and of what is read of vectors. */
    private final class Sums {
        private final double[] sum = new double[Math.multiplyExact(levels * tokens, levels * tokens)];
        private final double[] sumOfSquares = new double[directions.exact() ? 0 : sum.length];
        private final MapLayout layout;
        private final ProjectionSums projections;

        Sums(MapLayout layout) {
            this.layout = layout;
            this.projections =
                    readings.count() == 0 ? null : new ProjectionSums(sources, directions, readings, layout.forward());
        }

        /** Adds what a batch found whose first site is number {@code firstSite} of those that are pushed. */
        void add(int firstSite, double[] values) {
            int places = levels * tokens;
            int from = 0;
            for (int s = firstSite; from < values.length; s++) {
                int mine = place(layout.sites().get(s));
                for (int other = 0; other < places; other++) {
                    int at = layout.forward() ? mine * places + other : other * places + mine;
                    sum[at] += values[from + other];
                    if (!directions.exact()) {
                        sumOfSquares[at] += values[from + places + other];
                    }
                }
                if (projections != null) {
                    addRead(layout.sites().get(s), values, from + layout.read(0));
                }
                from += layout.length(s, s + 1);
            }
        }

        private void addRead(Site site, double[] values, int from) {
            if (layout.forward()) {
                projections.climbed(site, values, from);
            } else {
                projections.descended(site, values, from, levels * tokens, MapSweep.this::place);
            }
        }

        ResponseMap finish() {
            boolean[] source = marked(sources);
            boolean[] target = marked(targets);
            double[] identity = new double[levels * tokens];
            sources.forEach(site -> identity[place(site)] = directions.identity(site));
            int places = levels * tokens;
            int k = directions.probes();
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
                        squares[at] = identity[s];
                    } else if (directions.exact()) {
                        squares[at] = sum[at];
                    } else {
                        squares[at] = sum[at] / k;
                        double spread = Math.max(0, sumOfSquares[at] - sum[at] * squares[at]);
                        errors[at] = Math.sqrt(spread / (k - 1) / k);
                    }
                }
            }
            if (projections != null) {
                projections.finish();
            }
            return new ResponseMap(run, halfDepths, squares, errors, projections);
        }

        private boolean[] marked(List<Site> sites) {
            boolean[] marked = new boolean[levels * tokens];
            sites.forEach(site -> marked[place(site)] = true);
            return marked;
        }
    }
}
