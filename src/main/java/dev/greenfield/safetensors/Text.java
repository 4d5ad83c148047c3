package dev.greenfield.safetensors;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Text from a file made safe for a message of one line: names are whatever the author of the file wished them to be. */
final class Text {
    /** Longest piece of foreign text that a message shows, in characters. */
    private static final int SHOWN = 100;
    /** Names looked at for a suggestion; a header may hold millions, and a suggestion is only a courtesy. */
    private static final int CONSIDERED = 10_000;

    private static final int SUGGESTED = 5;

    private Text() {}

    /** Returns the text in single quotes, on one line, shortened in the middle when long. */
    static String quote(String text) {
        if (text.length() <= SHOWN) {
            return "'" + oneLine(text) + "'";
        }
        String head = text.substring(0, SHOWN * 2 / 3);
        String tail = text.substring(text.length() - SHOWN / 3);
        return "'" + oneLine(head) + "..." + oneLine(tail) + "' (" + text.length() + " characters)";
    }

    /** Returns the text cut to the length of a message, on one line, without quotes. */
    static String brief(String text) {
        return text.length() <= 3 * SHOWN ? oneLine(text) : oneLine(text.substring(0, 3 * SHOWN)) + "...";
    }

    /** Returns the text with everything that would break, hide or reorder a line written as an escape. */
    static String oneLine(String text) {
        StringBuilder line = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            switch (Character.getType(c)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.SURROGATE,
                        Character.UNASSIGNED -> line.append(String.format(Locale.ROOT, "\\u{%x}", c));
                default -> line.appendCodePoint(c);
            }
        });
        return line.toString();
    }

    /** Returns whether the text is a sequence of whole characters, that is, whether UTF-8 can hold it. */
    static boolean wellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                return false;
            }
        }
        return true;
    }

    /** Returns a few of the names, nearest to the wanted one first, else the first ones: {@code 'a', 'b', ... (12 in all)}. */
    static String suggest(String wanted, Collection<String> names) {
        if (names.isEmpty()) {
            return "it holds no tensors";
        }
        List<String> considered = names.stream().limit(CONSIDERED).collect(Collectors.toCollection(ArrayList::new));
        List<String> near = considered.stream()
                .filter(name -> distance(wanted, name) <= 1 + Math.min(wanted.length(), name.length()) / 4
                        || name.endsWith("." + wanted)
                        || wanted.endsWith("." + name))
                .sorted(Comparator.comparingInt(name -> distance(wanted, name)))
                .limit(SUGGESTED)
                .toList();
        List<String> shown =
                near.isEmpty() ? considered.stream().limit(SUGGESTED).toList() : near;
        return (near.isEmpty() ? "it holds " : "near it are ")
                + shown.stream().map(Text::quote).collect(Collectors.joining(", "))
                + (shown.size() < names.size() ? ", ... (" + names.size() + " in all)" : "");
    }

    /** Returns the number of single-character edits between two names; names too long to be compared cheaply are far apart. */
    private static int distance(String a, String b) {
        if (Math.abs(a.length() - b.length()) > 16 || Math.max(a.length(), b.length()) > SHOWN) {
            return Integer.MAX_VALUE;
        }
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
