package dev.greenfield.propagation;

import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SiteSources;
import dev.greenfield.response.SourceResponse;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.Purpose;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How the response to one source spreads over depth and tokens: exactly to first order, measured at finite amplitudes, and against
 * the responses to random directions at the same site.
 */
public final class SourcePropagation {
    private static final double CONFIDENCE = 0.95;

    private final Site site;
    private final Field tangent;
    private final double[] amplitudes;
    private final double sourceNorm;
    private final List<Field> measured;
    private final double[][][] random;
    private final Settings settings;

    /** A number that says how a response is spread over the tokens of a depth, or how large it is there. */
    public enum Measure {
        /** |dR| over all tokens of the depth. */
        NORM,
        /** {@link Spread#tokenShare}. */
        TOKEN_SHARE,
        /** {@link Spread#displacement}. */
        DISPLACEMENT,
        /** {@link Spread#front}. */
        FRONT,
        /** {@link Spread#entropy}. */
        ENTROPY,
        /** {@link Spread#normalizedEntropy}. */
        NORMALIZED_ENTROPY,
        /** {@link Spread#participation}. */
        PARTICIPATION,
        /** The exponent of {@link Decay}. */
        DECAY_EXPONENT
    }

    /**
     * How it is done.
     *
     * @param randoms how many random directions to compare with; 0 for none
     * @param seed of these, and of the intervals
     * @param resamples of the bootstrap
     * @param front the fraction of the largest response that counts as reached, above 0 and at most 1
     */
    public record Settings(int randoms, long seed, int resamples, double front) {
        /** Checks the numbers. */
        public Settings {
            if (randoms < 0 || resamples < 0) {
                throw new InputException(randoms + " random directions and " + resamples
                        + " resamples: expected numbers that are not negative");
            }
        }

        /** 16 random directions, 1000 resamples, a front of 1 %. */
        public static Settings seeded(long seed) {
            return new Settings(16, seed, 1000, Propagation.DEFAULT_FRONT);
        }

        /** The same with another number of random directions. */
        public Settings randoms(int count) {
            return new Settings(count, seed, resamples, front);
        }

        /** The same with another front. */
        public Settings front(double fraction) {
            return new Settings(randoms, seed, resamples, fraction);
        }
    }

    /**
     * A measure of the source beside that of the random directions.
     *
     * @param value of the source; NaN where it is not defined, as the spread of a depth where one token can be reached
     * @param random mean over the random directions with its bootstrap interval
     * @param below the part of the random directions with a smaller value; NaN where there are none
     */
    public record Compared(double value, Estimate random, double below) {}

    private SourcePropagation(
            Site site,
            Field tangent,
            double[] amplitudes,
            double sourceNorm,
            List<Field> measured,
            double[][][] random,
            Settings settings) {
        this.site = site;
        this.tangent = tangent;
        this.amplitudes = amplitudes;
        this.sourceNorm = sourceNorm;
        this.measured = measured;
        this.random = random;
        this.settings = settings;
    }

    /**
     * Computes the responses.
     *
     * @param site a whole depth
     * @param direction [D], of any length
     * @param amplitudes of either sign, relative to the norm of the stream at the site; none for the first order alone
     * @throws InputException if the site is at a half depth or not in the run, or direction or stream there is zero
     */
    public static SourcePropagation compute(
            Scope scope, Site site, double[] direction, Settings settings, double[] amplitudes) {
        if (site.middle()) {
            throw new InputException("source site " + site + ": propagation is measured from whole depths");
        }
        Source source = SiteSources.relative(scope, site, direction);
        scope.requireSweep(scope.length() - site.token());
        double[] vector = source.vectors().get(site);
        double norm = SiteSources.norm(scope, site);
        double[] unit = Arrays.stream(vector).map(x -> x / norm).toArray();
        double[][] directions = new double[settings.randoms()][];
        for (int k = 0; k < directions.length; k++) {
            directions[k] = SiteSources.random(scope, site, settings.seed(), Purpose.SOURCE_CONTROLS, k);
        }
        int responses = amplitudes.length + 1 + directions.length;
        return Task.call("propagation", "responses", responses, task -> {
            List<Field> measured = new ArrayList<>();
            for (double amplitude : amplitudes) {
                measured.add(task.call(1, () -> SourceResponse.measured(scope, site, vector, amplitude)));
            }
            return new SourcePropagation(
                    site,
                    task.call(1, () -> SourceResponse.tangent(scope, site, unit)),
                    amplitudes.clone(),
                    norm,
                    measured,
                    task.call(directions.length, () -> tangentNorms(scope, site, directions)),
                    settings);
        });
    }

