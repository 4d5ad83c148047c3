package dev.greenfield.regime;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SiteSources;
import dev.greenfield.response.SiteVectors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * The linear regime at every site, for one direction a site, in amplitudes relative to the stream's norm there. Sites have none where no
 * direction is given, direction or stream is zero, or F cannot see them.
 */
public final class RegimeMap {
    private final int levels;
    private final int tokens;
    private final boolean halfDepths;
    private final RegimeGrid grid;
    private final Map<Site, LinearRegime> regimes;

    private RegimeMap(int levels, int tokens, boolean halfDepths, RegimeGrid grid, Map<Site, LinearRegime> regimes) {
        this.levels = levels;
        this.tokens = tokens;
        this.halfDepths = halfDepths;
        this.grid = grid;
        this.regimes = regimes;
    }

    /**
     * Measures all sites together.
     *
     * @param directions one vector [D] a site, of any length
     * @throws InputException if a site has several directions, none can be measured, or a site or length is not the run's
     */
    public static RegimeMap compute(Scope scope, Observable f, SiteVectors directions, RegimeGrid grid) {
        int asked = directions.sites().size();
        return Task.call("regime map", "sites", asked, task -> compute(scope, f, directions, grid, task));
    }

    private static RegimeMap compute(Scope scope, Observable f, SiteVectors directions, RegimeGrid grid, Task task) {
        List<Site> sites = new ArrayList<>();
        List<Source> sources = new ArrayList<>();
        boolean halfDepths = false;
        SensitivityField sensitivity = SensitivityField.compute(scope, f);
        Field whole = scope.run().field();
        Field middle = scope.run().middleField();
        for (Site site : directions.sites()) {
            if (directions.count(site) != 1) {
                throw new InputException("site " + site + " has " + directions.count(site)
                        + " directions: a regime map takes one a site");
            }
            double[] direction = directions.of(site, 0);
            scope.check(Source.of(site, direction));
            halfDepths |= site.middle();
            double norm = (site.middle() ? middle : whole).norm(site.depth(), site.token());
            boolean seen = Arrays.stream(sensitivity.at(site)).anyMatch(x -> x != 0);
            if (seen && norm > 0 && SiteVectors.dot(direction, direction) > 0) {
                sites.add(site);
                sources.add(SiteSources.relative(site, direction, norm));
            }
        }
        if (sites.isEmpty()) {
            throw new InputException("no site to measure: every direction is zero, or at a site that F, read at token "
                    + scope.position(f) + ", cannot see");
        }
        List<LinearRegime> measured =
                task.call(directions.sites().size(), () -> RegimeSearch.compute(scope, f, sources, grid));
        Map<Site, LinearRegime> regimes = new LinkedHashMap<>();
        for (int i = 0; i < sites.size(); i++) {
            regimes.put(sites.get(i), measured.get(i));
        }
        int layers = scope.config().layers();
        return new RegimeMap(halfDepths ? 2 * layers + 1 : layers + 1, scope.length(), halfDepths, grid, regimes);
    }

    /** How many levels: depths, or half depths where a direction is at one. */
    public int levels() {
        return levels;
    }

    /** Number of tokens T. */
    public int tokens() {
        return tokens;
    }

    /** Whether levels are half depths. */
    public boolean halfDepths() {
        return halfDepths;
    }

    /** The amplitudes and tolerances. */
    public RegimeGrid grid() {
        return grid;
    }

    /** The regime of a site, if it has one. */
    public Optional<LinearRegime> at(Site site) {
        return Optional.ofNullable(regimes.get(site));
    }

    /** All regimes that there are. */
    public List<LinearRegime> regimes() {
        return List.copyOf(regimes.values());
    }

    /** A number of each regime, [levels][T]; NaN where there is none. */
    public double[][] values(ToDoubleFunction<LinearRegime> number) {
        double[][] values = new double[levels][tokens];
        for (int l = 0; l < levels; l++) {
            for (int t = 0; t < tokens; t++) {
                Site site = Site.at(HalfDepth.numbered(l, halfDepths), t);
                LinearRegime regime = regimes.get(site);
                values[l][t] = regime == null ? Double.NaN : number.applyAsDouble(regime);
            }
        }
        return values;
    }

    /** The measured radius at tolerance number {@code i} of the grid, as {@link Radius#value} has it, [levels][T]. */
    public double[][] radius(int i) {
        return values(regime -> regime.radius(i).value());
    }

    /** The radius that the second order predicts at tolerance number {@code i}, [levels][T]. */
    public double[][] predictedRadius(int i) {
        double tolerance = grid.tolerances()[i];
        return values(regime -> regime.predictedRadius(tolerance));
    }

    /** How often the reliability flag is right over the sites, at tolerance number {@code i}. */
    public FlagAgreement agreement(int i, double factor) {
        return FlagAgreement.of(regimes(), i, factor);
    }

    @Override
    public String toString() {
        return "regime map of " + levels() + " levels and " + tokens() + " tokens, "
                + regimes().size() + " sites";
    }
}
