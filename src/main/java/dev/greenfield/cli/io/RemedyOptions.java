package dev.greenfield.cli.io;

import dev.greenfield.failure.Remedy;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Puts the command line's options in the place of the library's words for what to do. */
public final class RemedyOptions {
    private static final Pattern NAME = Pattern.compile("--[a-z-]+");

    private RemedyOptions() {}

    /** A message of the library as the command line says it; any other text as it is. */
    public static String in(String message) {
        return in(message, option -> true);
    }

    /**
     * Likewise for a command that may lack options: of a remedy whose option it does not take, the library's words stay.
     *
     * @param takes whether the command takes an option
     */
    static String in(String message, Predicate<String> takes) {
        if (message == null) {
            return null;
        }
        String text = message;
        for (Remedy remedy : Remedy.values()) {
            String option = of(remedy);
            Matcher name = NAME.matcher(option);
            boolean taken = !name.find() || takes.test(name.group());
            // An option may repeat its phrase: what speaks of options already stays.
            if (taken && !text.contains(option)) {
                text = text.replace(remedy.phrase(), option);
            }
        }
        return text;
    }

    /** The table: a remedy in options and commands. */
    static String of(Remedy remedy) {
        return switch (remedy) {
            case RAISE_MEMORY -> "raise --memory";
            case LOWER_MEMORY -> "lower --memory";
            case STREAM_WEIGHTS -> "stream the weights (--weights streamed)";
            case USE_TOKEN_IDS -> "use token ids (--tokens)";
            case USE_CPU -> "use --backend cpu";
            case USE_REFERENCE -> "use --backend reference";
            case CHOOSE_DEVICES -> "choose other devices (--devices)";
            case CHOOSE_SEED -> "choose another seed (--seed)";
            case FETCH_MODEL -> "run greenfield fetch";
            case ASK_FOR_LEADING_PART -> "ask for its leading part with --rank";
            case NAME_OVERFLOW -> "have it kept on disk (--out)";
            case SURVEY_BACKENDS -> "'doctor' says what this machine can run";
            case FOUND_PRECISION -> "found --precision";
            case FOUND_THREADS -> "found --threads";
        };
    }
}
