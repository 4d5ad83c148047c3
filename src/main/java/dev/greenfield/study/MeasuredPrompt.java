package dev.greenfield.study;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Digest;
import dev.greenfield.text.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What all parts of a study measured on one prompt, as a line of JSON: the prompt's number, {@code parts}, and last the SHA-256 of the
 * line with zeros in the place of that.
 */
final class MeasuredPrompt {
    private static final String SHA256 = "sha256";
    private static final String ZEROS = "0".repeat(64);
    private static final int TAIL = ZEROS.length() + 2; // the sum, its quote and the brace

    private MeasuredPrompt() {}

    static byte[] bytes(int number, Map<String, Measures> parts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = Json.FACTORY.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeNumberField("prompt", number);
            json.writeObjectFieldStart("parts");
            for (Map.Entry<String, Measures> part : parts.entrySet()) {
                json.writeFieldName(part.getKey());
                part.getValue().write(json);
            }
            json.writeEndObject();
            json.writeStringField(SHA256, ZEROS);
            json.writeEndObject();
        }
        byte[] line = bytes.toByteArray();
        byte[] sum = checksum(line).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(sum, 0, line, line.length - TAIL, sum.length);
        return line;
    }

    /**
     * What was written, by part; empty where it is of another prompt or has been changed since.
     *
     * @param origin what messages call it
     * @throws InputException if it is no JSON, or numbers are missing
     * @throws NumberFormatException if a text stands where a number should
     */
    static Optional<Map<String, Measures>> read(int number, byte[] line, String origin) throws IOException {
        JsonNode tree = Json.parse(line, origin);
        if (tree.path("prompt").asInt() != number
                || !tree.path("parts").isObject()
                || line.length < TAIL
                || !checksum(line).equals(tree.path(SHA256).asText())) {
            return Optional.empty();
        }
        Map<String, Measures> parts = new LinkedHashMap<>();
        tree.get("parts").properties().forEach(part -> parts.put(part.getKey(), Measures.read(part.getValue())));
        return Optional.of(parts);
    }

    private static String checksum(byte[] line) {
        byte[] blank = line.clone();
        Arrays.fill(blank, line.length - TAIL, line.length - TAIL + ZEROS.length(), (byte) '0');
        return Digest.sha256(blank);
    }
}
