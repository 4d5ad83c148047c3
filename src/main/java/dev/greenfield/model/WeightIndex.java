package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@code model.safetensors.index.json}: which shard holds which tensor. */
final class WeightIndex {
    private WeightIndex() {}

    /**
     * The file of each tensor, in the order of the index.
     *
     * @throws InputException if there is no index, or it names what cannot be a file beside it
     */
    static Map<String, String> read(ModelFiles files) throws IOException {
        if (!files.has(ModelFiles.INDEX)) {
            throw noWeights(files);
        }
        String origin = files.origin(ModelFiles.INDEX);
        JsonNode map = Json.parse(files.read(ModelFiles.INDEX), origin).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new InputException(
                    origin + ": found no \"weight_map\", expected an object that names the file of every"
                            + " tensor; get the file again");
        }
        Map<String, String> index = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String file = entry.getValue().asText("");
            if (!entry.getValue().isTextual() || !plain(file)) {
                throw new InputException(origin + ": found the file "
                        + Lines.quoted(entry.getValue().asText())
                        + " for " + Lines.quoted(entry.getKey())
                        + ", expected the name of a file beside the index; correct the index");
            }
            index.put(entry.getKey(), file);
        }
        return index;
    }

    private static boolean plain(String file) {
        return file.endsWith(".safetensors")
                && file.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c));
    }

    private static InputException noWeights(ModelFiles files) {
        boolean pytorch = files.has("pytorch_model.bin") || files.has("pytorch_model.bin.index.json");
        return new InputException(files.origin(ModelFiles.WEIGHTS) + ": found "
                + (pytorch ? "only pytorch_model.bin" : "no such file") + ", expected model.safetensors or "
                + ModelFiles.INDEX + "; "
                + (pytorch
                        ? "convert the weights to safetensors (save_pretrained(..., safe_serialization=True) does)"
                        : "give a Hugging Face model directory"));
    }
}
