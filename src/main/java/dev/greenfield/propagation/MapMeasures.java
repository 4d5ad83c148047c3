package dev.greenfield.propagation;

import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * How the responses of a {@link ResponseMap} propagate: their decay with token distance, and by depth distance how far and how
 * widely they are spread along the tokens. Numbers are means over sources (of decay: fits to medians over pairs); intervals are
 * percentile bootstrap intervals over the source sites of this map, so they speak of its sites and not of other prompts.
 */
public final class MapMeasures {
    /** Fewer resamples than this have no tails. */
    private static final int LEAST_RESAMPLES = 100;
    /** Norms that are looked at in all resamples together: about two seconds. */
    private static final long MOST_VISITS = 1_000_000_000;
    /** Pairs that are measured: some hundreds of MB while they are. */
    private static final int MOST_PAIRS = 1 << 22;

    private final DistanceProfile profile;
    private final Decay decay;
    private final Estimate exponent;
    private final List<AtDistance> distances;
    private final int sources;
    private final int allSources;
    private final int resamples;
    private final int exponentResamples;

    /**
     * How measures are taken.
     *
     * @param front the fraction of a source's largest response that counts as reached, above 0 and at most 1
     * @param confidence coverage of the intervals, between 0 and 1
     * @param resamples how many bootstrap resamples at most; 0 for no bootstrap
     * @param seed seeds the resamples
     */
    public record Settings(double front, double confidence, int resamples, long seed) {
        /** Checks the numbers. */
        public Settings {
            if (!(confidence > 0 && confidence < 1) || resamples < 0) {
                throw new InputException("confidence " + confidence + " and " + resamples
                        + " resamples: expected a confidence between 0 and 1, such as 0.95, and no negative number");
            }
        }

        /** A front of 1 %, 95 % intervals, 1000 resamples. */
        public static Settings seeded(long seed) {
            return new Settings(Propagation.DEFAULT_FRONT, 0.95, 1000, seed);
        }

        /** The same with another front. */
        public Settings front(double fraction) {
            return new Settings(fraction, confidence, resamples, seed);
        }
    }

    /**
     * The measures at one depth distance. A row is a source and a target depth; rows of sources that can reach one token only, such
     * as those at the last token, have nowhere to go and do not count.
     *
     * @param levels the depth distance in levels, at least 1
     * @param rows how many rows were measured
     * @param incomplete how many rows were not, because some or all of their tokens were not asked for
     * @param zero how many rows were not, because the whole response is zero
     * @param room mean number of later tokens that a row has, the largest possible front; NaN without rows, as for those that
     *     follow
     * @param tokenShare mean of {@link Spread#tokenShare} over the rows
     * @param displacement mean of {@link Spread#displacement}
     * @param front mean of {@link Spread#front}
     * @param entropy mean of {@link Spread#entropy}
     * @param normalizedEntropy mean of {@link Spread#normalizedEntropy}
     * @param participation mean of {@link Spread#participation}
     * @param decay the decay of the median norm with token distance, with intervals by Student's t
     * @param exponent its exponent, with the bootstrap interval
     */
    public record AtDistance(
            int levels,
            int rows,
            int incomplete,
            int zero,
            double room,
            Estimate tokenShare,
            Estimate displacement,
            Estimate front,
            Estimate entropy,
            Estimate normalizedEntropy,
            Estimate participation,
            Decay decay,
            Estimate exponent) {}

    /** Measures a map. */
    public static MapMeasures of(ResponseMap map, Settings settings) {
        return of(map, settings, 0, map.tokens());
    }

    /**
     * Measures a part of a map as if its prompt had no other tokens: as sources and as targets. Of a map with more than
     * {@value #MOST_PAIRS} pairs that part of the sources is measured, evenly spaced over all, that has about so many.
     *
     * @param from the first token, from 0
     * @param until the one after the last, above {@code from}
     */
    public static MapMeasures of(ResponseMap map, Settings settings, int from, int until) {
        return of(map, settings, from, until, MOST_PAIRS);
    }

