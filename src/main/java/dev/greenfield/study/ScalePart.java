package dev.greenfield.study;

import dev.greenfield.Run;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.transfer.RankAgreement;
import dev.greenfield.transfer.ScaleComparison;
import dev.greenfield.transfer.SiteTransfer;

/** Two models: rank agreement of sensitivities and response maps, and leading sites of the first put into the second. */
final class ScalePart implements StudyPart {
    static final int TOP = 3;
    static final int PROBES = 16;

    @Override
    public String name() {
        return "scale";
    }

    @Override
    public Claim claim() {
        return Claim.SCALE;
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        ScaleComparison comparison = ScaleComparison.of(
                runs.transfer(),
                runs.other().transfer(),
                map(runs.clean(), runs.seed()),
                map(runs.other().clean(), runs.seed()),
                TOP,
                runs.seed());
        agreement("sensitivity", comparison.sensitivity(), into);
        agreement("map", comparison.map(), into);
        SiteTransfer sites = comparison.sites();
        sites("carried", sites.carried(), into);
        sites("own", sites.own(), into);
        sites("random", sites.random(), into);
    }

    private static ResponseMap map(Run run, long seed) {
        return run.responseMap().onOneDevice().probes(PROBES).seed(seed).compute();
    }

    private static void agreement(String name, RankAgreement agreement, Measures into) {
        into.put(name + ".rho", agreement.rho());
        into.put(name + ".within", agreement.within());
        into.put(name + ".shuffled", agreement.shuffled());
        into.put(name + ".shifted", agreement.shifted());
        into.put(name + ".r2", agreement.rSquared());
        into.put(name + ".slope", agreement.slope());
        into.put(name + ".missed", agreement.missed());
        into.put(name + ".permutation_p", agreement.p());
    }

    private static void sites(String name, SiteTransfer.Carried carried, Measures into) {
        into.put("sites." + name + ".share", carried.share());
        into.put("sites." + name + ".together", carried.together());
    }

    @Override
    public void findings(Findings findings) {
        for (String name : new String[] {"sensitivity", "map"}) {
            String what = name.equals("map") ? "response maps |G|" : "sensitivities |S|";
            findings.mean(
                    name + ".r2",
                    Finding.Expectation.NONE,
                    "R squared of the two models' " + what + " at equal relative depth against equality.");
            findings.mean(
                    name + ".slope",
                    Finding.Expectation.NONE,
                    "Slope of the second model's " + what + " over the first's.");
            findings.mean(
                    name + ".missed",
                    Finding.Expectation.NONE,
                    "Share missed: length of the difference of both over that of the second model's " + what + ".");
            findings.mean(
                    name + ".rho",
                    Finding.Expectation.above(0.5),
                    "Spearman's correlation of the two models' " + what + " at equal relative depth.");
            findings.mean(
                    name + ".within",
                    Finding.Expectation.above(0.5),
                    "The same within each depth, to which differences between depths add nothing.");
            findings.mean(
                    name + ".shuffled", Finding.Expectation.NONE, "The same with sites in random order (control).");
            findings.mean(
                    name + ".shifted", Finding.Expectation.NONE, "The same with depths shifted cyclically (control).");
            findings.mean(
                    name + ".permutation_p",
                    Finding.Expectation.NONE,
                    "p of the agreement within depths, by permutation of each depth's sites, mean over prompts.");
            findings.difference(
                    name + ".rho.minus_shifted",
                    name + ".rho",
                    name + ".shifted",
                    Finding.Expectation.above(0),
                    "By how much aligned depths agree better than shifted ones.");
        }
        for (String kind : new String[] {"carried", "own", "random"}) {
            String which = switch (kind) {
                case "carried" -> "the first model's " + TOP + " leading sites";
                case "own" -> "as many leading sites of the second model";
                default -> "as many random sites";
            };
            findings.mean(
                    "sites." + kind + ".share",
                    Finding.Expectation.NONE,
                    "Share of the second model's single patch effects at " + which + ".");
            findings.mean(
                    "sites." + kind + ".together",
                    kind.equals("carried") ? Finding.Expectation.above(0.5) : Finding.Expectation.NONE,
                    "Fraction of the second model's change achieved by replacing " + which + " together.");
        }
        findings.difference(
                "sites.carried.share.minus_random",
                "sites.carried.share",
                "sites.random.share",
                Finding.Expectation.above(0),
                "By how much the carried sites' share exceeds that of random ones.");
    }
}
