package dev.greenfield.inverse;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SourceResponse;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.NormalizedGaussianSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * How often a hidden source is found: sources of random direction are planted at random candidate sites of a run, and looked for in the
 * response of the last depth with noise added. What is planted comes from tangent sweeps or from patched runs, never from the blocks
 * that the search uses.
 */
public final class PlantedSources {
    private PlantedSources() {}

    /**
     * One planted source.
     *
     * @param hidden where it was
     * @param found the candidate that was ranked first
     * @param rank of the right site, from 1
     * @param cosine between the planted vector and the most probable one at the right site
     */
    public record Case(Site hidden, Site found, int rank, double cosine) {}

    /**
     * All cases at one noise level.
     *
     * @param noise |noise| / |response|
     * @param cases in the order that they were planted
     */
    public record Recovery(double noise, List<Case> cases) {
        public Recovery {
            cases = List.copyOf(cases);
        }

        /** The fraction of cases whose right site is ranked first. */
        public double first() {
            return fraction(c -> c.rank() == 1);
        }

        /** The fraction found at the right token and a depth one or half a block away. */
        public double neighbouringDepth() {
            return fraction(c -> c.rank() > 1
                    && c.found().token() == c.hidden().token()
                    && c.found().halfDepth().stepsTo(c.hidden().halfDepth()) <= 2);
        }

        /** The fraction found at another token. */
        public double otherToken() {
            return fraction(c -> c.found().token() != c.hidden().token());
        }

        /** The mean cosine between the planted vector and the one that is inferred at the right site. */
        public double meanCosine() {
            return cases.stream().mapToDouble(Case::cosine).average().orElse(Double.NaN);
        }

        private double fraction(Predicate<Case> test) {
            return cases.isEmpty()
                    ? Double.NaN
                    : (double) cases.stream().filter(test).count() / cases.size();
        }
    }

    /**
     * Plants sources and looks for them, at each noise level the same ones.
     *
     * @param locator with the candidates among which sites are drawn, each equally often
     * @param cases how many
     * @param noises |noise| / |response| for normal noise on every component, one recovery each
     * @param amplitude 0 for exact first-order responses; otherwise responses are measured, with sources of this length relative
     *     to the stream at their site, and the noise that is stated to the search is at least the amplitude
     * @param seed of sites, directions and noise
     */
    public static List<Recovery> measure(
            SourceLocator locator, int cases, double[] noises, double amplitude, long seed) {
        if (cases < 1) {
            throw new InputException(cases + " planted sources: expected at least 1");
        }
        UniformRandomProvider random = RandomStreams.of(seed, Purpose.PLANTED);
        NormalizedGaussianSampler normal = ZigguratSampler.NormalizedGaussian.of(random);
        List<Site> sites = locator.candidates();
        Scope scope = locator.scope();
        Linearization run = scope.run();
        Field whole = run.field();
        Field middle = run.middleField();
        List<List<Case>> found = new ArrayList<>();
        for (int n = 0; n < noises.length; n++) {
            found.add(new ArrayList<>());
        }
        Task.run("planted sources", "cases", cases, task -> {
            for (int i = 0; i < cases; i++) {
                task.to(i);
                Site site = sites.get(random.nextInt(sites.size()));
                double[] stream = (site.middle() ? middle : whole).vector(site.depth(), site.token());
                double[] source = normals(normal, stream.length);
                LeastSquares.scale(source, LeastSquares.norm(stream) / LeastSquares.norm(source));
                double[] clean = response(scope, site, source, amplitude);
                for (int n = 0; n < noises.length; n++) {
                    double[] noise = normals(normal, clean.length);
                    double[] response = clean.clone();
                    LeastSquares.add(response, noises[n] * LeastSquares.norm(clean) / LeastSquares.norm(noise), noise);
                    found.get(n).add(look(locator, site, source, response, Math.max(noises[n], amplitude)));
                }
            }
        });
        List<Recovery> recoveries = new ArrayList<>();
        for (int n = 0; n < noises.length; n++) {
            recoveries.add(new Recovery(noises[n], found.get(n)));
        }
        return recoveries;
    }

    private static double[] normals(NormalizedGaussianSampler normal, int count) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = normal.sample();
        }
        return values;
    }

    /** The response of the last depth, [T D]. */
    private static double[] response(Scope scope, Site site, double[] source, double amplitude) {
        Field response = amplitude == 0
                ? SourceResponse.tangent(scope, site, source)
                : SourceResponse.measured(scope, site, source, amplitude);
        double[] last = HostMemory.doubles("the response", response.tokens(), response.width());
        for (int t = 0; t < response.tokens(); t++) {
            System.arraycopy(
                    response.vector(response.depths() - 1, t), 0, last, t * response.width(), response.width());
        }
        return last;
    }

    private static Case look(SourceLocator locator, Site hidden, double[] source, double[] response, double noise) {
        List<SourceLocator.Candidate> ranked = locator.rank(response, noise);
        int rank = 0;
        while (!ranked.get(rank).site().equals(hidden)) {
            rank++;
        }
        double[] inferred = ranked.get(rank).source();
        double cosine = LeastSquares.dot(source, inferred) / LeastSquares.norm(source) / LeastSquares.norm(inferred);
        return new Case(hidden, ranked.get(0).site(), rank + 1, cosine);
    }
}
