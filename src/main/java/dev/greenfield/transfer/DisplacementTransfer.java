package dev.greenfield.transfer;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SourceEffects;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.commons.rng.sampling.ListSampler;

/**
 * The displacement from one run to another, R(donor) - R(own), [L+1, T, D], and what putting parts of it into the run does to an
 * observable F.
 *
 * <p>A part is a set of sites, such as a depth or a token. It is put in by <em>replacing</em> the stream at each of its sites by own + alpha
 * (donor - own), all in the same run. At sites of one depth that is the same as adding alpha times the displacement; where a part has
 * sites downstream of each other it is not, and adding would count twice: the change that an upper site receives from the lower ones
 * would come on top of its own displacement, which holds it already.
 *
 * <p>Effects are given as numbers or as the achieved fraction of the full change F(donor) - F(own). Not for use by several threads.
 */
public final class DisplacementTransfer {
    private final Scope scope;
    private final Observable f;
    private final int position; // where F is read
    private final Field own;
    private final Field donor;
    private final Field displacement;
    private final SensitivityField sensitivity;
    private final double donorValue;
    private double[][] single; // effects of replacing single sites, made when first asked for

    /** By what sites are put in order. */
    public enum Ranking {
        /** By |S|, the length of the sensitivity, whatever the displacement. */
        SENSITIVITY,
        /** By |S . displacement|, the size of the predicted change of F. */
        PREDICTED
    }

    /**
     * Of two runs of one model on prompts of equal length.
     *
     * @param scope the run into which the displacement is put
     * @param donor where it leads
     * @param f the observable, read of both runs
     * @throws InputException if the runs differ in length or model
     */
    public DisplacementTransfer(Scope scope, Scope donor, Observable f) {
        scope.requireAlike(donor, "a displacement");
        this.scope = scope;
        this.f = f;
        this.position = scope.position(f);
        this.own = scope.run().field();
        this.donor = donor.run().field();
        this.displacement = this.donor.minus(own);
        this.sensitivity = SensitivityField.compute(scope, f);
        this.donorValue = donor.value(f);
    }

    /** F of the run as it is. */
    public double value() {
        return sensitivity.value();
    }

    /** F of the donor. */
    public double donorValue() {
        return donorValue;
    }

    /** F(donor) - F(own), of which effects are a fraction. */
    public double fullChange() {
        return donorValue - value();
    }

    /** L. */
    public int layers() {
        return own.depths() - 1;
    }

    /** The stream that the displacement is put into, [L+1, T, D]. */
    public Field own() {
        return own;
    }

    /** Donor minus own, [L+1, T, D]. */
    public Field displacement() {
        return displacement;
    }

    /** The sensitivity of F in the run that the displacement is put into. */
    public SensitivityField sensitivity() {
        return sensitivity;
    }

    /** An effect as a fraction of the full change; NaN where that is zero. */
    public double achieved(double effect) {
        double fraction = fullChange() == 0 ? Double.NaN : effect / fullChange();
        return fraction == 0 ? 0 : fraction; // not -0
    }

    /** Whether the sign of F tells the model's answer: only of a logit difference. */
    public boolean hasAnswer() {
        return f.kind() == Observable.Kind.LOGIT_DIFFERENCE;
    }

    /** Whether a change of F turns its sign, which for a logit difference is the model's choice between answer and foil. */
    public boolean flips(double effect) {
        return value() * (value() + effect) < 0;
    }

    /** The token where F is read. */
    public int position() {
        return position;
    }

    /** The sites of a depth up to F's position, which are all of that depth that F can see. */
    public List<Site> slice(int depth) {
        List<Site> sites = new ArrayList<>();
        for (int t = 0; t <= position; t++) {
            sites.add(Site.of(depth, t));
        }
        return sites;
    }

    /** The sites of a token at every depth. */
    public List<Site> column(int token) {
        List<Site> sites = new ArrayList<>();
        for (int l = 0; l < own.depths(); l++) {
            sites.add(Site.of(l, token));
        }
        return sites;
    }

    /** Sites where the displacement can do something: it is not zero, and F can see them. At the last depth only F's position. */
    public List<Site> sites() {
        List<Site> sites = new ArrayList<>();
        Site read = Site.of(own.depths() - 1, position);
        for (int l = 0; l <= read.depth(); l++) {
            for (int t = 0; t <= position; t++) {
                Site site = Site.of(l, t);
                if (Causality.reaches(site, read) && displacement.norm(l, t) > 0) {
                    sites.add(site);
                }
            }
        }
        return sites;
    }

    /** Those of some sites that are above depth 0 and below the last depth, in their order. */
    public List<Site> inner(List<Site> sites) {
        return sites.stream()
                .filter(site -> site.depth() > 0 && site.depth() < layers())
                .toList();
    }

    /** The {@link #sites}, those that count most first; of equals the lower depth, then the earlier token. */
    public List<Site> ranked(Ranking by) {
        double[][] scores = by == Ranking.SENSITIVITY ? sensitivity.norms() : predicted();
        List<Site> sites = sites();
        sites.sort(Comparator.comparingDouble((Site s) -> -Math.abs(scores[s.depth()][s.token()])));
        return sites;
    }

