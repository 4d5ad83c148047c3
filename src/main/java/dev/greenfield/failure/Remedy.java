package dev.greenfield.failure;

/**
 * What a message tells its reader to do, in the terms of the library. Messages hold these phrases word for word, so that a program
 * with words of its own, such as a command line with options, can put them in their place.
 */
public enum Remedy {
    RAISE_MEMORY("raise the memory budget"),
    LOWER_MEMORY("lower the memory budget"),
    STREAM_WEIGHTS("stream the weights"),
    USE_TOKEN_IDS("use token ids"),
    USE_CPU("use the cpu backend"),
    USE_REFERENCE("use the reference backend"),
    CHOOSE_DEVICES("choose other devices"),
    CHOOSE_SEED("choose another seed"),
    /** The name of a model follows. */
    FETCH_MODEL("call Greenfield.fetch for"),
    ASK_FOR_LEADING_PART("ask for its leading part with svd"),
    NAME_OVERFLOW("name an overflow directory"),
    SURVEY_BACKENDS("ask BackendChoice.survey() what this machine can run"),
    /** Which setting was wrong; its value follows. */
    FOUND_PRECISION("found the precision"),
    /** Which setting was wrong; its value follows. */
    FOUND_THREADS("found the number of threads");

    private final String phrase;

    Remedy(String phrase) {
        this.phrase = phrase;
    }

    /** The words that messages hold. */
    public String phrase() {
        return phrase;
    }

    /** The same, so that a message can be put together with it. */
    @Override
    public String toString() {
        return phrase;
    }
}
