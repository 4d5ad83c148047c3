package dev.greenfield.model;

import com.fasterxml.jackson.core.JsonGenerationException;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/**
 * A {@code tokenizer.json} as it is applied here: without truncation and padding, which would change what a text is, and without
 * dropout, which is for training and would make tokens differ from call to call. Written anew, so that the library meets no number that
 * is none and no half of a character.
 */
final class PlainTokenizerJson {
    private PlainTokenizerJson() {}

    /**
     * Rewrites the file.
     *
     * @throws InputException if it has numbers or texts that no tokenizer has
     */
    static byte[] of(byte[] file, String origin) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream(file.length);
        try (JsonParser parser = Json.FACTORY.createParser(file);
                JsonGenerator json = Json.FACTORY.createGenerator(out)) {
            String root = "";
            int depth = 0;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                if (token == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    root = depth == 1 ? name : root;
                    boolean cut = depth == 1 && (name.equals("truncation") || name.equals("padding"));
                    boolean dropped = depth == 2 && root.equals("model") && name.equals("dropout");
                    if (cut || dropped) {
                        parser.nextToken();
                        parser.skipChildren();
                        json.writeNullField(name);
                        continue;
                    }
                }
                if (token == JsonToken.VALUE_NUMBER_FLOAT && !Double.isFinite(parser.getDoubleValue())) {
                    throw new InputException(origin + ": found the number " + parser.getText() + " at line "
                            + parser.currentTokenLocation().getLineNr()
                            + ", expected one that a double holds; get the file again");
                }
                json.copyCurrentEvent(parser);
            }
        } catch (JsonGenerationException half) {
            throw new InputException(
                    origin
                            + ": found half of a surrogate pair in a text, expected well-formed Unicode; get the file again",
                    half);
        } catch (JsonProcessingException malformed) {
            throw Json.malformed(malformed, origin);
        }
        return out.toByteArray();
    }
}
