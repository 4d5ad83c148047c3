package dev.greenfield;

import dev.greenfield.backend.BufferLedger;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.propagation.SourcePropagation;
import dev.greenfield.regime.RegimeGrid;
import dev.greenfield.response.SiteVectors;
import dev.greenfield.response.SweepMode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Every question of a run that may take more than a second on a large model, as a small one is asked. */
final class LongCalls {
    static final String SMALL = "random:3,2,16,40,16,seed=1";
    static final int[] TOKENS = {1, 2, 3, 4, 5, 6};
    static final int[] DONOR = {1, 2, 9, 4, 5, 6};
    static final Observable ANSWER = Observable.logitDifference("#7", "#8");

    private LongCalls() {}

    /** Buffers but those of the maps that a run keeps for what is asked of it next. */
    static int opened(Model model) {
        BufferLedger ledger = model.backend().backend().ledger();
        Matcher kept = Pattern.compile("kept MLP of a token x(\\d+)").matcher(ledger.describeOpen());
        return ledger.openCount() - (kept.find() ? Integer.parseInt(kept.group(1)) : 0);
    }

    /** By name; each takes a run of {@link #TOKENS}. */
    static Map<String, Consumer<Run>> all() {
        Map<String, Consumer<Run>> calls = new LinkedHashMap<>();
        double[] along = new double[16];
        along[3] = 1;
        Source source = Source.of(Site.of(1, 1), along);
        calls.put("map", run -> run.responseMap().exact().compute());
        calls.put(
                "adjoint map",
                run -> run.responseMap().exact().mode(SweepMode.ADJOINT).compute());
        calls.put("spectra", run -> run.responseMap().spectra(2));
        calls.put("patch sweep", run -> withDonor(run, donor -> run.patchSweep(donor, ANSWER)));
        calls.put("second order", run -> withDonor(run, donor -> run.withSecondOrder(run.patchSweep(donor, ANSWER))));
        calls.put("sensitivity", run -> run.sensitivity(ANSWER));
        calls.put("path sensitivity", run -> withDonor(run, donor -> run.pathSensitivity(donor, ANSWER, 5)));
        calls.put(
                "predictions",
                run -> withDonor(run, donor -> run.predictions(donor, ANSWER, PredictionPlan.defaults())));
        calls.put("svd", run -> run.green(Site.of(0, 0), Site.of(0, 1)).to(3).svd(3));
        calls.put("spectral norm", run -> run.green(Site.of(0, 0)).to(3).spectralNorm());
        calls.put("materialized", run -> run.green(Site.of(0, 0)).to(3).materialize());
        calls.put("regimes", run -> run.linearRegimes(List.of(source), ANSWER, RegimeGrid.standard()));
        calls.put(
                "regime map",
                run -> run.regimeMap(SiteVectors.of(run.sensitivity(ANSWER).field()), ANSWER, RegimeGrid.standard()));
        calls.put(
                "propagation", run -> run.propagation(Site.of(1, 1), along, SourcePropagation.Settings.seeded(1), 0.1));
        calls.put("inference", run -> run.infer().change(ANSWER, 0.5).solve());
        calls.put(
                "sparse inference",
                run -> run.infer().change(ANSWER, 0.5).sparse(2).solve());
        calls.put("source locator", Run::sourceLocator);
        calls.put(
                "transfer",
                run -> withDonor(run, donor -> run.transfer(donor, ANSWER).curves(new double[] {0.5, 1}, 2)));
        calls.put("run with a source", run -> run.with(source).close());
        return calls;
    }

    /** The donor is made within the call, so that it too must be gone when the call is given up. */
    private static void withDonor(Run run, Consumer<Run> call) {
        try (Run donor = run.another(DONOR)) {
            call.accept(donor);
        }
    }
}
