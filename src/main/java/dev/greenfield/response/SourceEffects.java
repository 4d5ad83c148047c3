package dev.greenfield.response;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Readout;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.lattice.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** What sources do to an observable, measured: the runs with each source in them, from its first site on, many at a time. */
public final class SourceEffects {
    private final Linearization run;
    private final Readout.Resolved f;
    private final boolean replace;
    private final int top;

    private SourceEffects(Linearization run, Readout.Resolved f, boolean replace) {
        this.run = run;
        this.f = f;
        this.replace = replace;
        this.top = 2 * run.model().config().layers();
    }

    /**
     * The change of F by each source, added to the stream at its sites.
     *
     * @param budgetBytes memory that the runs may take
     * @return [sources]; exactly 0 where F cannot see the source
     * @throws InputException if a site or a length is not the run's
     */
    public static double[] added(Linearization run, Readout.Resolved f, List<Source> sources, long budgetBytes) {
        return new SourceEffects(run, f, false).compute(sources, budgetBytes);
    }

    /** Likewise when the stream at each site is replaced by the vector there. */
    public static double[] replaced(Linearization run, Readout.Resolved f, List<Source> sources, long budgetBytes) {
        return new SourceEffects(run, f, true).compute(sources, budgetBytes);
    }

    private double[] compute(List<Source> sources, long budgetBytes) {
        sources.forEach(source -> check(run, source));
        double value = new Readout(run.model()).value(run, f);
        // Deepest first, so that a batch's short climbs stay together.
        int[] order = IntStream.range(0, sources.size())
                .filter(i -> sources.get(i).vectors().keySet().stream().anyMatch(this::seen))
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> -lowest(sources.get(i))))
                .mapToInt(i -> i)
                .toArray();
        int[] rows = IntStream.of(order)
                .map(i -> f.position() + 1 - firstToken(sources.get(i)))
                .toArray();
        double[] effects = new double[sources.size()];
        Batches.run(
                run.model(),
                rows,
                budgetBytes,
                range -> measure(
                        sources,
                        IntStream.range(range.from(), range.to())
                                .map(i -> order[i])
                                .toArray(),
                        value,
                        effects));
        return effects;
    }

    /** Whether F can see a site. */
    private boolean seen(Site site) {
        return site.token() == f.position()
                || (site.token() < f.position() && site.halfDepth() <= Sweep.lastAttentionBelow(top));
    }

    private int lowest(Source source) {
        return source.vectors().keySet().stream()
                .filter(this::seen)
                .mapToInt(Site::halfDepth)
                .min()
                .orElseThrow();
    }

    private int firstToken(Source source) {
        return source.vectors().keySet().stream()
                .filter(this::seen)
                .mapToInt(Site::token)
                .min()
                .orElseThrow();
    }

    private void measure(List<Source> sources, int[] chosen, double value, double[] effects) {
        Readout readout = new Readout(run.model());
        Seeds seeds = new Seeds();
        for (int i : chosen) {
            int column = seeds.column();
            sources.get(i).vectors().forEach((site, vector) -> {
                if (seen(site)) {
                    seeds.add(column, site.halfDepth(), site.token(), vector);
                }
            });
        }
        int position = f.position();
        new Sweep(run).patchedRuns(seeds, replace, top, position, position, (halfDepth, rows, columns, x) -> {
            if (halfDepth == top) {
                double[] values = readout.values(x.rows(rows.start(position), rows.count(position)), f);
                for (int c = 0; c < values.length; c++) {
                    effects[chosen[columns[c]]] = values[c] - value;
                }
            }
        });
    }

    /**
     * Refuses a source that is not of this run.
     *
     * @throws InputException if a site or a length is not the run's
     */
    public static void check(Linearization run, Source source) {
        int layers = run.model().config().layers();
        int width = run.model().config().width();
        source.vectors().forEach((site, vector) -> {
            if (site.halfDepth() > 2 * layers || site.token() >= run.length()) {
                throw new InputException("site " + site + " is not in this run: expected a depth of at most " + layers
                        + " and a token from 0 to " + (run.length() - 1));
            }
            if (vector.length != width) {
                throw new InputException("the source at " + site + " has " + vector.length + " components, expected "
                        + width + ", the width of the stream");
            }
        });
    }
}
