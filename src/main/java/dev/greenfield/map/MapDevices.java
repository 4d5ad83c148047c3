package dev.greenfield.map;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.SweepSeries;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.failure.Team;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The devices that share the batches of a map: the run's own, and copies of the run on others. Batches are computed ahead, each by the
 * device that is free, and asked for in their order, so that sums are made as one device makes them. Where a device refuses a batch,
 * whoever asked is told as by one device, and asks for smaller ones.
 */
final class MapDevices implements AutoCloseable {
    private final List<Scope> scopes = new ArrayList<>(); // the run's own first
    private final List<SweepSeries> series = new ArrayList<>(); // one a device, when it is known what is kept
    private List<Batches.Range> planned = List.of();
    private Finder finder;
    private Team<Batches.Range, double[]> team; // null while nothing is computed ahead

    /** Computes a batch on a copy of the run. */
    interface Finder {
        double[] found(SweepSeries where, Batches.Range range);
    }

    /**
     * Runs the tokens on each further device.
     *
     * @param copies make the same run on other devices; none for a map of one device
     */
    MapDevices(Scope scope, List<Supplier<Scope>> copies) {
        scopes.add(scope);
        try {
            copies.forEach(copy -> scopes.add(copy.get()));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    int count() {
        return scopes.size();
    }

    /** Bytes that a sweep may take on every one of them. */
    long freeBytes() {
        return scopes.stream().mapToLong(Scope::freeBytes).min().orElseThrow();
    }

    /**
     * Batches that occupy all devices: where there are fewer, they are cut further, between sites.
     *
     * @param batches of one device
     */
    List<Batches.Range> cut(List<Batches.Range> batches, MapLayout layout, int[] rows) {
        if (batches.size() >= count() || count() == 1) {
            return batches;
        }
        long all = 0;
        for (int each : rows) {
            all += each;
        }
        List<Batches.Range> cut = new ArrayList<>();
        for (Batches.Range batch : batches) {
            int from = batch.from();
            long sum = 0;
            for (int c = batch.from(); c < batch.to(); c++) {
                sum += rows[c];
                boolean ends = c + 1 == batch.to() || layout.site(c + 1) != layout.site(c);
                if (ends && (c + 1 == batch.to() || sum * count() >= all)) {
                    cut.add(new Batches.Range(from, c + 1));
                    from = c + 1;
                    sum = 0;
                }
            }
        }
        return cut;
    }

    /** What is going to be asked for, and how it is computed. */
    void plan(MapCut cut, Finder how) {
        planned = cut.batches();
        finder = how;
        scopes.forEach(scope -> series.add(new SweepSeries(scope.run(), cut.kept())));
    }

    /** The sweeps on the run's own device. */
    SweepSeries own() {
        return series.get(0);
    }

    /** What a batch finds. */
    double[] found(Batches.Range range) {
        if (team == null || !range.equals(team.head())) {
            begin(range);
        }
        try {
            return team.next();
        } catch (DeviceMemoryException refused) {
            stop();
            throw refused;
        }
    }

    /** Computes ahead from a batch on. One that is shorter than planned tells how long the later ones may be. */
    private void begin(Batches.Range first) {
        stop();
        int most = first.to() - first.from();
        List<Batches.Range> ahead = new ArrayList<>();
        ahead.add(first);
        for (Batches.Range range : planned) {
            boolean whole = range.from() == first.from() && range.to() == first.to();
            if (whole) {
                most = Integer.MAX_VALUE;
            }
            for (int from = Math.max(range.from(), first.to()); from < range.to(); ) {
                int to = (int) Math.min(range.to(), (long) from + most);
                ahead.add(new Batches.Range(from, to));
                from = to;
            }
        }
        team = new Team<>(
                "greenfield-device",
                series.stream()
                        .<Team.Worker<Batches.Range, double[]>>map(where -> range -> finder.found(where, range))
                        .toList(),
                ahead);
    }

    private void stop() {
        if (team != null) {
            team.close();
            team = null;
        }
    }

    @Override
    public void close() {
        stop();
        series.forEach(SweepSeries::close);
        series.clear();
        List<Scope> copies = scopes.subList(1, scopes.size());
        copies.forEach(Scope::close);
        copies.clear();
    }
}
