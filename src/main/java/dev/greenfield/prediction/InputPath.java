package dev.greenfield.prediction;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SensitivityField;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Sensitivities averaged along the straight line between the embeddings of two prompts, as edge attribution patching with integrated
 * gradients (EAP-IG) uses them: Hanna, Pezzelle and Belinkov, Have Faith in Faithfulness, 2024, after Sundararajan, Taly and Yan,
 * Axiomatic Attribution for Deep Networks, 2017.
 *
 * <p>With x_A and x_B the streams of both runs at depth 0 and S(x) the sensitivity field of the run whose stream there is x, the mean
 * is over S(x_A + a (x_B - x_A)) at the midpoints a = (i + 1/2) / n, i = 0 to n - 1. At depth 0, and over all tokens together, its product
 * with x_B - x_A tends to F(B) - F(A) as n grows, at second order in 1/n. At other sites it does not tend to the effect of a patch.
 */
public final class InputPath {
    /** The part of the work on a point of the path that its run is; the rest is the adjoint sweep. */
    private static final double RUN_SHARE = 0.5;

    private InputPath() {}

    /**
     * The mean of n sensitivity fields.
     *
     * @param run A, where the path begins; the value of the result is F of it
     * @param donor B, towards which it leads
     * @param fraction how far it goes: 1 all the way, 0.1 a tenth of it
     * @param steps n, at least 1
     * @throws InputException if the runs do not fit each other, or there is no step
     */
    public static SensitivityField mean(Scope run, Scope donor, Observable f, double fraction, int steps) {
        run.requireAlike(donor, "a patch");
        if (steps < 1) {
            throw new InputException("found " + steps + " steps of the path, expected at least 1");
        }
        long left = run.freeBytes() - Linearization.bytes(run.model(), run.length());
        Batches.require(run.model(), run.length(), Math.max(0, left));
        int perDepth = HostMemory.elements(
                "the averaged sensitivity", run.length(), run.config().width());
        Source way = way(run, donor);
        double[] whole =
                HostMemory.doubles("the averaged sensitivity", run.config().layers() + 1, perDepth);
        double[] middle =
                HostMemory.doubles("the averaged sensitivity", run.config().layers(), perDepth);
        Task.run("path sensitivity", "runs", steps, task -> {
            for (int i = 0; i < steps; i++) {
                double part = fraction * (i + 0.5) / steps;
                try (Scope at = run.with(way.times(part))) { // no part of the task: a run that it gave could be lost
                    task.to(i + RUN_SHARE);
                    SensitivityField s = task.call(1 - RUN_SHARE, () -> SensitivityField.compute(at, f));
                    add(whole, s.field(), steps);
                    add(middle, s.middleField(), steps);
                }
            }
        });
        int layers = run.config().layers();
        int width = run.config().width();
        return new SensitivityField(
                run.value(f),
                Field.wrap(layers + 1, run.length(), width, whole),
                Field.wrap(layers, run.length(), width, middle));
    }

    /** x_B - x_A at all tokens. */
    private static Source way(Scope run, Scope donor) {
        Field displacement = donor.run().field().minus(run.run().field());
        Map<Site, double[]> vectors = new LinkedHashMap<>();
        for (int t = 0; t < run.length(); t++) {
            vectors.put(Site.of(0, t), displacement.vector(0, t));
        }
        return Source.of(vectors);
    }

    private static void add(double[] sum, Field field, int steps) {
        double[] values = field.toArray();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += values[i] / steps;
        }
    }
}
