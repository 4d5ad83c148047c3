package dev.greenfield.cli.study;

import dev.greenfield.BackendChoice;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.PairSuiteOptions;
import dev.greenfield.cli.job.SharedTokens;
import dev.greenfield.cli.job.SuiteHalves;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePair;
import dev.greenfield.failure.InputException;
import dev.greenfield.study.PromptPair;
import dev.greenfield.study.Study;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Every claim of the theory on the pairs of prompts of a suite, in a directory that the work can be taken up in again. */
@Command(sortOptions = false)
public final class StudyCommand implements Action {
    /** As many pairs as maps between two models need: half of them to fit on, half to judge by. */
    private static final int LEAST_FOR_HALVES = 4;

    @Option(
            names = "--suite",
            paramLabel = "FILE",
            description = "A JSON list of pairs of prompts with clean, corrupt, answer and foil, perhaps task and"
                    + " differs_at_token.",
            order = -3)
    private String suite;

    @Option(
            names = "--model-b",
            paramLabel = "MODEL",
            description = "A second model with the same tokens to compare with: whatever --model takes.",
            order = -2)
    private String modelB;

    @Mixin
    private final PairSuiteOptions pairSuite = new PairSuiteOptions();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        PairSuiteOptions.check(suite, common);
        int most = pairSuite.most();
        if (common.out == null) {
            throw new InputException(
                    "no directory: give --out DIR, where the study keeps what is done and writes" + " what it finds");
        }
        try (SuiteJob job = SuiteJob.start("study", common, suite, terminal)) {
            List<SuitePair> pairs = job.pairs(most, true);
            job.opening(pairs.stream().map(SuitePair::prompt).toList(), "taken");
            if (modelB == null) {
                study(job, null, pairs);
            } else {
                try (Model other = job.secondModel(modelB)) {
                    SharedTokens.require(job.model(), other);
                    SharedTokens.require(other, pairs);
                    study(job, other, pairs);
                }
            }
        }
    }

    private void study(SuiteJob job, Model other, List<SuitePair> pairs) throws IOException {
        List<PromptPair> prompts = pairs.stream()
                .map(pair -> new PromptPair(
                        pair.prompt().number(),
                        pair.prompt().tokens(),
                        pair.corrupt(),
                        pair.observable(),
                        pair.task(),
                        pair.differs()))
                .toList();
        Study study = new Study(
                job.model(),
                other,
                prompts,
                other == null || pairs.size() < LEAST_FOR_HALVES ? null : split(pairs, job.seed()),
                job.seed());
        Map<String, String> facts = facts(job, other, pairs.size());
        Path directory = job.workingDirectory();
        Study.Outcome outcome = job.timed("study", new StudyProgress(job.terminal()), () -> {
            try {
                return study.run(directory, facts);
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        });
        new StudyReport(job, outcome, pairs, modelB, other).write();
        job.withoutTensors();
        job.finish();
    }

    /** All that the numbers depend on. */
    private Map<String, String> facts(SuiteJob job, Model other, int prompts) throws IOException {
        BackendChoice backend = job.model().backend();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("version", Greenfield.version());
        facts.put("model_sha256", job.digest());
        facts.put("model_config", job.model().config().toString());
        facts.put("model_b_sha256", other == null ? "none" : other.source().sha256());
        facts.put("suite_sha256", job.suiteDigest());
        facts.put("prompts", Integer.toString(prompts));
        facts.put("backend", backend.name());
        facts.put("device", backend.device());
        facts.put("precision", backend.precision().label());
        facts.put("seed", Long.toString(job.seed()));
        return facts;
    }

    private static Study.Split split(List<SuitePair> pairs, long seed) {
        SuiteHalves halves = SuiteHalves.of(pairs, seed);
        List<int[]> fitted = new ArrayList<>();
        for (SuitePair pair : pairs) {
            if (halves.fits(pair)) {
                halves.keep(
                        pair.prompt().tokens(), () -> fitted.add(pair.prompt().tokens()));
                halves.keep(pair.corrupt(), () -> fitted.add(pair.corrupt()));
            }
        }
        return new Study.Split(
                fitted,
                halves.judged().stream().map(pair -> pair.prompt().number()).toList());
    }
}
