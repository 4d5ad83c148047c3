package dev.greenfield.hub;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A model's name on the Hugging Face hub, as {@code org/name} or {@code org/name@revision}; old models have a name of one word. The
 * rules are those of the {@code huggingface_hub} package, so that what passes here is a safe name of a folder.
 *
 * @param repository {@code org/name}, or one word
 * @param revision a branch, a tag or a commit
 */
public record HubName(String repository, String revision) {
    /** The revision of a name that says none. */
    public static final String MAIN = "main";

    private static final String WORD = "\\w(?:[\\w.-]{0,94}\\w)?";
    private static final Pattern REPOSITORY = Pattern.compile("(?:" + WORD + "/)?" + WORD);
    private static final Pattern REVISION = Pattern.compile("[\\w][\\w.+-]*(?:/[\\w][\\w.+-]*)*");
    private static final int LONGEST_REVISION = 200; // characters
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /** Old names of one word, and the organizations that have them now; both are in use for folders of the cache. */
    private static final List<String> MOVED = List.of(
            "openai-community/gpt2",
            "openai-community/gpt2-medium",
            "openai-community/gpt2-large",
            "openai-community/gpt2-xl",
            "distilbert/distilgpt2");

    /**
     * Checks both parts.
     *
     * @throws InputException if one is no name that the hub gives
     */
    public HubName {
        if (!isRepository(repository)) {
            throw new InputException(Lines.quoted(repository)
                    + ": found no name of the hub, expected org/name in letters, digits, -, _ and .; correct the name");
        }
        if (!isRevision(revision)) {
            throw new InputException(repository + ": found the revision " + Lines.quoted(revision)
                    + ", expected a branch, a tag or a commit; correct it, or leave it out for " + MAIN);
        }
    }

    /**
     * Reads a name with a revision or without one, which then is {@link #MAIN}.
     *
     * @throws InputException if it is no such name
     */
    public static HubName of(String text) {
        int at = text.indexOf('@');
        return at < 0 ? new HubName(text, MAIN) : new HubName(text.substring(0, at), text.substring(at + 1));
    }

    /** Likewise; empty where the part before the revision is no name, as of most paths. */
    public static Optional<HubName> find(String text) {
        int at = text.indexOf('@');
        return isRepository(at < 0 ? text : text.substring(0, at)) ? Optional.of(of(text)) : Optional.empty();
    }

    private static boolean isRepository(String text) {
        return REPOSITORY.matcher(text).matches()
                && !text.contains("--")
                && !text.contains("..")
                && !text.endsWith(".git");
    }

    private static boolean isRevision(String text) {
        return text.length() <= LONGEST_REVISION && REVISION.matcher(text).matches() && !text.contains("..");
    }

    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    /** Whether the revision is a commit in full, of which there is only one state. */
    boolean pinned() {
        return isCommit(revision);
    }

    /** The name of the repository's folder in the cache. */
    String folder() {
        return "models--" + repository.replace("/", "--");
    }

    /** The same model by its other name, the one of one word or that with an organization. */
    Optional<HubName> otherName() {
        for (String moved : MOVED) {
            String word = moved.substring(moved.indexOf('/') + 1);
            if (repository.equals(word)) {
                return Optional.of(new HubName(moved, revision));
            }
            if (repository.equals(moved)) {
                return Optional.of(new HubName(word, revision));
            }
        }
        return Optional.empty();
    }

    /** As it is written: without the revision where that is {@link #MAIN}. */
    @Override
    public String toString() {
        return revision.equals(MAIN) ? repository : repository + "@" + revision;
    }
}
