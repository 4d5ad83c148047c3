package dev.greenfield.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * JSON files of a model directory and of ours, read strictly. Trees are built here from Jackson's parser, because making an
 * {@code ObjectMapper} takes 0.2 s of a command's start, ten times what the files themselves take.
 */
public final class Json {
    /** Makes parsers and generators. */
    public static final JsonFactory FACTORY = new JsonFactory();

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** The most bytes of a file of JSON that is read whole: its tree takes some thirty times as many. */
    private static final int MOST_BYTES = 1 << 25;

    private Json() {}

    /**
     * The bytes of a file that is to be parsed.
     *
     * @param origin what messages call it
     * @throws InputException if it has more than 32 MiB
     */
    public static byte[] bytes(Path file, String origin) throws IOException {
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] bytes = stream.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new InputException(origin + ": found more than " + (MOST_BYTES >> 20)
                        + " MiB, expected a small file of JSON; get the file again");
            }
            return bytes;
        }
    }

    /**
     * The tree of a file's bytes, where no object names a field twice.
     *
     * @param origin what messages call the file
     * @throws InputException if it is not one JSON document
     */
    public static JsonNode parse(byte[] bytes, String origin) throws IOException {
        try (JsonParser parser = FACTORY.createParser(bytes)) {
            parser.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature());
            // Python writes and reads these; where such a number is used, its range is checked.
            parser.enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS.mappedFeature());
            if (parser.nextToken() == null) {
                throw new InputException(
                        origin + ": found an empty file, expected a JSON document; get the file again");
            }
            JsonNode tree = tree(parser);
            requireEnd(parser, origin);
            return tree;
        } catch (JsonProcessingException malformed) {
            throw malformed(malformed, origin);
        }
    }

    /** The value at which a parser stands; the parser is left on its last token. */
    public static JsonNode tree(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                ObjectNode object = NODES.objectNode();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String field = parser.currentName();
                    parser.nextToken();
                    object.set(field, tree(parser));
                }
                yield object;
            }
            case START_ARRAY -> {
                ArrayNode array = NODES.arrayNode();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    array.add(tree(parser));
                }
                yield array;
            }
            case VALUE_STRING -> NODES.textNode(parser.getText());
            case VALUE_NUMBER_INT -> NODES.numberNode(parser.getBigIntegerValue());
            case VALUE_NUMBER_FLOAT -> NODES.numberNode(parser.getDoubleValue());
            case VALUE_TRUE -> NODES.booleanNode(true);
            case VALUE_FALSE -> NODES.booleanNode(false);
            default -> NODES.nullNode();
        };
    }

    /** Refuses anything after the document. */
    public static void requireEnd(JsonParser parser, String origin) throws IOException {
        if (parser.nextToken() != null) {
            throw new InputException(origin + ": found more after the JSON document, at line "
                    + parser.currentTokenLocation().getLineNr() + ", expected the end of the file; get the file again");
        }
    }

    /** The error for a file that is not JSON. */
    public static InputException malformed(JsonProcessingException cause, String origin) {
        String where = cause.getLocation() == null
                ? ""
                : " at line " + cause.getLocation().getLineNr() + ", column "
                        + cause.getLocation().getColumnNr();
        return new InputException(
                origin + ": found malformed JSON" + where + " ("
                        + Lines.one(cause.getOriginalMessage().replaceFirst(": enable `.*", ""))
                        + "), expected a JSON document; get the file again",
                cause);
    }
}