    /** With another limit of pairs. */
    static MapMeasures of(ResponseMap map, Settings settings, int from, int until, int mostPairs) {
        int tokens = map.tokens();
        if (from < 0 || until > tokens || from >= until) {
            throw new InputException("tokens " + from + " to " + (until - 1) + ": expected a range within 0 to "
                    + (tokens - 1) + ", the tokens of this map");
        }
        int levels = map.levels();
        int kept = until - from;
        // Of a source all sites are held while it is measured, a quarter of which it reaches on average.
        double pairs = Math.max((double) map.pairs(), map.sources().size() * 0.25 * levels * kept);
        double part = Math.min(1, mostPairs / pairs);
        List<Source> sources = new ArrayList<>();
        int all = 0;
        for (Site site : map.sources()) {
            int level = site.halfDepth().number(map.halfDepths());
            if (level == levels - 1 || site.token() < from || site.token() >= until) {
                continue;
            }
            all++;
            if (part == 1 || Math.floor(all * part) > Math.floor((all - 1) * part)) {
                double[] norms = map.frobenius(site);
                double[][] response = new double[levels][];
                for (int to = 0; to < levels; to++) {
                    response[to] = Arrays.copyOfRange(norms, to * tokens + from, to * tokens + until);
                }
                sources.add(new Source(response, level, site.token() - from));
            }
        }
        return of(sources, part == 1 ? -1 : all, levels, kept, map.halfDepths(), settings);
    }

    /**
     * Measures norms that are in the order of a map.
     *
     * @param norms [levels, T, levels, T] in the order source level, source token, target level, target token; NaN for what is
     *     not known
     * @param halfDepths whether levels are half depths
     */
    public static MapMeasures of(double[] norms, int levels, int tokens, boolean halfDepths, Settings settings) {
        if (norms.length != (long) levels * tokens * levels * tokens) {
            throw new IllegalArgumentException(norms.length + " norms for " + levels + " levels of " + tokens
                    + " tokens, expected the square of their product");
        }
        List<Source> sources = new ArrayList<>();
        for (int l = 0; l < levels - 1; l++) {
            for (int t = 0; t < tokens; t++) {
                double[][] response = new double[levels][];
                for (int to = 0; to < levels; to++) {
                    int at = ((l * tokens + t) * levels + to) * tokens;
                    response[to] = Arrays.copyOfRange(norms, at, at + tokens);
                }
                sources.add(new Source(response, l, t));
            }
        }
        return of(sources, -1, levels, tokens, halfDepths, settings);
    }

    /** A source with its response, [levels][T]. */
    @SuppressWarnings("ArrayRecordComponent")
    private record Source(double[][] response, int level, int token) {
        /** Whether any response above it is known. */
        boolean known() {
            return Arrays.stream(response)
                    .skip(level + 1)
                    .anyMatch(norms -> Arrays.stream(norms).skip(token).anyMatch(n -> !Double.isNaN(n)));
        }
    }

    /**
     * @param all how many sources there are, where some are left out; -1 where none is
     */
    private static MapMeasures of(
            List<Source> sources, int all, int levels, int tokens, boolean halfDepths, Settings settings) {
        List<Propagation> known = new ArrayList<>();
        List<Integer> levelOf = new ArrayList<>();
        for (Source source : sources) {
            if (source.known()) {
                Site site = Site.at(HalfDepth.numbered(source.level(), halfDepths), source.token());
                known.add(Propagation.of(source.response(), site, halfDepths, settings.front()));
                levelOf.add(source.level());
            }
        }
        int[] level = levelOf.stream().mapToInt(Integer::intValue).toArray();
        return Task.call(
                "measures",
                "distances",
                levels,
                task -> new MapMeasures(known, Math.max(all, known.size()), level, levels, tokens, settings, task));
    }

    private MapMeasures(
            List<Propagation> from, int all, int[] levelOf, int levels, int tokens, Settings settings, Task task) {
        sources = from.size();
        allSources = all;
        profile = DistanceProfile.of(from, levelOf, levels, tokens);
        decay = Decay.of(profile.medians(), settings.confidence());
        long visits = 2 * Math.max(1, profile.moved());
        long affordable = Math.min(settings.resamples(), MOST_VISITS / visits);
        resamples = sources < Bootstrap.LEAST ? 0 : settings.resamples();
        exponentResamples = sources < Bootstrap.LEAST || affordable < LEAST_RESAMPLES ? 0 : (int) affordable;
        int[][] times = times(settings.seed());
        exponent = exponent(0, decay, times, settings.confidence());
        distances = new ArrayList<>();
        for (int d = 1; d < levels; d++) {
            task.to(d);
            distances.add(new Rows(from, levelOf, d, levels).measured(times, settings.confidence()));
        }
    }

