package dev.greenfield.text;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Text from files and users, made fit for messages of one line. */
public final class Lines {
    private static final int LONGEST = 200; // characters kept of a text that a message quotes

    private Lines() {}

    /** The first names of a list, each on {@linkplain #one one line}, and how many there are where that is not all. */
    public static String some(List<String> names, int most) {
        return names.stream().limit(most).map(Lines::one).collect(Collectors.joining(", "))
                + (names.size() > most ? ", ... (" + names.size() + " in all)" : "");
    }

    /** The text with control characters escaped and its end cut off where it is very long. */
    public static String one(String text) {
        return escaped(text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "...");
    }

    /**
     * The text with everything that would break, hide or reorder a line written as an escape: control characters, line separators,
     * Unicode's controls of direction, and what has no width. The one escaper for terminals, messages, tables and pages.
     */
    public static String escaped(String text) {
        StringBuilder line = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> {
                    if (visible(c)) {
                        line.appendCodePoint(c);
                    } else {
                        line.append(String.format(Locale.ROOT, c < 0x10000 ? "\\u%04x" : "\\u{%x}", c));
                    }
                }
            }
        });
        return line.toString();
    }

    /** Whether a character shows itself and leaves the characters around it alone. */
    public static boolean visible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE ->
                false;
            // Joiners belong to the words of many scripts and to emoji.
            case Character.FORMAT -> c == 0x200c || c == 0x200d || c == 0x00ad;
            default -> true;
        };
    }

    /** The text in double quotes, on one line. */
    public static String quoted(String text) {
        return '"' + one(text) + '"';
    }

    /** What an exception says, on one line; its kind where it says nothing. */
    public static String reason(Throwable failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : one(message);
    }
}
