package dev.greenfield.study;

import java.util.List;

/** One claim, or one side of it: what is measured on a prompt pair, and what follows over all of them. */
interface StudyPart {
    /** Its name in files. */
    String name();

    /** The claim that its findings belong to. */
    Claim claim();

    /** On which share of the prompts it is done: all for 1, a random half for 2, and so on. */
    default int every() {
        return 1;
    }

    /**
     * Measures one prompt pair.
     *
     * @throws dev.greenfield.failure.InputException if that cannot be done on this pair, which then does not count
     */
    void measure(PromptRuns runs, Measures into);

    /** Sums up what was measured. */
    void findings(Findings findings);

    /** Qualities of predictions by kind, component and method of intervention; none of most parts. */
    default List<PredictionRow> predictions(Findings findings) {
        return List.of();
    }
}
