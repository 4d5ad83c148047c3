package dev.greenfield.fuzz;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/** Changes of JSON that know its structure: a value for another, a field twice or gone, a value nested; and bytes at the end. */
final class JsonMutants {
    private static final JsonFactory FACTORY = new JsonFactory();
    private static final int LARGEST = 1 << 16;
    private static final List<String> VALUES = List.of(
            "null",
            "true",
            "false",
            "0",
            "1",
            "2",
            "3",
            "5",
            "8",
            "64",
            "-1",
            "-0",
            "0.5",
            "1e-400",
            "1e400",
            "NaN",
            "Infinity",
            "2147483647",
            "2147483648",
            "4294967295",
            "9223372036854775807",
            "18446744073709551615",
            "1" + "0".repeat(900),
            "\"\"",
            "\"0\"",
            "\"\\ud800\"",
            "\"\\u0000\\u001b[31m\\u202e\"",
            "\"\u00e9\ud83d\ude00\"",
            "\"a/b.safetensors\"",
            "\"" + "x".repeat(5000) + "\"",
            "[]",
            "{}",
            "[null]",
            "[[[]]]",
            "[0, 0]",
            "{\"\": {}}",
            "[".repeat(1200) + "]".repeat(1200),
            "[" + "0,".repeat(3000) + "0]",
            "\"gelu\"",
            "\"F32\"",
            "\"F4\"",
            "\"U8\"",
            "\"BOOL\"",
            "\"C64\"",
            "\"F8_E4M3FNUZ\"",
            "{\"F32\": null}",
            "[\"F32\", [2, 3], [0, 24]]",
            "\"BPE\"",
            "\"one.safetensors\"");

    private JsonMutants() {}

    private record Span(int from, int to, boolean field) {}

    /** A changed document: up to four changes, now and then none. */
    static byte[] mutant(byte[] seed, Choices choices) {
        byte[] bytes = seed;
        int most = 1 + choices.below(4);
        for (int rounds = choices.below(most + 1); rounds > 0; rounds--) {
            bytes = bytes.length > LARGEST ? bytes : change(bytes, choices);
        }
        return bytes;
    }

    private static byte[] change(byte[] bytes, Choices choices) {
        List<Span> spans = spans(bytes);
        int way = choices.below(14);
        if (spans.isEmpty() || way == 13) {
            return anywhere(bytes, choices);
        }
        // Half of the changes are among the first values, where files say what they are.
        int among = choices.below(2) == 0 ? Math.min(spans.size(), 40) : spans.size();
        Span span = spans.get(choices.below(among));
        byte[] here = Arrays.copyOfRange(bytes, span.from(), span.to());
        Span other = spans.get(choices.below(spans.size()));
        byte[] there = Arrays.copyOfRange(bytes, other.from(), other.to());
        return switch (way) {
            case 0, 1, 2, 3, 4 -> splice(bytes, span, text(choices.of(VALUES)));
            case 5, 6 -> splice(bytes, span, there);
            case 7 -> splice(bytes, span, join(here, text(","), there)); // an element or half of a field more
            case 8 -> splice(bytes, span, join(text("["), here, text("]")));
            case 9 -> splice(bytes, span, join(text("{\"a\":"), here, text("}")));
            case 10, 11 -> splice(bytes, span, join(text(" \t\r\n"), here, text("\n "))); // the same value
            default -> { // the value, and a field of the same name or another beside it
                byte[] field = choices.below(2) == 0 ? text(",\"version\":") : text(",\"x\":");
                yield splice(bytes, span, span.field() ? join(here, field, there) : join(here, text(","), here));
            }
        };
    }

    private static byte[] anywhere(byte[] bytes, Choices choices) {
        byte[] changed = bytes.clone();
        if (changed.length == 0 || choices.below(4) == 0) {
            return Arrays.copyOf(changed, choices.below(changed.length + 1));
        }
        for (int flips = 1 + choices.below(4); flips > 0; flips--) {
            changed[choices.below(changed.length)] = (byte) choices.below(256);
        }
        return changed;
    }

    /** The places of all values, structures too; none where it is not JSON. */
    private static List<Span> spans(byte[] bytes) {
        List<Span> spans = new ArrayList<>();
        Deque<Integer> open = new ArrayDeque<>();
        try (JsonParser parser = FACTORY.createParser(bytes)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                int from = (int) parser.currentTokenLocation().getByteOffset();
                boolean field = parser.getParsingContext().inObject();
                if (token.isStructStart()) {
                    open.push(from);
                } else if (token.isStructEnd()) {
                    spans.add(new Span(open.pop(), from + 1, field));
                } else if (token != JsonToken.FIELD_NAME) {
                    parser.getText(); // reads to its end
                    spans.add(new Span(from, (int) parser.currentLocation().getByteOffset(), field));
                } else {
                    parser.currentName();
                }
            }
        } catch (IOException noJson) {
            return List.of();
        }
        return spans;
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] join(byte[]... parts) {
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static byte[] splice(byte[] bytes, Span span, byte[] by) {
        return join(Arrays.copyOf(bytes, span.from()), by, Arrays.copyOfRange(bytes, span.to(), bytes.length));
    }
}
