package dev.greenfield;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Readout;
import dev.greenfield.failure.InputException;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.inverse.InferenceRequest;
import dev.greenfield.inverse.SourceLocator;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.model.Tokenizer;
import dev.greenfield.prediction.ComponentOutputs;
import dev.greenfield.prediction.InputPath;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PromptPredictions;
import dev.greenfield.propagation.SourcePropagation;
import dev.greenfield.regime.LinearRegime;
import dev.greenfield.regime.RegimeGrid;
import dev.greenfield.regime.RegimeMap;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SecondOrder;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SiteSources;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.response.SourceEffects;
import dev.greenfield.response.SourceResponse;
import dev.greenfield.transfer.DisplacementTransfer;
import java.util.ArrayList;
import java.util.List;

/** One forward pass of a model, linearized once, and every question that can be asked of it. */
public final class Run implements AutoCloseable {
    private final Model model;
    private final Linearization linearization;

    Run(Model model, Linearization linearization) {
        this.model = model;
        this.linearization = linearization;
    }

    /** The token ids, [T]. */
    public int[] tokens() {
        return linearization.tokens();
    }

    /** What each token reads, [T]. */
    public List<String> tokenText() {
        Tokenizer tokenizer = model.tokenizer();
        List<String> texts = new ArrayList<>();
        for (int token : linearization.tokens()) {
            texts.add(tokenizer.text(token));
        }
        return texts;
    }

    /** The residual stream at whole depths, [L+1, T, D]. */
    public Field field() {
        return linearization.field();
    }

    /** The residual stream in the middle of each block ({@code resid_mid}), [L, T, D]. */
    public Field middleField() {
        return linearization.middleField();
    }

    /** The logits, [T, V], in the order position, token. */
    public double[] logits() {
        model.requireUnembedding();
        return linearization.logits();
    }

    /**
     * The logits at one position, [V]: without computing those of the others.
     *
     * @throws InputException if there is no such position
     */
    public double[] logits(int position) {
        if (position < 0 || position >= linearization.length()) {
            throw new InputException("found position " + position + ", expected a token of the run, 0 to "
                    + (linearization.length() - 1));
        }
        return linearization.logits(position);
    }

    /**
     * F of this run.
     *
     * @throws InputException if its tokens are not single tokens of the model, or its position is not in the run
     */
    public double value(Observable observable) {
        return new Readout(model.device()).value(linearization, resolve(observable));
    }

    /** The sensitivity of F to every site, from one adjoint sweep. */
    public SensitivityField sensitivity(Observable observable) {
        Readout.Resolved f = resolve(observable);
        Batches.require(model.device(), f.position() + 1, model.freeBytes());
        return SensitivityField.compute(linearization, f);
    }

    /**
     * What patching each site of this run with the donor's residual does to F, measured and predicted.
     *
     * @throws InputException if the donor has another number of tokens or is of another model
     */
    public PatchSweep patchSweep(Run donor, Observable observable) {
        return PatchSweep.compute(linearization, donor.linearization, resolve(observable), model.freeBytes());
    }

    /**
     * A patch sweep of this run with {@link PatchSweep#secondOrder()}.
     *
     * @throws InputException if it is another run's
     */
    public PatchSweep withSecondOrder(PatchSweep sweep) {
        return sweep.withSecondOrder(linearization, model.freeBytes());
    }

    /**
     * The displacement from this run to the donor's, to be put in at sites, depths, tokens and in part. It reads this run for as
     * long as it is used.
     *
     * @throws InputException if the donor has another number of tokens or is of another model
     */
    public DisplacementTransfer transfer(Run donor, Observable observable) {
        return new DisplacementTransfer(linearization, donor.linearization, resolve(observable), model::freeBytes);
    }

    /**
     * The change of F by each source, added to the stream at its sites: nonlinear, measured.
     *
     * @return [sources]; exactly 0 where F cannot see the source
     */
    public double[] effects(List<Source> sources, Observable observable) {
        return SourceEffects.added(linearization, resolve(observable), sources, model.freeBytes());
    }

