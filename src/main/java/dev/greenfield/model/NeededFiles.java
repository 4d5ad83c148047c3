package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Which of its files a model is opened by. */
final class NeededFiles {
    private NeededFiles() {}

    /**
     * The names of the files that there have to be, and of those that change what is opened where they are there. Only the configuration
     * and an index are read.
     *
     * @throws InputException if this is no model that can be opened: configuration or weights are missing, or of another kind
     */
    static List<String> of(ModelFiles files) throws IOException {
        requireConfig(files);
        ConfigJson.read(files.read(ModelFiles.CONFIG), files.origin(ModelFiles.CONFIG));
        StoredWeights.refuseAdapter(files);
        List<String> needed = new ArrayList<>(List.of(ModelFiles.CONFIG));
        needed.addAll(Tokenizers.files(files));
        needed.addAll(weights(files)); // last, since they are large
        return needed;
    }

    /** Refuses what has no configuration. */
    static void requireConfig(ModelFiles files) {
        if (!files.has(ModelFiles.CONFIG)) {
            throw new InputException(files.origin(ModelFiles.CONFIG)
                    + ": found no such file, expected the configuration of a model; give a Hugging Face model directory, or "
                    + Remedy.FETCH_MODEL + " org/name and give that name");
        }
    }

    private static Set<String> weights(ModelFiles files) throws IOException {
        if (files.has(ModelFiles.WEIGHTS)) {
            return Set.of(ModelFiles.WEIGHTS);
        }
        Set<String> names = new LinkedHashSet<>();
        Set<String> shards = new LinkedHashSet<>(WeightIndex.read(files).values());
        names.add(ModelFiles.INDEX);
        names.addAll(shards);
        return names;
    }

    /**
     * The first file that a snapshot of the hub lacks, of those without which no model can be opened; null where all are there. Programs
     * that wanted a model's tokenizer leave such snapshots.
     */
    static String missing(ModelFiles files) throws IOException {
        if (!files.has(ModelFiles.CONFIG)) {
            return ModelFiles.CONFIG;
        }
        if (!files.has(ModelFiles.WEIGHTS) && !files.has(ModelFiles.INDEX)) {
            return ModelFiles.WEIGHTS;
        }
        return weights(files).stream()
                .filter(name -> !files.has(name))
                .findFirst()
                .orElse(null);
    }
}
