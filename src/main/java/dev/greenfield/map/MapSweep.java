package dev.greenfield.map;

import dev.greenfield.checkpoint.Checkpoint;
import dev.greenfield.checkpoint.CheckpointPlan;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.HalfBlockFlops;
import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.KeptTokens;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.SweepSeries;
import dev.greenfield.engine.Visitor;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.Precision;
import dev.greenfield.response.SweepMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Computes a {@link ResponseMap}: the directions of all sites of one side climb (or descend) together, each batch of columns in one
 * sweep that takes sites in as it reaches them. Rows are reduced to their squared norms, and to inner products with vectors at
 * targets, where they are; only those leave the backend.
 */
final class MapSweep {
    private static final Comparator<Site> ORDER =
            Comparator.comparing(Site::halfDepth).thenComparingInt(Site::token);

    /** What a batch finds at most, unless a single site finds more: 32 MB. */
    private static final long MOST_NUMBERS = 1 << 22;

    /** Of a column: its rows, and flops with and without a checkpoint's batches. */
    private static final long COLUMN_BYTES = Integer.BYTES + 2 * Double.BYTES;

    private final Scope scope;
    private final Linearization run;
    private final boolean halfDepths;
    private final List<Site> sources;
    private final List<Site> targets;
    private final Directions directions;
    private final MapReadings readings;
    private final Path overflow; // directory of a file for numbers that the heap has no room for, or null
    private final int levels;
    private final int tokens;
    private final HalfDepth highest; // level of the highest target
    private final int lastToken; // of the targets
    private final HalfDepth lowest; // level of the lowest source
    private final int firstToken; // of the sources
    private final MapPairs pairs;
    private final Cone vectorCone;

    MapSweep(
            Scope scope,
            boolean halfDepths,
            List<Site> sources,
            List<Site> targets,
            Directions directions,
            MapReadings readings,
            Path overflow) {
        this.scope = scope;
        this.overflow = overflow;
        this.run = scope.run();
        this.halfDepths = halfDepths;
        this.sources = sources.stream().sorted(ORDER).toList();
        this.targets = targets.stream().sorted(ORDER).toList();
        this.directions = directions;
        this.readings = readings;
        this.levels = (halfDepths ? 2 : 1) * run.model().config().layers() + 1;
        this.tokens = run.length();
        this.highest = targets.stream()
                .map(Site::halfDepth)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        this.lastToken = targets.stream().mapToInt(Site::token).max().orElseThrow();
        this.lowest = sources.stream()
                .map(Site::halfDepth)
                .min(Comparator.naturalOrder())
                .orElseThrow();
        this.firstToken = sources.stream().mapToInt(Site::token).min().orElseThrow();
        Cone cone = new Cone(true, levels, tokens, halfDepths, this.targets, target -> 1);
        this.pairs = new MapPairs(cone, halfDepths, this.sources, this.targets, source -> 1);
        this.vectorCone = new Cone(true, levels, tokens, halfDepths, this.targets, readings::count);
    }

    /** How a map is computed within a memory budget: the mode, and what that costs. */
    MapPlan plan(SweepMode mode) {
        Pass pass = new Pass(forward(mode));
        return pass.plan(pass.cut(scope.freeBytes()));
    }

    /** Likewise when results are kept: more batches, so that something is saved now and then. */
    MapPlan keptPlan(SweepMode mode) {
        Pass pass = new Pass(forward(mode));
        return pass.plan(pass.keptCut(scope.freeBytes()));
    }

    private boolean forward(SweepMode mode) {
        if (directions.given()) {
            if (mode == SweepMode.ADJOINT) {
                throw new InputException(
                        "given directions stand at the sources and are pushed forward, found adjoint mode: "
                                + "leave the mode at auto or forward");
            }
            return true;
        }
        if (mode != SweepMode.AUTO) {
            return mode == SweepMode.FORWARD;
        }
        // Descending, a cotangent for each vector gives what is read exactly: worth twice the work of estimates.
        double worth = readings.count() > 0 && !directions.exact() ? 2 : 1;
        return readings.count() > 0
                ? worth * halfRowBlocks(true) < halfRowBlocks(false)
                : halfRowBlocks(true) <= halfRowBlocks(false);
    }

    /** Computes the map on the devices of the run and of copies of it elsewhere. */
    ResponseMap compute(SweepMode mode, List<Supplier<Scope>> copies) {
        try (MapDevices devices = new MapDevices(scope, copies)) {
            Pass pass = new Pass(forward(mode));
            MapCut cut = pass.cut(devices.freeBytes());
            List<Batches.Range> batches = devices.cut(cut.batches(), pass.layout, pass.rows);
            // A sweep that was broken off has added nothing.
            return pass.compute(
                    new MapCut(batches, cut.kept()),
                    devices,
                    work -> Batches.run(
                            batches, Integer.MAX_VALUE, most -> {}, range -> work.add(range, work.compute(range))));
        }
    }

