package dev.greenfield.cli.io;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Texts in lines of a width, cut at blanks only: a word that is longer keeps a line of its own and sticks out. */
public final class Folded {
    /** What stands in front of a line as its heading: a word or two, then at least two blanks. */
    private static final Pattern HEADING = Pattern.compile("\\s*\\S+(?: \\S+)? {2,}(?=\\S)");

    private static final int INDENT = 2;

    private Folded() {}

    /** A line in lines; those after the first begin below its text, where it has a heading, or two columns further in. */
    static List<String> line(String text, int width) {
        if (length(text) <= width) {
            return List.of(text);
        }
        Matcher heading = HEADING.matcher(text);
        int indent = heading.lookingAt() && heading.end() <= width / 2
                ? heading.end()
                : text.length() - text.stripLeading().length() + INDENT;
        return lines(text, width, indent);
    }

    /** A text in lines; those after the first are indented. */
    public static List<String> lines(String text, int width, int indent) {
        List<String> lines = new ArrayList<>();
        String rest = text.stripTrailing();
        while (length(rest) > width) {
            int from = rest.length() - rest.stripLeading().length();
            int at = rest.lastIndexOf(' ', rest.offsetByCodePoints(0, width));
            if (at <= from) {
                at = rest.indexOf(' ', from);
            }
            if (at < 0) {
                break;
            }
            lines.add(rest.substring(0, at).stripTrailing());
            rest = " ".repeat(indent) + rest.substring(at).stripLeading();
        }
        lines.add(rest);
        return lines;
    }

    /** Characters, of which some take two units of Java's. */
    static int length(String text) {
        return text.codePointCount(0, text.length());
    }
}
