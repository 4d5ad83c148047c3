package dev.greenfield.statistics;

/** What random numbers are drawn for. Draws for different purposes have nothing to do with each other, whatever seed they share. */
public enum Purpose {
    /** The seed of one prompt of a suite or a study. */
    PROMPT,
    /** Directions that a response map pushes. */
    PROBES,
    /** A source of random direction. */
    SOURCE,
    /** Random directions that a source's response is compared with. */
    SOURCE_CONTROLS,
    /** Steering along random directions. */
    STEERING,
    /** Sources that are hidden and looked for, and the noise on their responses. */
    PLANTED,
    /** The start of a randomized factorization, and the probes of its energy. */
    FACTORIZATION,
    /** Random sources that a leading part is judged by. */
    REDUCTION_SOURCES,
    /** Random directions in place of the leading ones. */
    REDUCTION_SUBSPACE,
    /** Sites in random order. */
    SITE_ORDER,
    /** Values in random order over sites. */
    VALUE_ORDER,
    /** Prompts paired with others. */
    PAIRING,
    /** The half of a suite that is fitted on. */
    HALVES,
    /** The prompts on which a dear part of a study is measured. */
    SAMPLE,
    /** Bootstrap resamples. */
    RESAMPLES,
    /** Permutations of a test. */
    PERMUTATIONS
}
