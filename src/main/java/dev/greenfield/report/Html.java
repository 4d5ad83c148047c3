package dev.greenfield.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a page needs besides its parts: escaping, the policy against loading anything, and the inlined resources. */
final class Html {

    /** The version of Apache ECharts that is shipped as a resource, with its licence and notice beside it. */
    static final String CHART_LIBRARY_VERSION = "6.1.0";

    /**
     * The policy against loading anything: only the scripts and styles of the page itself run, each named by its hash, so that text which
     * came to be markup by a mistake of ours could still do nothing. Images may come from the page itself (saving a figure).
     *
     * @param scripts the contents of its script elements that are run
     * @param styles the contents of its style elements, and of its style attributes
     */
    static String policy(Collection<String> scripts, Collection<String> styles) {
        return "default-src 'none'; style-src 'unsafe-hashes' " + hashes(styles) + "; script-src "
                + (scripts.isEmpty() ? "'none'" : hashes(scripts))
                + "; img-src data: blob:; base-uri 'none'; form-action 'none'";
    }

    private static String hashes(Collection<String> contents) {
        return contents.stream()
                .distinct()
                .map(content -> "'sha256-" + Base64.getEncoder().encodeToString(sha256(content)) + "'")
                .collect(Collectors.joining(" "));
    }

    private static byte[] sha256(String content) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException absent) {
            throw new IllegalStateException("every Java platform has SHA-256, this one does not", absent);
        }
    }

    private static final String VALUE =
            "(|-|\u2013|\u2014|NaN|[<>]?\\s*[-+\u2212]?(Infinity|\u221e|[0-9][0-9,]*(\\.[0-9]+)?([eE][-+]?[0-9]+)?)\\s*%?)";

    /** A number, perhaps with its interval or beside others, or a range. */
    private static final Pattern NUMBER = Pattern.compile(
            "\\s*" + VALUE + "( \\(" + VALUE + " to " + VALUE + "\\)|( / " + VALUE + ")*| to " + VALUE + ")\\s*");

    /** In the order in which they call each other. */
    private static final List<String> SCRIPTS = List.of(
            "theme.js",
            "numbers.js",
            "heat-map.js",
            "curves.js",
            "response-map.js",
            "figure-data.js",
            "figure-tools.js",
            "address.js",
            "token-grid.js",
            "attention.js",
            "report.js");

    private static final int LONGEST_NAME = 48;

    private Html() {}

    /** Escapes text for element content and quoted attributes; control characters become visible. */
    static String text(String text) {
        String visible = TokenLabels.withoutControls(text);
        StringBuilder out = new StringBuilder(visible.length() + 16);
        for (int i = 0; i < visible.length(); i++) {
            char c = visible.charAt(i);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.append(c);
            }
        }
        return out.toString();
    }

    /** Whether a table's cell reads as a number, or as the absence of one. */
    static boolean looksNumeric(String cell) {
        return NUMBER.matcher(cell).matches();
    }

    /** What draws the figures of a page, once the chart library is there. */
    static String script() {
        return SCRIPTS.stream().map(Html::resource).collect(Collectors.joining());
    }

    /**
     * A text as part of a file's name: its letters and digits in small, words joined by hyphens, as many as fit.
     *
     * @param without what stands for a text that has none
     */
    static String fileName(String text, String without) {
        StringBuilder out = new StringBuilder();
        for (String word : text.toLowerCase(Locale.ROOT).split("[^a-z0-9]+", -1)) {
            if (out.length() + word.length() >= LONGEST_NAME) {
                break;
            }
            out.append(out.length() > 0 && !word.isEmpty() ? "-" : "").append(word);
        }
        return out.length() == 0 ? without : out.toString();
    }

    /** A resource that lies beside this class. */
    static String resource(String name) {
        try (InputStream in = Html.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(
                        "resource dev/greenfield/report/" + name + " is missing from the jar; rebuild it");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read resource dev/greenfield/report/" + name, e);
        }
    }
}
