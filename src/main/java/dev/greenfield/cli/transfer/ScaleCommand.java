package dev.greenfield.cli.transfer;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.SharedTokens;
import dev.greenfield.cli.job.SuiteHalves;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePair;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.safetensors.SafetensorsWriter;
import dev.greenfield.statistics.RandomStreams;
import dev.greenfield.transfer.DirectionTransfer;
import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.ResidualMaps;
import dev.greenfield.transfer.ScaleComparison;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Two models that share a tokenizer, on the pairs of prompts of a suite. */
@Command(sortOptions = false)
public final class ScaleCommand implements Action {
    private static final String UNTRAINED = "untrained";
    private static final int DEFAULT_TOP = 3;
    private static final int DEFAULT_PROBES = 16;
    private static final double DEFAULT_RIDGE = 1e-4;

    @Option(
            names = "--model-b",
            paramLabel = "MODEL",
            description = "The other model: a directory, or whatever --model takes. untrained: --model with random"
                    + " weights, as a control.",
            order = -5)
    private String modelB;

    @Option(
            names = "--suite",
            paramLabel = "FILE",
            description = "A JSON list of pairs of prompts with clean, corrupt, answer and foil.",
            order = -4)
    private String suite;

    @Option(
            names = "--top",
            paramLabel = "N",
            description = "How many leading sites of the first model to try in the other. Default: 3.",
            order = -3)
    private String top;

    @Option(
            names = "--probes",
            paramLabel = "K",
            description = "Random directions a site for the response maps. Default: 16.",
            order = -2)
    private String probes;

    @Option(
            names = "--ridge",
            paramLabel = "X",
            description = "Penalty of the affine maps between the residual streams, relative to the variance of a"
                    + " component. Default: 0.0001.",
            order = -1)
    private String ridge;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    private int topSites = DEFAULT_TOP;
    private int directions = DEFAULT_PROBES;
    private double penalty = DEFAULT_RIDGE;

    @Override
    public GeneralOptions general() {
        return common.general;
    }

    private void check() {
        if (modelB == null) {
            throw new InputException("no second model: give --model-b DIR");
        }
        if (suite == null) {
            throw new InputException("no prompts: give --suite FILE, a JSON list of pairs of prompts");
        }
        if (top != null) {
            topSites = Quantities.atLeast("--top", top, 1, "a number of sites, at least 1");
        }
        if (probes != null) {
            directions = Quantities.atLeast("--probes", probes, 2, "a number of directions, at least 2");
        }
        if (ridge != null) {
            double[] given = Quantities.numbers("--ridge", ridge, "a number above 0");
            if (given.length != 1 || given[0] <= 0) {
                throw new InputException("--ridge " + Quantities.quoted(ridge) + ": expected a number above 0");
            }
            penalty = given[0];
        }
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        check();
        try (SuiteJob job = SuiteJob.start("scale", common, suite, terminal);
                Model other = other(job)) {
            SharedTokens.require(job.model(), other);
            List<SuitePair> pairs = job.pairs();
            SharedTokens.require(other, pairs);
            SuiteHalves halves = SuiteHalves.of(pairs, job.seed());
            ScaleFigures figures = new ScaleFigures(job, other, modelB, halves);
            figures.opening();
            if (job.writes()) {
                try (SafetensorsWriter file = job.stream(builder -> figures.declare(builder, pairs))) {
                    work(job, other, pairs, halves, figures, file);
                    file.commit();
                }
            } else {
                work(job, other, pairs, halves, figures, null);
            }
            job.result("prompts", job.fields(pairs));
            figures.show(topSites, directions, penalty);
            job.finish();
        }
    }

    private Model other(SuiteJob job) throws IOException {
        return modelB.equals(UNTRAINED) ? job.model().untrained(job.seed()) : job.secondModel(modelB);
    }

    /** A pair's four runs on one device, which are open while it is worked on. */
    private record Runs(Run cleanA, Run corruptA, Run cleanB, Run corruptB, SuitePair pair) implements AutoCloseable {
        static Runs of(SuiteJob job, Model a, Model other, SuitePair pair) {
            // The devices of both models are those of the job.
            Model b = other.onDevices().get(job.model().onDevices().indexOf(a));
            return job.timed(
                    "run",
                    () -> new Runs(
                            a.run(pair.prompt().tokens()),
                            a.run(pair.corrupt()),
                            b.run(pair.prompt().tokens()),
                            b.run(pair.corrupt()),
                            pair));
        }

