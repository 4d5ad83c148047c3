package dev.greenfield.text;

import java.util.Locale;

/** Text from files and users, made fit for messages of one line. */
public final class Lines {
    private static final int LONGEST = 200; // characters kept of a text that a message quotes

    private Lines() {}

    /** The text with control characters escaped and its end cut off where it is very long. */
    public static String one(String text) {
        return escaped(text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "...");
    }

    /** The text with everything that would break or hide a line written as an escape. */
    public static String escaped(String text) {
        StringBuilder line = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> {
                    if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                        line.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        line.append(c);
                    }
                }
            }
        }
        return line.toString();
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
