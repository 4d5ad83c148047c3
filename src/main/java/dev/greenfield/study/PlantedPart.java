package dev.greenfield.study;

import dev.greenfield.inverse.PlantedSources;

/** Inference of where a source was that is only seen at the last depth. */
final class PlantedPart implements StudyPart {
    private static final double[] NOISES = {0, 0.01, 0.1};
    private static final int CASES = 2;

    @Override
    public String name() {
        return "planted";
    }

    @Override
    public Claim claim() {
        return Claim.INFERENCE;
    }

    @Override
    public int every() {
        return 5;
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        var locator = runs.clean().sourceLocator();
        into.put("candidates", locator.candidates().size());
        for (PlantedSources.Recovery recovery : PlantedSources.measure(locator, CASES, NOISES, 0, runs.seed())) {
            String key = "planted." + recovery.noise();
            into.put(key + ".first", recovery.first());
            into.put(key + ".neighbour", recovery.neighbouringDepth());
            into.put(key + ".other_token", recovery.otherToken());
            into.put(key + ".cosine", recovery.meanCosine());
        }
    }

    @Override
    public void findings(Findings findings) {
        findings.mean(
                "planted.candidates",
                findings.values("candidates"),
                Finding.Expectation.NONE,
                "Sites among which a planted source is looked for; a guess is right once in as many.");
        for (double noise : NOISES) {
            String key = "planted." + noise;
            String at = " at noise " + noise + " (" + CASES + " sources a prompt).";
            findings.mean(
                    key + ".first",
                    Finding.Expectation.above(0.9),
                    "Share of planted sources whose site is found from the last depth's response" + at);
            findings.mean(
                    key + ".neighbour",
                    Finding.Expectation.NONE,
                    "Share found at the right token but one depth off" + at);
            findings.mean(key + ".other_token", Finding.Expectation.NONE, "Share found at another token" + at);
            findings.mean(
                    key + ".cosine",
                    Finding.Expectation.above(0.9),
                    "Cosine between the planted vector and the one inferred at the right site" + at);
        }
    }
}
