package dev.greenfield.response;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.statistics.Purpose;
import java.util.Arrays;

/** Sources at one site whose size and direction are chosen apart: as long as the stream is there, along a direction. */
public final class SiteSources {
    private SiteSources() {}

    /**
     * The source |R| u at a site, with R the stream there and u the unit vector along a direction: an amplitude of 1 is as long as the
     * stream.
     *
     * @param direction [D], of any length
     * @throws InputException if the site or the length is not the run's, or the direction or the stream there is zero
     */
    public static Source relative(Scope scope, Site site, double[] direction) {
        scope.check(Source.of(site, direction));
        return relative(site, direction, norm(scope, site));
    }

    /** The same with |R| given. */
    public static Source relative(Site site, double[] direction, double norm) {
        double length = Math.sqrt(SiteVectors.dot(direction, direction));
        if (length == 0 || norm == 0) {
            throw new InputException((length == 0 ? "the direction" : "the stream") + " at " + site
                    + " is zero, so that it has no "
                    + (length == 0 ? "direction" : "length to measure amplitudes by") + ": choose another site");
        }
        return Source.of(
                site, Arrays.stream(direction).map(x -> norm * x / length).toArray());
    }

    /** |R| at a site. */
    public static double norm(Scope scope, Site site) {
        return (site.middle() ? scope.run().middleField() : scope.run().field()).norm(site.depth(), site.token());
    }

    /**
     * A random unit vector [D], all directions being equally likely.
     *
     * @param purpose what it is for: the source, or what a source is compared with
     * @param number which: seed, purpose, site and number name a vector
     */
    public static double[] random(Scope scope, Site site, long seed, Purpose purpose, int number) {
        double[] normal = RandomDirections.normal(scope.config().width(), site, seed, purpose, number);
        double length = Math.sqrt(SiteVectors.dot(normal, normal));
        return Arrays.stream(normal).map(x -> x / length).toArray();
    }
}
