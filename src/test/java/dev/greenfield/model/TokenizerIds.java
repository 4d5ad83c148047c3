package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.greenfield.text.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The token ids of many strings, for comparison with another program's: {@code java dev.greenfield.model.TokenizerIds MODEL STRINGS IDS}
 * reads a JSON list of strings and writes a list of lists, each with the token that the tokenizer puts in front.
 */
final class TokenizerIds {
    private TokenizerIds() {}

    public static void main(String[] args) throws IOException {
        JsonNode strings = Json.parse(Files.readAllBytes(Path.of(args[1])), args[1]);
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        try (ModelSource source = ModelSource.open(args[0])) {
            for (JsonNode string : strings) {
                ArrayNode ids = all.addArray();
                Arrays.stream(source.tokenizer().encode(string.asText(), Beginning.AUTO))
                        .forEach(ids::add);
            }
        }
        Files.writeString(Path.of(args[2]), all.toString());
    }
}
