package dev.greenfield.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** What a page needs besides its parts: escaping, the policy against loading anything, and the inlined resources. */
final class Html {

    /** The version of Apache ECharts that is shipped as a resource, with its licence and notice beside it. */
    static final String CHART_LIBRARY_VERSION = "6.1.0";

    /** Nothing may be fetched; inline style and script run, and images may come from the page itself (saving a figure). */
    static final String POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
            + " img-src data: blob:; base-uri 'none'; form-action 'none'";

    private static final Pattern NUMBER = Pattern.compile(
            "\\s*(|-|\u2013|\u2014|NaN|[-+\u2212]?(Infinity|\u221e|[0-9][0-9,]*(\\.[0-9]+)?([eE][-+]?[0-9]+)?)\\s*%?)\\s*");

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
