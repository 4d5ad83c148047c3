package dev.greenfield.lattice;

import dev.greenfield.failure.InputException;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * One intervention: a vector J [D] at one site, or one at each of several sites, all of them inserted in the same run. Immutable.
 *
 * <p>Every patch is a source. Putting in a donor's residual is the source donor - own; a patch of a block's attention output is a
 * source in the middle of that block, one of its MLP output a source at the next depth; ablation and steering likewise.
 */
public final class Source {
    private final Map<Site, double[]> vectors;

    private Source(Map<Site, double[]> vectors) {
        this.vectors = vectors;
    }

    /** A vector [D] at a site. */
    public static Source of(Site site, double[] vector) {
        return of(Map.of(site, vector));
    }

    /**
     * A vector [D] at each site, inserted together; copied.
     *
     * @throws InputException when there is no site, or a number is not finite
     */
    public static Source of(Map<Site, double[]> vectors) {
        if (vectors.isEmpty()) {
            throw new InputException("a source at no site: expected a vector at one site at least");
        }
        Map<Site, double[]> copies = new LinkedHashMap<>();
        vectors.forEach((site, vector) -> {
            if (!Arrays.stream(vector).allMatch(Double::isFinite)) {
                throw new InputException(
                        "the source at " + site + " has a component that is not finite: expected numbers");
            }
            copies.put(site, vector.clone());
        });
        return new Source(copies);
    }

    /** The same times a factor at all its sites. */
    public Source times(double factor) {
        Map<Site, double[]> scaled = new LinkedHashMap<>();
        vectors.forEach((site, vector) ->
                scaled.put(site, Arrays.stream(vector).map(x -> factor * x).toArray()));
        return new Source(scaled);
    }

    /** The sites, each with its vector [D]; not to be changed. */
    public Map<Site, double[]> vectors() {
        return Collections.unmodifiableMap(vectors);
    }

    /** Length of all its vectors together. */
    public double norm() {
        double sum = 0;
        for (double[] vector : vectors.values()) {
            for (double x : vector) {
                sum += x * x;
            }
        }
        return Math.sqrt(sum);
    }

    /** Whether it changes nothing: all its components are zero. */
    public boolean isZero() {
        return vectors.values().stream().allMatch(v -> Arrays.stream(v).allMatch(x -> x == 0));
    }

    @Override
    public String toString() {
        String where = vectors.size() == 1 ? vectors.keySet().iterator().next().toString() : vectors.size() + " sites";
        return String.format(Locale.ROOT, "source of length %.4g at %s", norm(), where);
    }
}
