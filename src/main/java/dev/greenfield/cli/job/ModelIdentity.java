package dev.greenfield.cli.job;

import dev.greenfield.hub.HubSnapshot;
import dev.greenfield.model.ModelSource;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which model a result is of, as {@code result.json} has it. */
public final class ModelIdentity {
    private ModelIdentity() {}

    /**
     * The fields: what was asked for, the digest, family, layers, heads and width, and of a model from the hub its name, revision and commit.
     *
     * @param path as it was given
     * @param sha256 of the weights; null where it was not taken
     */
    public static Map<String, Object> fields(String path, String sha256, ModelSource source) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("path", path);
        fields.put("sha256", sha256);
        fields.put("family", source.config().family().modelType());
        fields.put("layers", source.config().layers());
        fields.put("heads", source.config().heads());
        fields.put("width", source.config().width());
        source.snapshot().ifPresent(snapshot -> fields.put("hub", hub(snapshot)));
        return fields;
    }

    private static Map<String, Object> hub(HubSnapshot snapshot) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", snapshot.name().repository());
        fields.put("revision", snapshot.name().revision());
        fields.put("commit", snapshot.commit());
        return fields;
    }
}
