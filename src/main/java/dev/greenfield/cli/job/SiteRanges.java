package dev.greenfield.cli.job;

import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sites as text: {@code DEPTHS:TOKENS}, several separated by commas. Each half is a number, a range {@code 2-5} or {@code *}
 * for all; a depth may be a half, as in {@code 1.5}, where half depths are asked for.
 */
public final class SiteRanges {
    private static final String EXPECTED =
            "expected DEPTHS:TOKENS such as 0-3:5, 2:* or 0:1,4:2-6, each half a number, a range or *";
    private static final Pattern DEPTHS = Pattern.compile("(\\d{1,6}(?:\\.5)?)(?:-(\\d{1,6}(?:\\.5)?))?");
    private static final Pattern TOKENS = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

    private SiteRanges() {}

    /** Refuses text that cannot be ranges, whatever the model. */
    public static void check(String option, String text) {
        for (String part : text.split(",", -1)) {
            String[] halves = part.strip().split(":", -1);
            boolean fits = halves.length == 2
                    && (halves[0].equals("*") || DEPTHS.matcher(halves[0]).matches())
                    && (halves[1].equals("*") || TOKENS.matcher(halves[1]).matches());
            if (!fits) {
                throw new InputException(option + " " + Quantities.quoted(text) + ": found " + Quantities.quoted(part)
                        + ", " + EXPECTED);
            }
        }
    }

    /**
     * The sites that a text names, each once, for a command that takes {@code --half-depths}.
     *
     * @param layers of the model
     * @param tokens of the prompt
     * @param halfDepths whether sites at half depths are among those that {@code *} and ranges name
     */
    public static List<Site> parse(String option, String text, int layers, int tokens, boolean halfDepths) {
        check(option, text);
        Set<Site> sites = new LinkedHashSet<>();
        for (String part : text.split(",", -1)) {
            String[] halves = part.strip().split(":", -1);
            int[] depths = range(DEPTHS, halves[0], 2, 2 * layers);
            int[] positions = range(TOKENS, halves[1], 1, tokens - 1);
            if (depths[1] > 2 * layers || depths[0] > depths[1]) {
                throw new InputException(option + " " + Quantities.quoted(part) + ": expected depths from 0 to "
                        + layers + ", the depths of this model, the lower one first");
            }
            if (positions[1] >= tokens || positions[0] > positions[1]) {
                throw new InputException(option + " " + Quantities.quoted(part) + ": expected tokens from 0 to "
                        + (tokens - 1) + ", the tokens of this prompt, the lower one first");
            }
            if (!halfDepths && (depths[0] % 2 == 1 || depths[1] % 2 == 1)) {
                throw new InputException(option + " " + Quantities.quoted(part) + ": half depths need --half-depths");
            }
            for (int h = depths[0]; h <= depths[1]; h += halfDepths ? 1 : 2) {
                for (int t = positions[0]; t <= positions[1]; t++) {
                    sites.add(Site.at(new HalfDepth(h), t));
                }
            }
        }
        return new ArrayList<>(sites);
    }

    /** Likewise for a command that knows whole depths only. */
    public static List<Site> parse(String option, String text, int layers, int tokens) {
        if (text.contains(".5")) {
            check(option, text);
            throw new InputException(option + " " + Quantities.quoted(text)
                    + ": found a half depth, expected whole depths from 0 to " + layers
                    + "; name the depth below or above it");
        }
        return parse(option, text, layers, tokens, false);
    }

    /** First and last of a range, in steps of 1 / {@code parts}. */
    private static int[] range(Pattern pattern, String text, int parts, int last) {
        if (text.equals("*")) {
            return new int[] {0, last};
        }
        Matcher matcher = pattern.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(text);
        }
        int from = (int) (parts * Double.parseDouble(matcher.group(1)));
        return new int[] {from, matcher.group(2) == null ? from : (int) (parts * Double.parseDouble(matcher.group(2)))};
    }
}