    /** |dR| to first order for each direction [D] at a site, [directions][L+1][T]. */
    private static double[][][] tangentNorms(Scope scope, Site site, double[][] directions) {
        Linearization run = scope.run();
        int layers = run.model().config().layers();
        double[][][] norms = new double[directions.length][layers + 1][run.length()];
        int[] rows = new int[directions.length];
        Arrays.fill(rows, run.length() - site.token());
        scope.inBatches(rows, range -> {
            Seeds seeds = new Seeds();
            for (int k = range.from(); k < range.to(); k++) {
                seeds.column(site.halfDepth(), site.token(), directions[k]);
            }
            new Sweep(run).tangents(seeds, run.model().top(), 0, run.length() - 1, (level, batch, columns, x) -> {
                if (!level.isMiddle()) {
                    double[] squares = new double[batch.rows()];
                    run.model().backend().squaredNorms(x, squares, 0);
                    for (int t = site.token(); t < run.length(); t++) {
                        for (int c = 0; c < batch.count(t); c++) {
                            norms[range.from() + columns[c]][level.block()][t] = Math.sqrt(squares[batch.start(t) + c]);
                        }
                    }
                }
            });
        });
        return norms;
    }

    /** Where the source is. */
    public Site site() {
        return site;
    }

    /** |R| at the site, the length of a source of amplitude 1. */
    public double sourceNorm() {
        return sourceNorm;
    }

    /** The first-order response to a source of length 1, [L+1, T, D]. */
    public Field tangent() {
        return tangent;
    }

    /** The amplitudes that were measured. */
    public double[] amplitudes() {
        return amplitudes.clone();
    }

    /** The whole change of the stream at each amplitude, divided by nothing, [L+1, T, D] each. */
    public List<Field> measured() {
        return List.copyOf(measured);
    }

    /** |dR| of the random directions, to first order, for sources of length 1, [randoms][L+1][T]. */
    public double[][][] randomNorms() {
        return Arrays.stream(random)
                .map(one -> Arrays.stream(one).map(double[]::clone).toArray(double[][]::new))
                .toArray(double[][][]::new);
    }

    /**
     * How far amplitude number {@code i} is from linear: |measured - amplitude |R| tangent| / |measured| over all sites but the
     * source's own, NaN where nothing is measured there.
     */
    public double nonlinearity(int i) {
        Field change = measured.get(i);
        double factor = amplitudes[i] * sourceNorm;
        double difference = 0;
        double whole = 0;
        for (int l = site.depth(); l < change.depths(); l++) {
            for (int t = site.token(); t < change.tokens(); t++) {
                if (l > site.depth() || t > site.token()) {
                    double[] m = change.vector(l, t);
                    double[] d = tangent.vector(l, t);
                    for (int j = 0; j < m.length; j++) {
                        double gap = m[j] - factor * d[j];
                        difference += gap * gap;
                        whole += m[j] * m[j];
                    }
                }
            }
        }
        return Math.sqrt(difference / whole);
    }

    /** The largest number of the first-order response at any site outside of the source's causal cone: 0. */
    public double outsideCone() {
        double largest = 0;
        for (int l = 0; l < tangent.depths(); l++) {
            for (int t = 0; t < tangent.tokens(); t++) {
                largest = Causality.reaches(site, Site.of(l, t)) ? largest : Math.max(largest, tangent.norm(l, t));
            }
        }
        return largest;
    }

    /** How many sites the source can reach, its own among them. */
    public int coneSites() {
        return 1 + (tangent.depths() - 1 - site.depth()) * (tangent.tokens() - site.token());
    }

    /** A measure of the first-order response at a depth above the source's. */
    public double tangent(Measure measure, int depth) {
        return value(tangent.norms(), measure, depth);
    }

    /** The same of the whole change at amplitude number {@code i}. */
    public double measured(int i, Measure measure, int depth) {
        return value(measured.get(i).norms(), measure, depth);
    }

    /** A measure of the first-order response beside that of the random directions. */
    public Compared compared(Measure measure, int depth) {
        double value = tangent(measure, depth);
        double[] others = Arrays.stream(random)
                .mapToDouble(norms -> value(norms, measure, depth))
                .filter(x -> !Double.isNaN(x))
                .toArray();
        double below = others.length == 0 || Double.isNaN(value)
                ? Double.NaN
                : (double) Arrays.stream(others).filter(x -> x < value).count() / others.length;
        return new Compared(value, new Bootstrap(settings.resamples(), settings.seed()).mean(others), below);
    }

    private double value(double[][] norms, Measure measure, int depth) {
        Propagation response = Propagation.of(norms, site, false, settings.front());
        if (measure == Measure.NORM) {
            return Math.sqrt(Arrays.stream(norms[depth]).map(n -> n * n).sum());
        }
        if (measure == Measure.DECAY_EXPONENT) {
            return response.decay(depth, CONFIDENCE).exponent().value();
        }
        return response.spread(depth)
                .map(spread -> switch (measure) {
                    case TOKEN_SHARE -> spread.tokenShare();
                    case DISPLACEMENT -> spread.displacement();
                    case FRONT -> (double) spread.front();
                    case ENTROPY -> spread.entropy();
                    case NORMALIZED_ENTROPY -> spread.normalizedEntropy();
                    case PARTICIPATION -> spread.participation();
                    default -> throw new IllegalStateException("no spread has a " + measure);
                })
                .orElse(Double.NaN);
    }

    @Override
    public String toString() {
        return "propagation of a source at " + site + " over " + tangent.depths() + " depths and " + tangent.tokens()
                + " tokens";
    }
}
