package dev.greenfield.study;

import dev.greenfield.failure.InputException;
import dev.greenfield.transfer.DirectionTransfer;
import dev.greenfield.transfer.ResidualMaps;
import java.util.Arrays;

/** Two models: displacements of the first carried to the second by affine maps that were fitted on other prompts. */
final class DirectionPart implements StudyPart {
    static final double RIDGE = 1e-4;

    private final ResidualMaps maps;
    private final ResidualMaps control;

    /** @param maps fitted on prompts that it is not asked about; null where it only sums up */
    DirectionPart(ResidualMaps maps, ResidualMaps control) {
        this.maps = maps;
        this.control = control;
    }

    @Override
    public String name() {
        return "directions";
    }

    @Override
    public Claim claim() {
        return Claim.SCALE;
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        if (runs.other().transfer().fullChange() == 0) {
            throw new InputException("F is the same on both prompts in the second model");
        }
        DirectionTransfer carried =
                DirectionTransfer.of(runs.transfer(), runs.other().transfer(), maps, control);
        rows("cosine", carried.cosine(), into);
        rows("cosine.control", carried.controlCosine(), into);
        rows("slice", carried.slice(), into);
        rows("slice.control", carried.controlSlice(), into);
        rows("site", carried.site(), into);
        rows("site.own", carried.ownSite(), into);
        rows("site.control", carried.controlSite(), into);
    }

    private static void rows(String name, double[] values, Measures into) {
        into.put("direction." + name + ".by_depth", values);
        // Depth 0 and the last one are left out: there tokens alone and the readout alone say what a direction does.
        double[] inner = values.length > 2 ? Arrays.copyOfRange(values, 1, values.length - 1) : values;
        into.put("direction." + name, Arrays.stream(inner).average().orElse(Double.NaN));
    }

    @Override
    public void findings(Findings findings) {
        findings.mean(
                "direction.cosine",
                Finding.Expectation.above(0.5),
                "Cosine between the carried displacement and the second model's own, mean over inner depths.");
        findings.difference(
                "direction.cosine.minus_control",
                "direction.cosine",
                "direction.cosine.control",
                Finding.Expectation.above(0),
                "By how much it exceeds that of maps fitted on shuffled pairs of prompts.");
        findings.mean(
                "direction.slice",
                Finding.Expectation.above(0.5),
                "Fraction of the second model's change achieved by the carried displacement of a whole inner depth.");
        findings.difference(
                "direction.slice.minus_control",
                "direction.slice",
                "direction.slice.control",
                Finding.Expectation.above(0),
                "By how much it exceeds the control of equal length.");
        findings.mean(
                "direction.site",
                Finding.Expectation.NONE,
                "Fraction achieved by the carried displacement at the one token that the first model puts first.");
        findings.mean(
                "direction.site.own", Finding.Expectation.NONE, "What the second model's own displacement does there.");
        findings.difference(
                "direction.site.minus_control",
                "direction.site",
                "direction.site.control",
                Finding.Expectation.above(0),
                "By how much the one token's fraction exceeds the control of equal length.");
    }
}