    /** The {@link #sites} in the random order that a seed and a number name: the control of a ranking. */
    public List<Site> shuffled(long seed, int number) {
        List<Site> sites = sites();
        ListSampler.shuffle(RandomStreams.of(seed, Purpose.SITE_ORDER, number), sites);
        return sites;
    }

    /** The first-order prediction of the change of F by each site's whole displacement, [L+1][T]. */
    public double[][] predicted() {
        return sensitivity.field().dots(displacement);
    }

    /** The change of F by replacing each site alone by the donor's, [L+1][T], as {@code patch} measures it. */
    public double[][] single() {
        if (single == null) {
            single = single(1);
        }
        double[][] copy = new double[single.length][];
        for (int l = 0; l < copy.length; l++) {
            copy[l] = single[l].clone();
        }
        return copy;
    }

    /** The change of F with alpha times the displacement at each site alone, [L+1][T]. */
    double[][] single(double alpha) {
        List<Site> sites = sites();
        double[] effects = effects(sites.stream().map(List::of).toList(), alpha);
        double[][] values = new double[own.depths()][own.tokens()];
        for (int i = 0; i < effects.length; i++) {
            values[sites.get(i).depth()][sites.get(i).token()] = effects[i];
        }
        return values;
    }

    /**
     * The change of F with each part replaced by own + alpha (donor - own), all of a part's sites in one run.
     *
     * @param parts sets of sites at whole depths
     * @param alpha any number; at 1 the sites hold the donor's very numbers
     * @return [parts]; exactly 0 for alpha 0 and where the displacement of a part is zero
     */
    public double[] effects(List<List<Site>> parts, double alpha) {
        return measure(parts, alpha, true);
    }

    /** Likewise with alpha times the displacement <em>added</em> at each site of a part, whatever comes from its other sites. */
    public double[] addedEffects(List<List<Site>> parts, double alpha) {
        return measure(parts, alpha, false);
    }

    /** The change of F by other sources, added to the stream. */
    public double[] effectsOf(List<Source> sources) {
        return SourceEffects.added(scope, f, sources);
    }

    /** The Green operator of the run that the displacement is put into. */
    GreenOperator green(List<Site> sources, List<Site> targets) {
        return new GreenOperator(scope, sources, targets);
    }

    private double[] measure(List<List<Site>> parts, double alpha, boolean replace) {
        if (!Double.isFinite(alpha)) {
            throw new InputException("amplitude " + alpha + ": expected a number");
        }
        return Task.call("effects", "parts", parts.size(), task -> measure(parts, alpha, replace, task));
    }

    private double[] measure(List<List<Site>> parts, double alpha, boolean replace, Task task) {
        double[] effects = new double[parts.size()];
        List<Source> sources = new ArrayList<>();
        List<Integer> numbers = new ArrayList<>();
        long vectors = 0;
        for (int p = 0; p < effects.length; p++) {
            List<Site> part = parts.get(p);
            if (alpha == 0 || part.stream().allMatch(s -> displacement.norm(s.depth(), s.token()) == 0)) {
                continue;
            }
            sources.add(source(part, site -> replace ? blend(site, alpha) : scaled(site, alpha)));
            numbers.add(p);
            vectors += part.size();
            // Sources are held on the heap: some fields at a time, however many parts there are.
            if (vectors >= 4L * own.depths() * own.tokens()) {
                store(sources, numbers, replace, effects, task);
                vectors = 0;
            }
        }
        store(sources, numbers, replace, effects, task);
        return effects;
    }

    private void store(List<Source> sources, List<Integer> numbers, boolean replace, double[] effects, Task task) {
        double[] changes = task.call(
                sources.size(),
                () -> replace ? SourceEffects.replaced(scope, f, sources) : SourceEffects.added(scope, f, sources));
        for (int i = 0; i < changes.length; i++) {
            effects[numbers.get(i)] = changes[i];
        }
        sources.clear();
        numbers.clear();
    }

    private static Source source(List<Site> part, Function<Site, double[]> vector) {
        Map<Site, double[]> vectors = new LinkedHashMap<>();
        part.forEach(site -> vectors.put(site, vector.apply(site)));
        return Source.of(vectors);
    }

    private double[] scaled(Site site, double alpha) {
        double[] vector = displacement.vector(site);
        for (int i = 0; i < vector.length; i++) {
            vector[i] *= alpha;
        }
        return vector;
    }

    private double[] blend(Site site, double alpha) {
        if (alpha == 1) {
            return donor.vector(site);
        }
        double[] vector = own.vector(site);
        double[] step = displacement.vector(site);
        for (int i = 0; i < vector.length; i++) {
            vector[i] += alpha * step[i];
        }
        return vector;
    }

    /**
     * What single sites, depths, tokens and the leading sites achieve at each amplitude.
     *
     * @param alphas amplitudes, at least one
     * @param top how many leading {@link #inner} sites to put in together, one after the other; as many as there are if those are fewer
     */
    public AmplitudeCurves curves(double[] alphas, int top) {
        return AmplitudeCurves.compute(this, alphas, top);
    }
}
