package dev.greenfield.map;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Progress;
import dev.greenfield.green.DepthSpectra;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.response.SweepMode;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

/** A map that is being asked for: what it is of, and how it is computed. */
public final class MapRequest {
    private final Scope scope;
    private List<Supplier<Scope>> copies;
    private int probes = 16;
    private boolean gaussian;
    private long seed;
    private boolean halfDepths;
    private SweepMode mode = SweepMode.AUTO;
    private Collection<Site> sources;
    private Collection<Site> targets;
    private Path checkpoint;
    private Path overflow;
    private Progress.Listener progress;
    private SiteVectors directions;
    private SiteVectors projections;
    private SiteVectors sensitivity;

    /** A map of a run. */
    public MapRequest(Scope scope) {
        this(scope, List.of());
    }

    /**
     * A map of a run.
     *
     * @param copies each makes the same run on another device, to be closed after the map; batches are shared with them
     */
    public MapRequest(Scope scope, List<Supplier<Scope>> copies) {
        this.scope = scope;
        this.copies = List.copyOf(copies);
    }

    /** Computed by the run's own device alone, also where the model has several: for maps of many runs that are shared among them. */
    public MapRequest onOneDevice() {
        copies = List.of();
        return this;
    }

    /** Estimates from {@code k} random directions a site, at least 2; 16 when nothing else is asked for. */
    public MapRequest probes(int k) {
        if (k < 2) {
            throw new InputException(k + " probes: expected at least 2, since a standard error needs them");
        }
        probes = k;
        return this;
    }

    /** Takes normal numbers for the directions instead of random signs, whose estimates vary less. */
    public MapRequest gaussian() {
        gaussian = true;
        return this;
    }

    /** All D directions of each site: no estimate. */
    public MapRequest exact() {
        probes = 0;
        return this;
    }

    /** The seed of the random directions; the same seed gives the same directions however the work is cut. */
    public MapRequest seed(long value) {
        seed = value;
        return this;
    }

    /** Half depths as well, between the attention and the MLP of each block. */
    public MapRequest halfDepths() {
        scope.config().requireMiddles("levels of a map");
        halfDepths = true;
        return this;
    }

    /** Forward, adjoint or, when nothing is said, the cheaper of the two. */
    public MapRequest mode(SweepMode wanted) {
        mode = wanted;
        return this;
    }

    /** Only these sources; all when nothing is said. */
    public MapRequest sources(Collection<Site> sites) {
        sources = checked(sites);
        return this;
    }

    /** Only these targets; all when nothing is said. */
    public MapRequest targets(Collection<Site> sites) {
        targets = checked(sites);
        return this;
    }

    /**
     * Keeps what is found in a directory of this map's own, which may be new, empty, or hold what an earlier computation of the
     * same map found: then only the rest is computed. A process that dies loses the batch that it computes, and the map is the
     * same to the bit as if it had not. {@link #compute} refuses a directory that holds something else or is in use.
     */
    public MapRequest checkpoint(Path directory) {
        checkpoint = directory;
        return this;
    }

    /**
     * Where a map's numbers are kept that Java's heap has no room for: in a file of this directory, which takes as much of its disk, has
     * no name while it is there, and goes when the map is no longer used. Without it such a map is refused.
     */
    public MapRequest overflow(Path directory) {
        overflow = directory;
        return this;
    }

    /** Who is told how the computation gets on, besides those who {@linkplain Progress#watched watch} the call. */
    public MapRequest progress(Progress.Listener listener) {
        progress = listener;
        return this;
    }

    /**
     * Given directions at the sources, instead of all or random ones: the map is exact, and of these alone. Sources are the
     * sites that have directions; when {@link #sources} are named too, those of them, and each must have some. They are pushed
     * forward.
     *
     * @throws InputException when a site or a length is not the run's
     */
    public MapRequest directions(SiteVectors given) {
        given.check(scope, "direction");
        directions = given;
        return this;
    }

    /**
     * Responses along vectors at the targets as well: {@link ResponseMap#projections}. Targets without vectors are not read,
     * vectors at sites that are no targets are left out.
     *
     * @throws InputException when a site or a length is not the run's
     */
    public MapRequest projections(SiteVectors vectors) {
        vectors.check(scope, "projection vector");
        projections = vectors;
        return this;
    }

