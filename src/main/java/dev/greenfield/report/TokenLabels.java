package dev.greenfield.report;

import dev.greenfield.text.Lines;
import java.util.ArrayList;
import java.util.List;

/**
 * Labels in which every character of a token can be seen: spaces at either end become middle dots (inner ones stay),
 * line ends and tabs become arrows, other control characters their Unicode pictures.
 */
public final class TokenLabels {

    private static final int ELLIPSIS = '\u2026';

    private TokenLabels() {}

    /**
     * Labels for the tokens of a prompt: the position, a space, the token made visible, as in {@code "3 \u00b7Paris"}.
     *
     * @param tokens T token texts
     * @return T labels
     */
    public static List<String> of(List<String> tokens) {
        List<String> labels = new ArrayList<>(tokens.size());
        for (int t = 0; t < tokens.size(); t++) {
            labels.add(t + " " + visible(tokens.get(t)));
        }
        return List.copyOf(labels);
    }

    /**
     * Makes a token's whitespace and control characters visible.
     *
     * @param token any text
     * @return the text with nothing invisible in it
     */
    public static String visible(String token) {
        int start = 0;
        int end = token.length();
        while (start < end && token.charAt(start) == ' ') {
            start++;
        }
        while (end > start && token.charAt(end - 1) == ' ') {
            end--;
        }
        String dots = "\u00b7";
        return dots.repeat(start) + withoutControls(token.substring(start, end)) + dots.repeat(token.length() - end);
    }

    /** Replaces control characters and line separators, which no label may hold, and leaves spaces alone. */
    static String withoutControls(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().map(TokenLabels::picture).forEach(c -> {
            if (Lines.visible(c)) {
                out.appendCodePoint(c);
            } else {
                out.append(Lines.escaped(Character.toString(c))); // such as what turns the direction of writing
            }
        });
        return out.toString();
    }

    private static int picture(int c) {
        return switch (c) {
            case '\n' -> '\u21b5';
            case '\r' -> '\u240d';
            case '\t' -> '\u21e5';
            case 0x7f -> '\u2421';
            case 0x2028, 0x2029 -> '\u21b5';
            default -> {
                if (c < 0x20) {
                    yield 0x2400 + c;
                }
                // A token of byte-level BPE may be half of a character: a lone surrogate has no encoding in UTF-8.
                yield (c >= 0x80 && c < 0xa0) || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c;
            }
        };
    }

    /** Cuts text to at most {@code width} terminal columns, the last an ellipsis if anything was cut. */
    static String truncate(String text, int width) {
        if (width(text) <= width) {
            return text;
        }
        StringBuilder out = new StringBuilder();
        int used = 0;
        for (int c : text.codePoints().toArray()) {
            int w = width(c);
            if (used + w > width - 1) {
                break;
            }
            out.appendCodePoint(c);
            used += w;
        }
        return out.appendCodePoint(ELLIPSIS).toString();
    }

    /** How many columns of a terminal the text takes. */
    static int width(String text) {
        return text.codePoints().map(TokenLabels::width).sum();
    }

    /** Approximate East Asian width: enough to keep the columns of a table straight for the scripts tokens come in. */
    private static int width(int c) {
        int type = Character.getType(c);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK || type == Character.FORMAT) {
            return 0;
        }
        boolean wide = (c >= 0x1100 && c <= 0x115f)
                || (c >= 0x2e80 && c <= 0xa4cf)
                || (c >= 0xac00 && c <= 0xd7a3)
                || (c >= 0xf900 && c <= 0xfaff)
                || (c >= 0xfe30 && c <= 0xfe6f)
                || (c >= 0xff00 && c <= 0xff60)
                || (c >= 0x1f300 && c <= 0x1faff)
                || (c >= 0x20000 && c <= 0x3fffd);
        return wide ? 2 : 1;
    }
}
