package dev.greenfield.cli.job;

import dev.greenfield.Model;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import dev.greenfield.propagation.MapMeasures;
import dev.greenfield.propagation.Propagation;
import picocli.CommandLine.Option;

/** Options of commands that measure how responses propagate. */
public final class MeasureOptions {
    @Option(
            names = "--control",
            description = "The same for the model's configuration with random weights (from --seed), to compare with.",
            order = -1)
    private boolean control;

    @Option(
            names = "--front",
            paramLabel = "FRACTION",
            description = "The part of a source's largest response that counts as reached. Default: 0.01.",
            order = -1)
    private String front;

    /** Refuses what can be seen to be wrong without a model. */
    public void check() {
        fraction();
    }

    /**
     * Refuses a control that would be the model itself, before anything long is begun.
     *
     * @throws InputException if the model is the random initialization of this seed
     */
    public void check(Model model, long seed) {
        if (control) {
            model.source().untrained(seed).close();
        }
    }

    /** Refuses to be asked of every prompt of a suite. */
    public void refuseSuite() {
        if (control || front != null) {
            throw new InputException("both --suite and " + (control ? "--control" : "--front")
                    + " are given: that is of one prompt, give --prompt instead of --suite");
        }
    }

    /** Says what they came to. */
    public void options(ModelJob job) {
        job.option("control", control);
        job.option("front", fraction());
    }

    /** Whether an untrained model is wanted too. */
    public boolean control() {
        return control;
    }

    public MapMeasures.Settings settings(long seed) {
        return MapMeasures.Settings.seeded(seed).front(fraction());
    }

    private double fraction() {
        if (front == null) {
            return Propagation.DEFAULT_FRONT;
        }
        String expected =
                "--front " + Quantities.quoted(front) + ": expected a number above 0 and at most 1, such as 0.01";
        try {
            double fraction = Double.parseDouble(front.strip());
            if (fraction > 0 && fraction <= 1) {
                return fraction;
            }
        } catch (NumberFormatException wrong) {
            throw new InputException(expected, wrong);
        }
        throw new InputException(expected);
    }
}
