package dev.greenfield;

import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.green.GreenFrom;
import dev.greenfield.inverse.InferenceRequest;
import dev.greenfield.inverse.SourceLocator;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.lens.DirectionDecoder;
import dev.greenfield.lens.LensRequest;
import dev.greenfield.map.MapRequest;
import dev.greenfield.model.Tokenizer;
import dev.greenfield.prediction.ComponentOutputs;
import dev.greenfield.prediction.InputPath;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PromptPredictions;
import dev.greenfield.propagation.SourcePropagation;
import dev.greenfield.regime.LinearRegime;
import dev.greenfield.regime.RegimeGrid;
import dev.greenfield.regime.RegimeMap;
import dev.greenfield.regime.RegimeSearch;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SecondOrder;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SiteSources;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.response.SourceEffects;
import dev.greenfield.response.SourceResponse;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.transfer.DisplacementTransfer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * One forward pass of a model, linearized once, and every question that can be asked of it. Any number of threads may ask at the same
 * time, see {@link Model}; close it when none does.
 *
 * <p>Every question that takes long is given up when its thread is interrupted or its {@link dev.greenfield.failure.Cancellation} is
 * cancelled: it throws {@link dev.greenfield.failure.CancelledException}, and the run can be asked again. It says how far it is to
 * whoever {@linkplain dev.greenfield.failure.Progress#watched watches} it.
 */
public final class Run implements AutoCloseable {
    private final Scope scope;
    private final OpenRuns siblings; // of the same model, this one among them

    Run(Scope scope, OpenRuns siblings) {
        this.scope = scope;
        this.siblings = siblings;
    }

    Scope scope() {
        return scope;
    }

    /**
     * A run of the same model on other tokens, such as a donor.
     *
     * @throws InputException if there are none, too many, or some that the model does not have
     */
    public Run another(int... tokens) {
        scope.model().config().checkTokens(Objects.requireNonNull(tokens, "tokens"));
        return new Run(siblings.add(tokens.length, () -> new Linearization(scope.model(), tokens)), siblings);
    }

    /** The token ids, [T]. */
    public int[] tokens() {
        return scope.run().tokens();
    }

    /** What each token reads, [T]. */
    public List<String> tokenText() {
        Tokenizer tokenizer = scope.tokenizer();
        List<String> texts = new ArrayList<>();
        for (int token : scope.run().tokens()) {
            texts.add(tokenizer.text(token));
        }
        return texts;
    }

    /** The residual stream at whole depths, [L+1, T, D]. */
    public Field field() {
        return scope.run().field();
    }

    /**
     * The residual stream in the middle of each block ({@code resid_mid}), [L, T, D].
     *
     * @throws dev.greenfield.failure.InputException if the blocks of this model have no state there
     */
    public Field middleField() {
        scope.config().requireMiddles("the middle of blocks");
        return scope.run().middleField();
    }

    /**
     * The attention probabilities of a block, [H, T, T] in the order head, query token, key token: the model's own scale, window, soft
     * cap and positions included. Rows sum to 1; what a query does not see is exactly zero.
     *
     * @param block 0 to L - 1
     * @throws InputException if there is no such block
     * @throws dev.greenfield.failure.MemoryBudgetException if one array cannot hold them
     */
    public double[] attention(int block) {
        int layers = scope.config().layers();
        if (block < 0 || block >= layers) {
            throw new InputException("found block " + block + ", expected 0 to " + (layers - 1));
        }
        return scope.run().attention(block);
    }

    /** The logits, [T, V], in the order position, token. */
    public double[] logits() {
        return scope.logits();
    }

    /**
     * The logits at one position, [V]: without computing those of the others.
     *
     * @throws InputException if there is no such position
     */
    public double[] logits(int position) {
        if (position < 0 || position >= scope.length()) {
            throw new InputException(
                    "found position " + position + ", expected a token of the run, 0 to " + (scope.length() - 1));
        }
        return scope.run().logits(position);
    }

    /**
     * F of this run.
     *
     * @throws InputException if its tokens are not single tokens of the model, or its position is not in the run
     */
    public double value(Observable observable) {
        return scope.value(observable);
    }

    /** The sensitivity of F to every site, from one adjoint sweep. */
    public SensitivityField sensitivity(Observable observable) {
        scope.requireSweep(scope.position(observable) + 1);
        return SensitivityField.compute(scope, observable);
    }

    /**
     * What patching each site of this run with the donor's residual does to F, measured and predicted.
     *
     * @throws InputException if the donor has another number of tokens or is of another model
     */
    public PatchSweep patchSweep(Run donor, Observable observable) {
        Objects.requireNonNull(donor, "donor");
        return PatchSweep.compute(scope, donor.scope, observable);
    }

    /**
     * A patch sweep of this run with {@link PatchSweep#secondOrder()}.
     *
     * @throws InputException if it is another run's
     */
    public PatchSweep withSecondOrder(PatchSweep sweep) {
        Objects.requireNonNull(sweep, "sweep");
        return sweep.withSecondOrder(scope);
    }

    /**
     * The displacement from this run to the donor's, to be put in at sites, depths, tokens and in part. It reads this run for as
     * long as it is used.
     *
     * @throws InputException if the donor has another number of tokens or is of another model
     */
    public DisplacementTransfer transfer(Run donor, Observable observable) {
        Objects.requireNonNull(donor, "donor");
        return new DisplacementTransfer(scope, donor.scope, observable);
    }

    /**
     * The change of F by each source, added to the stream at its sites: nonlinear, measured.
     *
     * @return [sources]; exactly 0 where F cannot see the source
     */
    public double[] effects(List<Source> sources, Observable observable) {
        Objects.requireNonNull(sources, "sources");
        return SourceEffects.added(scope, observable, sources);
    }

    /** Likewise when the stream at each of a source's sites is replaced by the vector there, such as a donor's residual. */
    public double[] replacementEffects(List<Source> sources, Observable observable) {
        Objects.requireNonNull(sources, "sources");
        return SourceEffects.replaced(scope, observable, sources);
    }

    /** What each component of this run writes to the stream: interventions on them are made of it. */
    public ComponentOutputs components() {
        return new ComponentOutputs(scope);
    }

    /**
     * The sensitivity of F averaged over n runs between this one and a donor, whose embeddings are interpolated: what
     * path-integrated predictions (EAP-IG) use in place of {@link #sensitivity}.
     *
     * @param steps n, at least 1
     * @throws InputException if the donor has another number of tokens or is of another model
     */
    public SensitivityField pathSensitivity(Run donor, Observable observable, int steps) {
        Objects.requireNonNull(donor, "donor");
        return InputPath.mean(scope, donor.scope, observable, 1, steps);
    }

    /**
     * Measured and predicted changes of F for whole sets of interventions on this prompt.
     *
     * @param donor the run whose activations are put in, and that is patched with this run's by {@code denoise}; null where no
     *     kind of the plan needs one
     * @throws InputException if the donor does not fit, or is missing
     */
    public PromptPredictions predictions(Run donor, Observable observable, PredictionPlan plan) {
        Objects.requireNonNull(plan, "plan");
        return PromptPredictions.compute(scope, donor == null ? null : donor.scope, observable, plan);
    }

    /** The exact first and second derivatives of F along each source; see {@link SecondOrder}. */
    public SecondOrder secondOrder(List<Source> sources, Observable observable) {
        Objects.requireNonNull(sources, "sources");
        return SecondOrder.compute(scope, observable, sources);
    }

    /** The first-order response of the whole field to the source J [D] at a site, [L+1, T, D]. */
    public Field response(Site site, double[] source) {
        scope.checkSource(site, source);
        return SourceResponse.tangent(scope, site, source);
    }

    /** The change of the whole field when epsilon J is added at a site, [L+1, T, D]: nonlinear, measured. */
    public Field measuredResponse(Site site, double[] source, double epsilon) {
        scope.checkSource(site, source);
        return SourceResponse.measured(scope, site, source, epsilon);
    }

    /** |R| u at a site, with u the unit vector along a direction [D]: a source as long as the stream is there. */
    public Source relativeSource(Site site, double[] direction) {
        Objects.requireNonNull(site, "site");
        Objects.requireNonNull(direction, "direction");
        return SiteSources.relative(scope, site, direction);
    }

    /** How far first order holds for each source, in amplitudes that are multiples of it. */
    public List<LinearRegime> linearRegimes(List<Source> sources, Observable observable, RegimeGrid grid) {
        Objects.requireNonNull(sources, "sources");
        Objects.requireNonNull(grid, "grid");
        return RegimeSearch.compute(scope, observable, sources, grid);
    }

    /** How far first order holds at each site that has a direction, in amplitudes relative to the stream's norm there. */
    public RegimeMap regimeMap(SiteVectors directions, Observable observable, RegimeGrid grid) {
        Objects.requireNonNull(directions, "directions");
        Objects.requireNonNull(grid, "grid");
        return RegimeMap.compute(scope, observable, directions, grid);
    }

    /** How the response to a source along a direction [D] at a site spreads, to first order and at relative amplitudes. */
    public SourcePropagation propagation(
            Site site, double[] direction, SourcePropagation.Settings settings, double... amplitudes) {
        Objects.requireNonNull(site, "site");
        Objects.requireNonNull(direction, "direction");
        Objects.requireNonNull(settings, "settings");
        Objects.requireNonNull(amplitudes, "amplitudes");
        return SourcePropagation.compute(scope, site, direction, settings, amplitudes);
    }

    /** A random unit vector [D] that seed, site and number name, all directions being equally likely. */
    public double[] randomDirection(Site site, long seed, int number) {
        scope.check(site);
        return SiteSources.random(scope, site, seed, Purpose.SOURCE, number);
    }

    /**
     * Writes a page for people: how sensitive F is to every site, and the response map of all sites.
     *
     * @param file the page, HTML that needs no other file; replaced if it is there, and written whole or not at all
     * @throws java.io.IOException if it cannot be written
     */
    public void report(Path file, Observable observable) throws IOException {
        Objects.requireNonNull(file, "file");
        new RunReport(scope, tokenText(), Objects.requireNonNull(observable, "observable")).write(file);
    }

    /** Likewise with the response map alone. */
    public void report(Path file) throws IOException {
        Objects.requireNonNull(file, "file");
        new RunReport(scope, tokenText(), null).write(file);
    }

    /** Green operators from these source sites; say with {@link GreenFrom#to(Site...)} where they lead. */
    public GreenFrom green(Site... sources) {
        Objects.requireNonNull(sources, "sources");
        return green(List.of(sources));
    }

    /** Green operators from these source sites in their order, such as the targets of another operator. */
    public GreenFrom green(List<Site> sources) {
        Objects.requireNonNull(sources, "sources");
        return new GreenFrom(scope, sources);
    }

    /**
     * This run with a source in its stream, besides those that it has. Everything that is asked of the new run is linearized around
     * that point, and its own sources come on top.
     */
    public Run with(Source source) {
        Objects.requireNonNull(source, "source");
        scope.check(source);
        return new Run(siblings.add(scope.length(), () -> scope.run().with(source)), siblings);
    }

    /** The inverse problem: say what shall change, and solve for the source that does it. */
    public InferenceRequest infer() {
        return new InferenceRequest(scope);
    }

    /** Tells from responses of the last depth at which site of this run their source is, among all below the last depth. */
    public SourceLocator sourceLocator() {
        return new SourceLocator(scope);
    }

    /** Likewise among some sites. */
    public SourceLocator sourceLocator(List<Site> candidates) {
        Objects.requireNonNull(candidates, "candidates");
        return new SourceLocator(scope, candidates);
    }

    /** The tokens that the logit lens and the Jacobian lens read at every site; say how with its methods, then compute it. */
    public LensRequest lens() {
        return new LensRequest(scope);
    }

    /**
     * Says which tokens directions of this run's stream write and read.
     *
     * @param count how many tokens at each end, at least 1
     */
    public DirectionDecoder decoder(int count) {
        return new DirectionDecoder(scope, count);
    }

    /** A map of the response of every site to every site; say how with its methods, then compute it. */
    public MapRequest responseMap() {
        return new MapRequest(scope, siblings.copies(scope));
    }

    /**
     * Adds this run's Jacobians to the last depth to an average over prompts.
     *
     * @throws InputException if the average skips all of this prompt's tokens, or is of another model
     */
    public void addTo(AverageJacobian average) {
        Objects.requireNonNull(average, "average");
        average.add(scope);
    }

    @Override
    public void close() {
        siblings.close(scope);
    }

    @Override
    public String toString() {
        return "run of " + scope.length() + (scope.length() == 1 ? " token" : " tokens") + " on the model "
                + scope.model().source().spec() + ", " + scope.model().backend().name() + " backend";
    }
}
