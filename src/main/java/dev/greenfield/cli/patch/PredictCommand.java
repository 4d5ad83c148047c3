package dev.greenfield.cli.patch;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.PairSuiteOptions;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePair;
import dev.greenfield.failure.InputException;
import dev.greenfield.prediction.Component;
import dev.greenfield.prediction.InterventionKind;
import dev.greenfield.prediction.PredictionMethod;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PredictionTable;
import dev.greenfield.prediction.PromptPredictions;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.RandomStreams;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measured against predicted changes of F, for interventions of many kinds at every site, over the prompts of a suite. */
@Command(sortOptions = false)
public final class PredictCommand implements Action {
    /** Resamples of the bootstrap over prompts. */
    @Option(
            names = "--suite",
            paramLabel = "FILE",
            description = "A JSON list of prompts, each with clean, corrupt, answer and foil.",
            order = -7)
    private String suite;

    @Option(
            names = "--kinds",
            paramLabel = "LIST",
            description =
                    "noise, denoise, scaled[:SIZE], zero, mean, random[:SIZE], sensitivity[:SIZE], separated by commas."
                            + " Default: all, scaled:0.1 and scaled:0.5, other sizes 0.1.",
            order = -6)
    private String kinds;

    @Option(
            names = "--components",
            paramLabel = "LIST",
            description = "Of resid, attn, mlp, head. Default: all.",
            order = -5)
    private String components;

    @Option(
            names = "--methods",
            paramLabel = "LIST",
            description =
                    "How changes are predicted: first, the sensitivity; second, with second derivatives; path, averaged over runs between both prompts."
                            + " Default: all.",
            order = -4)
    private String methods;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Runs along the path between two prompts. Default: 8.",
            order = -3)
    private String steps;

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
        PredictionPlan plan = plan();
        int most = pairSuite.most();
        try (SuiteJob job = SuiteJob.start("predict", common, suite, terminal)) {
            List<SuitePair> pairs = job.pairs(most, plan.needsDonor());
            job.opening(pairs.stream().map(SuitePair::prompt).toList(), "taken");
            PredictionTable study = new PredictionTable();
            PredictPoints points = new PredictPoints(plan);
            job.each(pairs, (model, pair) -> compute(job, model, pair, plan), (pair, found) -> {
                study.add(found);
                points.add(pair.prompt().number(), found);
            });
            List<PredictionTable.Row> rows =
                    job.timed("intervals", () -> study.rows(new Bootstrap(Bootstrap.RESAMPLES, job.seed())));
            if (job.writes()) {
                points.addTo(job.tensors());
            }
            PredictReport report = new PredictReport(job, plan, pairs, rows, points);
            report.addResults();
            report.print();
            if (job.writes()) {
                job.report(report.page());
            }
            job.finish();
        }
    }

    private static PromptPredictions compute(SuiteJob job, Model model, SuitePair pair, PredictionPlan plan) {
        // Every prompt has random directions of its own.
        PredictionPlan own =
                plan.seed(RandomStreams.prompt(plan.seed(), pair.prompt().number()));
        try (Run run = job.timed("run", () -> model.run(pair.prompt().tokens()));
                Run donor = pair.corrupt() == null ? null : job.timed("run", () -> model.run(pair.corrupt()))) {
            return job.timed("predict", () -> run.predictions(donor, pair.observable(), own));
        }
    }

    private PredictionPlan plan() {
        PredictionPlan all = PredictionPlan.defaults();
        List<InterventionKind> chosenKinds = list("--kinds", kinds, InterventionKind::parse, all.kinds());
        List<Component> chosenComponents = list("--components", components, Component::of, all.components());
        List<PredictionMethod> chosenMethods = list("--methods", methods, PredictionMethod::of, all.methods());
        if (chosenMethods.stream().noneMatch(m -> chosenKinds.stream().anyMatch(m::predicts))) {
            throw new InputException("--methods " + Quantities.quoted(methods) + ": says nothing about "
                    + chosenKinds.stream().map(InterventionKind::label).collect(Collectors.joining(", "))
                    + ", which has no other prompt to lead to; add first");
        }
        int path = steps == null
                ? PredictionPlan.STEPS
                : Quantities.atLeast("--steps", steps, 1, "a number of runs along the path, at least 1");
        return new PredictionPlan(chosenKinds, chosenComponents, chosenMethods, path, common.randomSeed());
    }

    private static <T> List<T> list(String option, String text, Function<String, T> read, List<T> otherwise) {
        if (text == null) {
            return otherwise;
        }
        List<T> values = new ArrayList<>();
        for (String part : Arrays.stream(text.split(",", -1)).map(String::strip).toList()) {
            try {
                T value = read.apply(part);
                if (values.contains(value)) {
                    throw new InputException("found " + Quantities.quoted(part) + " twice, expected each once");
                }
                values.add(value);
            } catch (InputException wrong) {
                throw new InputException(option + ": " + wrong.getMessage(), wrong);
            }
        }
        return values;
    }
}
