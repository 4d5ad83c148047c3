package dev.greenfield.green;

import dev.greenfield.engine.Scope;
import dev.greenfield.lattice.Site;
import java.util.List;
import java.util.Objects;

/** Green operators of a run whose sources are chosen and whose targets are not yet. Immutable. */
public final class GreenFrom {
    private final Scope scope;
    private final List<Site> sources;

    /**
     * From source sites, in their order.
     *
     * @throws dev.greenfield.failure.InputException if a site is not in the run
     */
    public GreenFrom(Scope scope, List<Site> sources) {
        sources.forEach(scope::check);
        this.scope = scope;
        this.sources = List.copyOf(sources);
    }

    /** To every token at a whole depth, in order: the stacked operator [T D, n D]. */
    public GreenOperator to(int depth) {
        Site[] targets = new Site[scope.length()];
        for (int t = 0; t < targets.length; t++) {
            targets[t] = Site.of(depth, t);
        }
        return to(targets);
    }

    /**
     * To these sites, in this order.
     *
     * @throws dev.greenfield.failure.InputException if a site is not in the run
     */
    public GreenOperator to(Site... targets) {
        Objects.requireNonNull(targets, "targets");
        for (Site site : targets) {
            scope.check(site);
        }
        return new GreenOperator(scope, sources, List.of(targets));
    }
}
