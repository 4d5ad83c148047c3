package dev.greenfield.model;

/** Text from files and users, made fit for messages of one line. */
final class Lines {
    private static final int LONGEST = 200; // characters kept of a text that a message quotes

    private Lines() {}

    /** The text with control characters escaped and its end cut off where it is very long. */
    static String one(String text) {
        String shown = text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "...";
        StringBuilder line = new StringBuilder(shown.length());
        for (int i = 0; i < shown.length(); i++) {
            char c = shown.charAt(i);
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> {
                    if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                        line.append(String.format("\\u%04x", (int) c));
                    } else {
                        line.append(c);
                    }
                }
            }
        }
        return line.toString();
    }

    /** The text in double quotes, on one line. */
    static String quoted(String text) {
        return '"' + one(text) + '"';
    }

    /** What an exception says, on one line; its kind where it says nothing. */
    static String reason(Throwable failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : one(message);
    }
}
