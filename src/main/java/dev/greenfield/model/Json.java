package dev.greenfield.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.greenfield.lattice.InputException;
import java.io.IOException;

/** JSON files of a model directory, read strictly. */
final class Json {
    static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /** The tree of a file's bytes; {@code origin} is what messages call the file. */
    static JsonNode parse(byte[] bytes, String origin) throws IOException {
        try {
            return MAPPER.readTree(bytes);
        } catch (JsonProcessingException malformed) {
            throw malformed(malformed, origin);
        }
    }

    /** The error for a file that is not JSON. */
    static InputException malformed(JsonProcessingException cause, String origin) {
        String where = cause.getLocation() == null
                ? ""
                : " at line " + cause.getLocation().getLineNr() + ", column "
                        + cause.getLocation().getColumnNr();
        return new InputException(
                origin + ": found malformed JSON" + where + " (" + Lines.one(cause.getOriginalMessage())
                        + "), expected a JSON document; get the file again",
                cause);
    }
}
