package dev.greenfield.study;

import dev.greenfield.Run;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.propagation.Propagation;
import dev.greenfield.propagation.SourcePropagation;
import dev.greenfield.propagation.SourcePropagation.Measure;
import java.util.List;
import java.util.Locale;

/**
 * E3: how the response to one source spreads over the tokens of the last depth, beside random directions at the same site and beside the
 * untrained model. The source is the displacement at depth 1 of the first token where the prompts differ.
 */
final class PropagationPart implements StudyPart {
    static final List<Measure> MEASURES = List.of(
            Measure.NORM,
            Measure.TOKEN_SHARE,
            Measure.DISPLACEMENT,
            Measure.FRONT,
            Measure.NORMALIZED_ENTROPY,
            Measure.PARTICIPATION,
            Measure.DECAY_EXPONENT);
    private static final int RANDOMS = 16;
    private static final double AMPLITUDE = 0.1;

    @Override
    public String name() {
        return "propagation";
    }

    @Override
    public Claim claim() {
        return Claim.E3;
    }

    static String label(Measure measure) {
        return measure.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        Site site = Site.of(Math.min(1, runs.layers() - 1), runs.pair().firstDifference());
        SourcePropagation trained =
                response(runs.clean(), site, runs.transfer().displacement().vector(site), runs.seed(), AMPLITUDE);
        put("source", "random", trained, into);
        into.put("nonlinearity", trained.nonlinearity(0));
        into.put("outside_cone", trained.outsideCone());
        into.put("depth", site.depth());
        into.put("token", site.token());
        into.put("reachable", runs.clean().tokens().length - site.token());
        Site sensitive = sensitive(runs);
        put(
                "sensitive",
                "sensitive.random",
                response(runs.clean(), sensitive, runs.transfer().sensitivity().at(sensitive), runs.seed()),
                into);
        if (runs.hasUntrained()) {
            PromptRuns.Sides control = runs.untrained();
            put(
                    "untrained",
                    "untrained.random",
                    response(
                            control.clean(),
                            site,
                            control.transfer().displacement().vector(site),
                            runs.seed()),
                    into);
        }
    }

    /** The most sensitive site between depths 0 and L at a token before that of F, from which a response can spread. */
    private static Site sensitive(PromptRuns runs) {
        double[][] norms = runs.transfer().sensitivity().norms();
        Site most = null;
        for (int l = Math.min(1, runs.layers() - 1); l < runs.layers(); l++) {
            for (int t = 0; t < runs.transfer().position(); t++) {
                if (most == null || norms[l][t] > norms[most.depth()][most.token()]) {
                    most = Site.of(l, t);
                }
            }
        }
        if (most == null) {
            throw new InputException("a prompt of one token has nowhere to spread");
        }
        return most;
    }

    private static SourcePropagation response(Run run, Site site, double[] direction, long seed, double... amplitudes) {
        SourcePropagation.Settings settings =
                new SourcePropagation.Settings(RANDOMS, seed, 0, Propagation.DEFAULT_FRONT);
        return run.propagation(site, direction, settings, amplitudes);
    }

    private static void put(String name, String random, SourcePropagation response, Measures into) {
        int last = response.tangent().depths() - 1;
        for (Measure measure : MEASURES) {
            SourcePropagation.Compared compared = response.compared(measure, last);
            into.put(name + "." + label(measure), compared.value());
            into.put(random + "." + label(measure), compared.random().value());
            into.put(name + "." + label(measure) + ".above_random", compared.below());
        }
        double[] shares = new double[last + 1];
        for (int l = 0; l <= last; l++) {
            shares[l] = l < response.site().depth() ? Double.NaN : response.tangent(Measure.TOKEN_SHARE, l);
        }
        into.put(name + ".share_by_depth", shares);
    }

    @Override
    public void findings(Findings findings) {
        for (Measure measure : MEASURES) {
            String label = label(measure);
            String what = label.replace('_', ' ');
            findings.mean(
                    "source." + label,
                    Finding.Expectation.NONE,
                    "The " + what + " of the last depth's response to the displacement of the token that differs.");
            findings.mean(
                    "random." + label,
                    Finding.Expectation.NONE,
                    "The " + what + " of the response to random directions at the same site, mean of " + RANDOMS + ".");
            Finding.Expectation expected = switch (measure) {
                case NORM, TOKEN_SHARE, DISPLACEMENT -> Finding.Expectation.above(0);
                default -> Finding.Expectation.NONE;
            };
            findings.difference(
                    label + ".source_minus_random",
                    "source." + label,
                    "random." + label,
                    expected,
                    "How far the " + what + " of the displacement exceeds that of random directions: other than 0,"
                            + " the response depends on the direction.");
            findings.difference(
                    label + ".sensitive_minus_random",
                    "sensitive." + label,
                    "sensitive.random." + label,
                    expected,
                    "The same for the sensitivity's direction at the most sensitive inner site before F's token.");
            findings.difference(
                    label + ".source_minus_untrained",
                    "source." + label,
                    "untrained." + label,
                    expected,
                    "How far the " + what + " of the displacement's response exceeds that of the untrained model.");
            findings.difference(
                    label + ".random_minus_untrained",
                    "random." + label,
                    "untrained.random." + label,
                    Finding.Expectation.NONE,
                    "The same of random directions: what training does whatever the direction.");
        }
        findings.mean(
                "nonlinearity",
                Finding.Expectation.below(0.1),
                "Relative distance of the measured field at a relative amplitude of 0.1 from first order.");
        findings.mean(
                "outside_cone",
                Finding.Expectation.NONE,
                "The largest first-order response outside of the source's causal cone, 0 by structure.");
    }
}