    /** Likewise when the stream at each of a source's sites is replaced by the vector there, such as a donor's residual. */
    public double[] replacementEffects(List<Source> sources, Observable observable) {
        return SourceEffects.replaced(linearization, resolve(observable), sources, model.freeBytes());
    }

    /** What each component of this run writes to the stream: interventions on them are made of it. */
    public ComponentOutputs components() {
        return new ComponentOutputs(linearization);
    }

    /**
     * The sensitivity of F averaged over n runs between this one and a donor, whose embeddings are interpolated: what
     * path-integrated predictions (EAP-IG) use in place of {@link #sensitivity}.
     *
     * @param steps n, at least 1
     * @throws InputException if the donor has another number of tokens or is of another model
     */
    public SensitivityField pathSensitivity(Run donor, Observable observable, int steps) {
        return InputPath.mean(linearization, donor.linearization, resolve(observable), 1, steps, model.freeBytes());
    }

    /**
     * Measured and predicted changes of F for whole sets of interventions on this prompt.
     *
     * @param donor the run whose activations are put in, and that is patched with this run's by {@code denoise}; null where no
     *     kind of the plan needs one
     * @throws InputException if the donor does not fit, or is missing
     */
    public PromptPredictions predictions(Run donor, Observable observable, PredictionPlan plan) {
        return PromptPredictions.compute(
                linearization, donor == null ? null : donor.linearization, resolve(observable), plan, model::freeBytes);
    }

    /** The exact first and second derivatives of F along each source; see {@link SecondOrder}. */
    public SecondOrder secondOrder(List<Source> sources, Observable observable) {
        return SecondOrder.compute(linearization, resolve(observable), sources, model.freeBytes());
    }

    /** The first-order response of the whole field to the source J [D] at a site, [L+1, T, D]. */
    public Field response(Site site, double[] source) {
        checkSource(site, source);
        return SourceResponse.tangent(linearization, site, source);
    }

    /** The change of the whole field when epsilon J is added at a site, [L+1, T, D]: nonlinear, measured. */
    public Field measuredResponse(Site site, double[] source, double epsilon) {
        checkSource(site, source);
        return SourceResponse.measured(linearization, site, source, epsilon);
    }

    /** |R| u at a site, with u the unit vector along a direction [D]: a source as long as the stream is there. */
    public Source relativeSource(Site site, double[] direction) {
        return SiteSources.relative(linearization, site, direction);
    }

    /** How far first order holds for each source, in amplitudes that are multiples of it. */
    public List<LinearRegime> linearRegimes(List<Source> sources, Observable observable, RegimeGrid grid) {
        return LinearRegime.compute(linearization, resolve(observable), sources, grid, model.freeBytes());
    }

    /** How far first order holds at each site that has a direction, in amplitudes relative to the stream's norm there. */
    public RegimeMap regimeMap(SiteVectors directions, Observable observable, RegimeGrid grid) {
        return RegimeMap.compute(linearization, resolve(observable), directions, grid, model.freeBytes());
    }

    /** How the response to a source along a direction [D] at a site spreads, to first order and at relative amplitudes. */
    public SourcePropagation propagation(
            Site site, double[] direction, SourcePropagation.Settings settings, double... amplitudes) {
        return SourcePropagation.compute(linearization, site, direction, settings, amplitudes, model.freeBytes());
    }

    /** A random unit vector [D] that seed, site and number name, all directions being equally likely. */
    public double[] randomDirection(Site site, long seed, int number) {
        check(site);
        return SiteSources.random(linearization, site, seed, number);
    }

    private void checkSource(Site site, double[] source) {
        check(site);
        Batches.require(model.device(), linearization.length() - site.token(), model.freeBytes());
        if (source.length != model.config().width()) {
            throw new InputException("a source has " + source.length + " components, expected "
                    + model.config().width() + ", the width of the stream");
        }
    }

    /** Green operators from these source sites; say with {@link GreenFrom#to(Site...)} where they lead. */
    public GreenFrom green(Site... sources) {
        for (Site site : sources) {
            check(site);
        }
        return new GreenFrom(List.of(sources));
    }