    /** Per resample how often each source was drawn. */
    private int[][] times(long seed) {
        UniformRandomProvider random = RandomStreams.of(seed, Purpose.RESAMPLES);
        int[][] times = new int[resamples][sources];
        for (int[] resample : times) {
            for (int i = 0; i < sources; i++) {
                resample[random.nextInt(sources)]++;
            }
        }
        return times;
    }

    private Estimate exponent(int d, Decay fit, int[][] times, double confidence) {
        if (!fit.defined()) {
            return Estimate.without(Double.NaN);
        }
        double[] resampled = Arrays.stream(times)
                .limit(exponentResamples)
                .mapToDouble(t -> {
                    Cancellation.check(); // every resample looks at every pair
                    return profile.exponent(d, t);
                })
                .toArray();
        return Estimate.bootstrap(fit.exponent().value(), resampled, confidence);
    }

    /** The rows at one depth distance. */
    private final class Rows {
        private final int distance;
        private final List<Spread> spreads = new ArrayList<>();
        private final List<Integer> sourceOf = new ArrayList<>();
        private int incomplete;
        private int zero;

        Rows(List<Propagation> from, int[] levelOf, int distance, int levels) {
            this.distance = distance;
            for (int s = 0; s < from.size(); s++) {
                int target = levelOf[s] + distance;
                if (target >= levels || from.get(s).reachable(target) < Spread.LEAST) {
                    continue;
                }
                Optional<Spread> spread = from.get(s).spread(target);
                if (spread.isPresent()) {
                    spreads.add(spread.get());
                    sourceOf.add(s);
                } else if (from.get(s).complete(target)) {
                    zero++;
                } else {
                    incomplete++;
                }
            }
        }

        AtDistance measured(int[][] times, double confidence) {
            Decay fit = Decay.of(profile.medians(distance), confidence);
            return new AtDistance(
                    distance,
                    spreads.size(),
                    incomplete,
                    zero,
                    spreads.stream().mapToInt(s -> s.tokens() - 1).average().orElse(Double.NaN),
                    mean(Spread::tokenShare, times, confidence),
                    mean(Spread::displacement, times, confidence),
                    mean(Spread::front, times, confidence),
                    mean(Spread::entropy, times, confidence),
                    mean(Spread::normalizedEntropy, times, confidence),
                    mean(Spread::participation, times, confidence),
                    fit,
                    exponent(distance, fit, times, confidence));
        }

        private Estimate mean(ToDoubleFunction<Spread> measure, int[][] times, double confidence) {
            double[] values = spreads.stream().mapToDouble(measure).toArray();
            double mean = Arrays.stream(values).average().orElse(Double.NaN);
            if (values.length < Bootstrap.LEAST) {
                return Estimate.without(mean);
            }
            double[] resampled = Arrays.stream(times)
                    .mapToDouble(t -> {
                        double sum = 0;
                        long drawn = 0;
                        for (int i = 0; i < values.length; i++) {
                            int n = t[sourceOf.get(i)];
                            sum += n * values[i];
                            drawn += n;
                        }
                        return drawn == 0 ? Double.NaN : sum / drawn;
                    })
                    .toArray();
            return Estimate.bootstrap(mean, resampled, confidence);
        }
    }

    /** The norms by distance. */
    public DistanceProfile profile() {
        return profile;
    }

    /** The decay of the median norm over all depth distances of at least one level, with intervals by Student's t. */
    public Decay decay() {
        return decay;
    }

    /** The exponent of {@link #decay} with its bootstrap interval. */
    public Estimate exponent() {
        return exponent;
    }

    /** The measures at each depth distance, 1 to levels - 1. */
    public List<AtDistance> distances() {
        return List.copyOf(distances);
    }

    /** How many sources were measured, of those that have a known response. */
    public int sources() {
        return sources;
    }

    /** How many there are; more than {@link #sources} where the map is too large for all of them. */
    public int allSources() {
        return allSources;
    }

    /** How many resamples the intervals of means rest on, 0 where there are too few sources. */
    public int resamples() {
        return resamples;
    }

    /**
     * How many resamples the intervals of exponents rest on. They look at every pair: fewer in a map of millions of pairs, and
     * none where that would leave less than a hundred.
     */
    public int exponentResamples() {
        return exponentResamples;
    }
}
