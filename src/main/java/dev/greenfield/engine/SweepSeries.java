package dev.greenfield.engine;

import dev.greenfield.backend.Backend;

/** Sweeps of one run that keep the maps of the same tokens, until the series is closed. */
public final class SweepSeries implements AutoCloseable {
    private final Linearization run;
    private final Sweep sweep;
    private final KeptMaps maps; // null where none are kept

    /**
     * A series that has formed no map yet.
     *
     * @param tokens whose maps are kept; for many sweeps whose rows they are the sum of
     */
    public SweepSeries(Linearization run, KeptTokens tokens) {
        this.run = run;
        this.maps = tokens.count() == 0 ? null : run.keptMaps(tokens);
        // The tokens were chosen as those with rows enough in all sweeps.
        int least = Condensation.leastRows(run.model().backend(), run.model().config());
        this.sweep = new Sweep(run, maps == null ? null : new Retention(maps, least));
    }

    /** The backend that the run is on. */
    public Backend backend() {
        return run.model().backend();
    }

    /** What carries a batch. Its batches come one after the other. */
    public Sweep sweep() {
        return sweep;
    }

    @Override
    public void close() {
        if (maps != null) {
            maps.close();
        }
    }
}
