package dev.greenfield.study;

/** One claim, or one side of it: what is measured on a prompt pair, and what follows over all of them. */
interface Part {
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
}