        DisplacementTransfer a() {
            return cleanA.transfer(corruptA, pair.observable());
        }

        DisplacementTransfer b() {
            return cleanB.transfer(corruptB, pair.observable());
        }

        @Override
        public void close() {
            for (Run run : List.of(cleanA, corruptA, cleanB, corruptB)) {
                run.close();
            }
        }
    }

    private void work(
            SuiteJob job,
            Model other,
            List<SuitePair> pairs,
            SuiteHalves halves,
            ScaleFigures figures,
            SafetensorsWriter file)
            throws IOException {
        List<Field> fieldsA = new ArrayList<>();
        List<Field> fieldsB = new ArrayList<>();
        job.each(pairs, (model, pair) -> compare(job, model, other, pair, halves), (pair, compared) -> {
            ScaleComparison comparison = compared.comparison();
            figures.add(pair, comparison);
            if (file != null) {
                file.write(flat(comparison.sensitivityA()));
                file.write(flat(comparison.sensitivityB()));
                file.write(comparison.mapA());
                file.write(comparison.mapB());
            }
            fieldsA.addAll(compared.fieldsA());
            fieldsB.addAll(compared.fieldsB());
        });
        if (fieldsA.size() < 2) {
            throw new InputException(
                    "--suite " + Quantities.quoted(suite) + ": " + fieldsA.size() + " prompts of the half"
                            + " that maps are fitted on are not in the other half, expected 2 or more: add other prompts");
        }
        job.terminal().progress("affine maps from the residuals of " + fieldsA.size() + " prompts");
        ResidualMaps maps = job.timed("fit", () -> ResidualMaps.fit(fieldsA, fieldsB, penalty));
        ResidualMaps control = job.timed("fit", () -> ResidualMaps.shuffled(fieldsA, fieldsB, penalty, job.seed()));
        figures.fitted(fieldsA.size());
        job.each(
                halves.judged(),
                (model, pair) -> {
                    try (Runs runs = Runs.of(job, model, other, pair)) {
                        return job.timed("carry", () -> DirectionTransfer.of(runs.a(), runs.b(), maps, control));
                    }
                },
                (pair, transfer) -> figures.add(transfer));
        if (file != null) {
            figures.write(file);
        }
    }

    /** What one pair gives: both models compared, and the residuals of its prompts that maps are fitted on. */
    private record Compared(ScaleComparison comparison, List<Field> fieldsA, List<Field> fieldsB) {
        void keep(Run a, Run b) {
            fieldsA.add(a.field());
            fieldsB.add(b.field());
        }
    }

    private Compared compare(SuiteJob job, Model model, Model other, SuitePair pair, SuiteHalves halves) {
        try (Runs runs = Runs.of(job, model, other, pair)) {
            long seed = RandomStreams.prompt(job.seed(), pair.prompt().number());
            ScaleComparison comparison = job.timed(
                    "compare",
                    () -> ScaleComparison.of(
                            runs.a(), runs.b(), map(runs.cleanA(), seed), map(runs.cleanB(), seed), topSites, seed));
            Compared compared = new Compared(comparison, new ArrayList<>(), new ArrayList<>());
            if (halves.fits(pair)) {
                halves.keep(pair.prompt().tokens(), () -> compared.keep(runs.cleanA(), runs.cleanB()));
                halves.keep(pair.corrupt(), () -> compared.keep(runs.corruptA(), runs.corruptB()));
            }
            return compared;
        }
    }

    /** On one device: the pairs are what devices share. */
    private ResponseMap map(Run run, long seed) {
        return run.responseMap().probes(directions).seed(seed).onOneDevice().compute();
    }

    private static double[] flat(double[][] values) {
        double[] flat = new double[values.length * values[0].length];
        for (int i = 0; i < values.length; i++) {
            System.arraycopy(values[i], 0, flat, i * values[0].length, values[0].length);
        }
        return flat;
    }
}
