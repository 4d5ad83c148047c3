package dev.greenfield.response;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.text.Digest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Some vectors [D] at each of some sites: directions to push from there, or vectors to project responses on. Sites may have
 * different numbers of them. Immutable.
 *
 * <p>The usual ones come from fields: {@code of(donor.field().minus(run.field()))} is the displacement to a donor run at every whole
 * depth, {@code of(sensitivity.field()).unit()} the direction along which an observable grows fastest.
 */
public final class SiteVectors {
    private final Map<Site, double[][]> vectors;

    private SiteVectors(Map<Site, double[][]> vectors) {
        this.vectors = vectors;
    }

    /**
     * Given vectors, which are copied.
     *
     * @param vectors per site [n][D], with n at least 1
     * @throws InputException when there is no site, a site has no vectors, or a number is not finite
     */
    public static SiteVectors of(Map<Site, double[][]> vectors) {
        if (vectors.isEmpty()) {
            throw new InputException("no vectors: found no site, expected at least one");
        }
        Map<Site, double[][]> copies = new LinkedHashMap<>();
        vectors.forEach((site, basis) -> {
            if (basis.length == 0) {
                throw new InputException(
                        "site " + site + " has no vectors: expected at least one, or leave the site out");
            }
            double[][] copy = new double[basis.length][];
            for (int i = 0; i < basis.length; i++) {
                copy[i] = basis[i].clone();
                if (!Arrays.stream(copy[i]).allMatch(Double::isFinite)) {
                    throw new InputException("vector " + i + " at site " + site
                            + " has a component that is not finite: expected numbers");
                }
            }
            copies.put(site, copy);
        });
        return new SiteVectors(copies);
    }

    /** One vector at every site at a whole depth: a field's own, [L+1, T, D]. */
    public static SiteVectors of(Field whole) {
        Map<Site, double[][]> vectors = new LinkedHashMap<>();
        put(vectors, whole, false);
        return of(vectors);
    }

    /** One vector at every site, at whole depths [L+1, T, D] and in the middle of each block [L, T, D]. */
    public static SiteVectors of(Field whole, Field middle) {
        Map<Site, double[][]> vectors = new LinkedHashMap<>();
        put(vectors, whole, false);
        put(vectors, middle, true);
        return of(vectors);
    }

    private static void put(Map<Site, double[][]> vectors, Field field, boolean middle) {
        for (int l = 0; l < field.depths(); l++) {
            for (int t = 0; t < field.tokens(); t++) {
                vectors.put(new Site(l, middle, t), new double[][] {field.vector(l, t)});
            }
        }
    }

    /** Each vector divided by its length; a vector of zeros stays as it is. */
    public SiteVectors unit() {
        Map<Site, double[][]> scaled = new LinkedHashMap<>();
        vectors.forEach((site, basis) ->
                scaled.put(site, Arrays.stream(basis).map(SiteVectors::unit).toArray(double[][]::new)));
        return new SiteVectors(scaled);
    }

    private static double[] unit(double[] vector) {
        double length = Math.sqrt(dot(vector, vector));
        return length == 0 ? vector : Arrays.stream(vector).map(x -> x / length).toArray();
    }

    /** The sites that have vectors, in the order that they were given. */
    public Set<Site> sites() {
        return Collections.unmodifiableSet(vectors.keySet());
    }

    /** How many vectors a site has; 0 where none were given. */
    public int count(Site site) {
        double[][] basis = vectors.get(site);
        return basis == null ? 0 : basis.length;
    }

    /** Vector {@code number} of a site, [D]; not to be changed. */
    public double[] of(Site site, int number) {
        return vectors.get(site)[number];
    }

    /** The sum of the squared lengths of a site's vectors. */
    public double squaredNorm(Site site) {
        return Arrays.stream(vectors.get(site)).mapToDouble(v -> dot(v, v)).sum();
    }

    /** Those at some sites, in the order of the sites; others are left out. */
    public SiteVectors at(Collection<Site> sites) {
        Map<Site, double[][]> some = new LinkedHashMap<>();
        for (Site site : sites) {
            double[][] basis = vectors.get(site);
            if (basis != null) {
                some.put(site, basis);
            }
        }
        return new SiteVectors(some);
    }

    /** These, and after them at each site those of another set. */
    public SiteVectors and(SiteVectors more) {
        Map<Site, double[][]> all = new LinkedHashMap<>(vectors);
        more.vectors.forEach((site, basis) -> all.merge(site, basis, (mine, theirs) -> {
            double[][] joined = Arrays.copyOf(mine, mine.length + theirs.length);
            System.arraycopy(theirs, 0, joined, mine.length, theirs.length);
            return joined;
        }));
        return new SiteVectors(all);
    }

    /** Checks that sites and lengths are those of a run; {@code what} names a vector in messages. */
    public void check(Scope scope, String what) {
        HalfDepth top = scope.model().top();
        int width = scope.config().width();
        vectors.forEach((site, basis) -> {
            if (site.halfDepth().isAbove(top) || site.token() >= scope.length()) {
                throw new InputException(what + " at site " + site + ": not in this run, expected a depth of at most "
                        + top + " and a token from 0 to " + (scope.length() - 1));
            }
            for (int i = 0; i < basis.length; i++) {
                if (basis[i].length != width) {
                    throw new InputException(what + " " + i + " at site " + site + " has " + basis[i].length
                            + " components, expected " + width + ", the width of the stream");
                }
            }
        });
    }

    /** How many there are, and the SHA-256 of sites and numbers, which tells them from all others. */
    public String describe() {
        Digest digest = new Digest();
        int[] total = new int[1];
        vectors.forEach((site, basis) -> {
            total[0] += basis.length;
            digest.write((site + ":" + basis.length + ";").getBytes(StandardCharsets.UTF_8));
            for (double[] vector : basis) {
                ByteBuffer bytes = ByteBuffer.allocate(Double.BYTES * vector.length);
                bytes.asDoubleBuffer().put(vector);
                digest.write(bytes.array());
            }
        });
        return total[0] + " at " + vectors.size() + (vectors.size() == 1 ? " site" : " sites") + ", sha256 "
                + digest.hex();
    }

    public static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