    /** Green operators from these source sites in their order, such as the targets of another operator. */
    public GreenFrom green(List<Site> sources) {
        return green(sources.toArray(Site[]::new));
    }

    /**
     * This run with a source in its stream, besides those that it has. Everything that is asked of the new run is linearized around
     * that point, and its own sources come on top.
     */
    public Run with(Source source) {
        SourceEffects.check(linearization, source);
        return model.run(linearization.length(), () -> linearization.with(source));
    }

    /** The inverse problem: say what shall change, and solve for the source that does it. */
    public InferenceRequest infer() {
        return new InferenceRequest(linearization, this::resolve, model::freeBytes);
    }

    /** Tells from responses of the last depth at which site of this run their source is, among all below the last depth. */
    public SourceLocator sourceLocator() {
        return new SourceLocator(linearization, model::freeBytes);
    }

    /** Likewise among some sites. */
    public SourceLocator sourceLocator(List<Site> candidates) {
        return new SourceLocator(linearization, candidates, model::freeBytes);
    }

    /** A map of the response of every site to every site; say how with its methods, then compute it. */
    public ResponseMap.Request responseMap() {
        return new ResponseMap.Request(linearization, model::freeBytes);
    }

    /**
     * Adds this run's Jacobians to the last depth to an average over prompts.
     *
     * @throws InputException if the average skips all of this prompt's tokens, or is of another model
     */
    public void addTo(AverageJacobian average) {
        average.add(linearization, model.freeBytes());
    }

    /** Green operators whose sources are chosen and whose targets are not yet. */
    public final class GreenFrom {
        private final List<Site> sources;

        private GreenFrom(List<Site> sources) {
            this.sources = sources;
        }

        /** To every token at a whole depth, in order: the stacked operator [T D, n D]. */
        public GreenOperator to(int depth) {
            Site[] targets = new Site[linearization.length()];
            for (int t = 0; t < targets.length; t++) {
                targets[t] = Site.of(depth, t);
            }
            return to(targets);
        }

        /** To these sites, in this order. */
        public GreenOperator to(Site... targets) {
            for (Site site : targets) {
                check(site);
            }
            return new GreenOperator(linearization, sources, List.of(targets), model::freeBytes);
        }
    }

    private void check(Site site) {
        HalfDepth top = HalfDepth.ofDepth(model.config().layers());
        if (site.halfDepth().isAbove(top) || site.token() >= linearization.length()) {
            throw new InputException("site " + site + " is not in this run: expected a depth of at most " + top
                    + " and a token from 0 to " + (linearization.length() - 1));
        }
    }

    /** The observable with token ids and a position of this run. */
    private Readout.Resolved resolve(Observable f) {
        int position = f.position() == Observable.LAST ? linearization.length() - 1 : f.position();
        if (position >= linearization.length()) {
            throw new InputException("position " + position + ": the prompt has " + linearization.length()
                    + " tokens, expected 0 to " + (linearization.length() - 1));
        }
        if (f.kind() == Observable.Kind.LINEAR
                && f.weights().length != model.config().width()) {
            throw new InputException("a linear observable has " + f.weights().length + " weights, expected "
                    + model.config().width() + ", the width of the stream");
        }
        if (f.kind() == Observable.Kind.LOG_PROBABILITY) {
            model.requireUnembedding();
        }
        int answer = f.answer() == null ? -1 : model.tokenizer().single(f.answer());
        int foil = f.foil() == null ? -1 : model.tokenizer().single(f.foil());
        if (answer >= 0 && answer == foil) {
            throw new InputException("answer '" + f.answer() + "' and foil '" + f.foil() + "' are the same token (id "
                    + answer + "), so their logit difference is always 0: choose two different tokens");
        }
        return new Readout.Resolved(f.kind(), answer, foil, f.weights(), position);
    }

    @Override
    public void close() {
        linearization.close();
        model.forget(this);
    }
}