    /**
     * The gain on an observable through each target as well: {@link ResponseMap#gain}.
     *
     * @param field the observable's sensitivity in this run
     * @throws InputException when it is of another shape
     */
    public MapRequest gain(SensitivityField field) {
        Field own = field.field();
        int layers = scope.config().layers();
        int width = scope.config().width();
        if (own.depths() != layers + 1 || own.tokens() != scope.length() || own.width() != width) {
            throw new InputException("gain: the sensitivity has shape [" + own.depths() + ", " + own.tokens() + ", "
                    + own.width() + "], expected [" + (layers + 1) + ", " + scope.length() + ", " + width
                    + "], that of this run");
        }
        sensitivity = SiteVectors.of(own, field.middleField());
        return this;
    }

    private Collection<Site> checked(Collection<Site> sites) {
        sites.forEach(scope::check);
        if (sites.isEmpty()) {
            throw new InputException("no sites: a map needs at least one source and one target");
        }
        return List.copyOf(sites);
    }

    /** How the map would be computed now, with a new checkpoint if it is to have one, and what that would take. */
    public MapPlan plan() {
        return checkpoint == null ? sweep().plan(mode) : sweep().keptPlan(mode);
    }

    /**
     * Computes the map.
     *
     * @throws InputException if the checkpoint is of another map, damaged, in use, or no checkpoint at all; the message names
     *     what differs
     * @throws java.io.UncheckedIOException if the checkpoint cannot be read or written, or the overflow cannot be made
     * @throws MemoryBudgetException if a single source, or a batch of the checkpoint, does not fit the memory budget,
     *     or the map does not fit Java's heap and has no {@link #overflow}
     */
    public ResponseMap compute() {
        return Progress.watched(
                progress,
                () -> checkpoint == null ? sweep().compute(mode, copies) : sweep().compute(mode, checkpoint, copies));
    }

    /**
     * The {@code k} leading singular values of the Green operator from all sources of one level to all targets of another, for
     * every pair of levels, by a randomized block Krylov method. Sites, half depths and the seed are this request's.
     *
     * @throws InputException when k is not from 1 to {@link #mostSingularValues}
     */
    public DepthSpectra spectra(int k) {
        return new DepthSpectra(scope, byLevel(sources), byLevel(targets), k, seed);
    }

    /** How many singular values every operator between two levels has: D times the fewest sites of a level. */
    public int mostSingularValues() {
        return DepthSpectra.most(scope, byLevel(sources), byLevel(targets));
    }

    private List<Site> all() {
        return ResponseMap.all(scope.config().layers(), scope.length(), halfDepths);
    }

    private List<List<Site>> byLevel(Collection<Site> asked) {
        List<Site> sites = asked == null ? all() : known(asked);
        return HalfDepth.levels(scope.config().layers(), halfDepths).stream()
                .map(level ->
                        sites.stream().filter(s -> s.halfDepth().equals(level)).toList())
                .toList();
    }

    private MapSweep sweep() {
        List<Site> every = all();
        List<Site> from = from(every);
        List<Site> to = targets == null ? every : known(targets);
        int width = scope.config().width();
        Directions pushed = directions == null
                ? new Directions(width, probes, gaussian, seed)
                : new Directions(width, directions.at(from));
        return new MapSweep(
                scope, halfDepths, from, to, pushed, new MapReadings(projections, sensitivity, to), overflow);
    }

    private List<Site> from(List<Site> every) {
        if (sources == null) {
            return directions == null ? every : known(directions.sites());
        }
        List<Site> from = known(sources);
        for (Site site : from) {
            if (directions != null && directions.count(site) == 0) {
                throw new InputException(
                        "source " + site + " has no directions: give it some, or leave it out of the sources");
            }
        }
        return from;
    }

    private List<Site> known(Collection<Site> sites) {
        List<Site> unique = sites.stream().distinct().toList();
        for (Site site : unique) {
            if (site.middle() && !halfDepths) {
                throw new InputException("site " + site + " is at a half depth: ask for half depths as well");
            }
        }
        return unique;
    }
}