    /** Computes the map, keeping what batches find in a directory and taking from there what is known already. */
    ResponseMap compute(SweepMode mode, Path directory, List<Supplier<Scope>> copies) {
        Map<String, Object> facts = MapFacts.of(run, halfDepths, sources, targets, directions, readings);
        try (MapDevices devices = new MapDevices(scope, copies);
                Checkpoint checkpoint = Checkpoint.open(
                        directory, facts, mode, () -> new Pass(forward(mode)).checkpointPlan(devices.freeBytes()))) {
            Pass pass = new Pass(checkpoint.forward());
            checkpoint.requireColumns(pass.rows.length);
            MapCut cut = new MapCut(checkpoint.batches(), pass.kept(checkpoint.keptMaps()));
            long bytes = devices.freeBytes() - pass.readingBytes() - cut.kept().bytes();
            return pass.compute(cut, devices, work -> checkpoint.run(work, run.model(), pass.rows, bytes, Task::note));
        }
    }

    /** One way through all columns: in which direction, and what it costs. */
    private final class Pass {
        private final boolean forward;
        private final MapLayout layout;
        private final int[] rows;
        private final Path overflow; // for the numbers that the heap has no room for; null where it has

        Pass(boolean forward) {
            this.forward = forward;
            this.layout = layout(forward);
            this.overflow = requireHost(layout);
            this.rows = rows(layout);
        }

        /** The batches that fit so much memory. */
        MapCut cut(long freeBytes) {
            return cut(freeBytes, bytes -> bounded(Batches.cut(run.model(), rows, bytes)));
        }

        /** Cuts batches that find more than is to be held at a time, between sites. */
        private List<Batches.Range> bounded(List<Batches.Range> batches) {
            List<Batches.Range> all = new ArrayList<>();
            for (Batches.Range batch : batches) {
                int from = batch.from();
                int first = layout.site(from);
                for (int s = first + 1; s < layout.sites().size() && layout.firstColumn(s) < batch.to(); s++) {
                    if (layout.length(first, s + 1) > MOST_NUMBERS) {
                        all.add(new Batches.Range(from, layout.firstColumn(s)));
                        from = layout.firstColumn(s);
                        first = s;
                    }
                }
                all.add(new Batches.Range(from, batch.to()));
            }
            return all;
        }

        /** Bytes on the backend beside those of the sweep. */
        long readingBytes() {
            return forward && readings.count() > 0
                    ? MapReadings.bytes(
                            run.model().backend(), tokens, run.model().config().width())
                    : 0;
        }

        MapPlan plan(MapCut cut) {
            return cost().keeping(cut.kept()).plan(rows, cut.batches(), readingBytes());
        }

        /** The batches that fit so much memory when results are kept. */
        MapCut keptCut(long freeBytes) {
            return cut(freeBytes, bytes -> {
                double[] flops = cost().flopsBefore(Batches.cut(run.model(), rows, bytes));
                return bounded(CheckpointPlan.cut(run.model(), rows, bytes, flops));
            });
        }

        CheckpointPlan checkpointPlan(long freeBytes) {
            MapCut cut = keptCut(freeBytes);
            return new CheckpointPlan(forward, cut.batches(), cut.kept().count());
        }

        private MapCut cut(long freeBytes, MapCut.Cutting cutting) {
            return MapCut.cheapest(run.model(), rows, freeBytes - readingBytes(), cost(), cutting);
        }

        /** The tokens whose maps a plan keeps, by their number. */
        KeptTokens kept(int count) {
            return KeptTokens.of(run.model(), cost().rowsOfTokens(), count);
        }

        private ColumnCosts cost() {
            return forward
                    ? new ColumnCosts(run.model(), layout, highest, lastToken)
                    : new ColumnCosts(run.model(), layout, lowest, firstToken);
        }

        /**
         * Computes the map.
         *
         * @param cut in which batches it is done, as far as memory allows
         * @param devices that share them
         * @param way takes the work and does all of its batches
         */
        ResponseMap compute(MapCut cut, MapDevices devices, Consumer<Computation> way) {
            KeptTokens kept = cut.kept();
            double[] flops = cost().keeping(kept).flopsBefore(cut.batches());
            return Task.call("response map", "flop", flops[flops.length - 1], task -> {
                MapProgressMeter meter = new MapProgressMeter(
                        flops, (level, batch) -> HalfBlockFlops.of(run.model(), level, forward, batch, kept), task);
                Computation work = new Computation(forward, layout, meter, devices, overflow);
                devices.plan(cut, work::found);
                way.accept(work);
                return work.finish();
            });
        }
    }

    /** What the batches of a pass find, and their sum. */
    private final class Computation implements Checkpoint.Work {
        private final boolean forward;
        private final MapLayout layout;
        private final MapProgressMeter meter;
        private final MapDevices devices;
        private final MapSums sums;

