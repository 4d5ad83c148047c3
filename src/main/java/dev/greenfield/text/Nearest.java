package dev.greenfield.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What somebody may have meant by a name that there is not: the known name that differs least. Names that differ in case, or in blanks
 * around them, come first; then those of the smallest edit distance (insertions, deletions, replacements, and swaps of neighbours: the
 * optimal string alignment); then a name that begins so.
 */
public final class Nearest {
    private static final int SHORTEST = 3; // of fewer characters, every short name would be near
    private static final int CHARACTERS_PER_EDIT = 3;
    private static final int LONGEST = 200; // characters; longer ones are not mistyped names
    private static final int MOST_BESIDE = 10_000; // entries of a folder that are looked at

    private Nearest() {}

    /** The known name that is nearest to one that is not known; empty where none is near. */
    public static Optional<String> of(String given, Collection<String> known) {
        String plain = plain(given);
        if (plain.isEmpty() || plain.length() > LONGEST || known.contains(given)) {
            return Optional.empty();
        }
        int most = plain.length() < SHORTEST ? 0 : plain.length() / CHARACTERS_PER_EDIT;
        String best = null;
        int least = most + 1;
        for (String name : known) {
            if (Math.abs(name.length() - given.length()) <= most + 1) {
                int edits = edits(plain, plain(name), least);
                if (edits < least) {
                    best = name;
                    least = edits;
                }
            }
        }
        return best != null ? Optional.of(best) : beginning(plain, known);
    }

    /** A question for a message, with a blank in front: {@code (did you mean "map"?)}. Empty where nothing is near. */
    public static String question(String given, Collection<String> known) {
        return of(given, known)
                .map(name -> " (did you mean " + Lines.quoted(name) + "?)")
                .orElse("");
    }

    /**
     * Likewise for a path at which there is nothing, from what is beside it.
     *
     * @param wanted what of it would do
     */
    public static String question(Path missing, Predicate<Path> wanted) {
        Path name = missing.getFileName();
        Path parent = missing.toAbsolutePath().getParent();
        if (name == null || parent == null) {
            return "";
        }
        try (Stream<Path> beside = Files.list(parent)) {
            List<String> names = beside.limit(MOST_BESIDE)
                    .filter(wanted)
                    .map(path -> path.getFileName().toString())
                    .sorted()
                    .toList();
            return of(name.toString(), names)
                    .map(near -> " (did you mean "
                            + Lines.quoted(missing.resolveSibling(near).toString()) + "?)")
                    .orElse("");
        } catch (IOException | UncheckedIOException unreadable) {
            return ""; // the message stands without it
        }
    }

    /** The one name that begins so. */
    private static Optional<String> beginning(String plain, Collection<String> known) {
        if (plain.length() < SHORTEST) {
            return Optional.empty();
        }
        String[] longer = known.stream()
                .filter(name -> plain(name).startsWith(plain))
                .limit(2)
                .toArray(String[]::new);
        return longer.length == 1 ? Optional.of(longer[0]) : Optional.empty();
    }

    private static String plain(String name) {
        return name.strip().toLowerCase(Locale.ROOT);
    }

    /** The edit distance, or {@code limit} where it is at least that. */
    private static int edits(String a, String b, int limit) {
        if (Math.abs(a.length() - b.length()) >= limit) {
            return limit;
        }
        int[] before = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        int[] row = new int[b.length() + 1];
        Arrays.setAll(last, j -> j);
        for (int i = 1; i <= a.length(); i++) {
            row[0] = i;
            int smallest = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = last[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, 1 + Math.min(last[j], row[j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    row[j] = Math.min(row[j], before[j - 2] + 1);
                }
                smallest = Math.min(smallest, row[j]);
            }
            if (smallest >= limit) {
                return limit;
            }
            int[] free = before;
            before = last;
            last = row;
            row = free;
        }
        return Math.min(limit, last[b.length()]);
    }
}