        Computation(boolean forward, MapLayout layout, MapProgressMeter meter, MapDevices devices, Path overflow) {
            this.forward = forward;
            this.layout = layout;
            this.meter = meter;
            this.devices = devices;
            this.sums = new MapSums(layout, pairs, directions, readings, wide(), overflow);
        }

        @Override
        public int count(Batches.Range range) {
            return MapBlocks.count(layout, range);
        }

        @Override
        public double[] compute(Batches.Range range) {
            // Of several devices' batches under way none is watched: they count when they are taken.
            double[] numbers =
                    devices.count() > 1 ? devices.found(range) : found(devices.own(), range, meter::watching);
            meter.computed(range);
            return numbers;
        }

        /** What a batch finds on the run's device, or on another one by a copy of the run. */
        double[] found(SweepSeries where, Batches.Range range) {
            return found(where, range, visitor -> visitor);
        }

        private double[] found(SweepSeries where, Batches.Range range, UnaryOperator<Visitor> watch) {
            MapPart part = new MapPart(where.backend(), range, layout, directions, readings, halfDepths, tokens);
            Visitor watched = watch.apply(part);
            if (forward) {
                where.sweep().tangents(part.seeds(), highest, 0, lastToken, watched);
            } else {
                where.sweep().cotangents(part.seeds(), lowest, firstToken, watched);
            }
            return part.found().numbers();
        }

        @Override
        public void restored(Batches.Range range) {
            meter.restored(range);
        }

        @Override
        public void add(Batches.Range range, double[] numbers) {
            sums.add(range, MapBlocks.of(layout, range, numbers));
        }

        ResponseMap finish() {
            return sums.finish();
        }
    }

    /** The sites that are pushed, level by level. Those of the far side's own level see nothing of it but themselves. */
    private List<Site> sites(boolean forward) {
        return (forward ? sources : targets)
                .stream()
                        .filter(s -> forward
                                ? s.halfDepth().isBelow(highest) && s.token() <= lastToken
                                : s.halfDepth().isAbove(lowest) && s.token() >= firstToken)
                        .toList();
    }

    private int rows(Site site, boolean forward) {
        return forward ? lastToken - site.token() + 1 : site.token() - firstToken + 1;
    }

    private MapLayout layout(boolean forward) {
        Cone cone = forward ? pairs.cone() : new Cone(false, levels, tokens, halfDepths, sources, source -> 1);
        return new MapLayout(forward, halfDepths, sites(forward), directions, readings, cone, vectorCone);
    }

    /** What a mode costs: the rows of each site's columns times the half blocks that they are pushed through. */
    private double halfRowBlocks(boolean forward) {
        MapLayout layout = layout(forward);
        return layout.sites().stream()
                .mapToDouble(s -> (double) s.halfDepth().stepsTo(forward ? highest : lowest)
                        * rows(s, forward)
                        * layout.columns(s))
                .sum();
    }

    /** Per column its rows: those of a site are columns side by side. */
    private int[] rows(MapLayout layout) {
        int[] rows = new int[layout.columns()];
        for (int s = 0; s < layout.sites().size(); s++) {
            int each = rows(layout.sites().get(s), layout.forward());
            Arrays.fill(rows, layout.firstColumn(s), layout.firstColumn(s + 1), each);
        }
        return rows;
    }

    /** Whether the map is computed, and kept, in float64. */
    private boolean wide() {
        return run.model().backend().precision() == Precision.FP64;
    }

    /**
     * Checks that the map has a place to be kept, and Java's heap room for what its columns cost and for a batch, beside what is in it.
     *
     * @return the directory of a file for the map's numbers; null where the heap holds them
     * @throws MemoryBudgetException if it does not fit
     */
    private Path requireHost(MapLayout layout) {
        long numbers = MapSums.bytes(layout, pairs, directions, readings, wide());
        int sites = layout.sites().size();
        long most = IntStream.range(0, sites)
                .mapToLong(s -> layout.length(s, s + 1))
                .max()
                .orElse(0);
        long batch = Math.max(most, Math.min(layout.length(0, sites), MOST_NUMBERS));
        long work = COLUMN_BYTES * layout.columns() + Double.BYTES * (2 * batch + most);
        String what = "the map of " + pairs.count() + " pairs of sites";
        if (HostMemory.fits(numbers + work)) {
            return null;
        }
        if (overflow == null) {
            throw new MemoryBudgetException(what + " would take " + MemoryBudgetException.amount(numbers + work)
                    + ", Java's heap has " + MemoryBudgetException.amount(HostMemory.free())
                    + " left: give Java more with -Xmx, " + Remedy.NAME_OVERFLOW
                    + ", or ask for fewer sources or targets");
        }
        HostMemory.require("beside its numbers, " + what, work);
        return overflow;
    }
}
