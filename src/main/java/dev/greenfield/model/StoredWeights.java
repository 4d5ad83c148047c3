package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsException;
import dev.greenfield.safetensors.Tensor;
import dev.greenfield.text.Digest;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Weights in {@code model.safetensors}, or in shards that {@code model.safetensors.index.json} lists. */
final class StoredWeights implements Weights {
    private static final String PREFIX = "transformer."; // of the names that GPT2LMHeadModel saves
    private static final Pattern BLOCK = Pattern.compile("(?:transformer\\.)?h\\.(\\d{1,9})\\..*");

    private final ModelFiles files;
    private final Map<String, Safetensors> shards = new LinkedHashMap<>(); // by file, in the order of the index
    private final Map<String, Parameter> parameters = new LinkedHashMap<>(); // by canonical name

    private StoredWeights(ModelFiles files) {
        this.files = files;
    }

    /**
     * Opens the files and checks that all parameters of the configuration are there.
     *
     * @throws InputException if a file is missing or broken, or tensors are missing or misshapen: all of them in one message
     */
    static StoredWeights open(ModelFiles files, ModelConfig config) throws IOException {
        StoredWeights weights = new StoredWeights(files);
        try {
            weights.bind(config);
            return weights;
        } catch (IOException | RuntimeException | Error failure) {
            try {
                weights.close();
            } catch (IOException alsoFailed) {
                failure.addSuppressed(alsoFailed);
            }
            throw failure;
        }
    }

    private void bind(ModelConfig config) throws IOException {
        Map<String, Tensor> stored = files.has(ModelFiles.WEIGHTS) ? whole() : sharded();
        List<String> problems = new ArrayList<>();
        for (Map.Entry<String, long[]> wanted : ParameterLayout.shapes(config).entrySet()) {
            String name = wanted.getKey();
            Tensor tensor = stored.containsKey(name) ? stored.get(name) : stored.get(PREFIX + name);
            if (tensor == null) {
                problems.add(name + " is missing");
            } else if (!tensor.dtype().floating() || !Arrays.equals(tensor.shape(), wanted.getValue())) {
                problems.add(name + " is " + tensor.dtype() + " " + Arrays.toString(tensor.shape()) + ", not float "
                        + Arrays.toString(wanted.getValue()));
            } else {
                parameters.put(name, new Stored(name, tensor));
            }
        }
        String origin = files.origin(files.has(ModelFiles.WEIGHTS) ? ModelFiles.WEIGHTS : ModelFiles.INDEX);
        if (!problems.isEmpty()) {
            throw new InputException(origin + ": found tensors that do not fit config.json ("
                    + String.join("; ", problems)
                    + "), expected all " + ParameterLayout.shapes(config).size()
                    + " parameters of that configuration; get the weights and config.json of one GPT-2 style model");
        }
        refuseFurtherBlocks(stored, config, origin);
    }

    /** A config.json with too small an n_layer would silently cut the model off. */
    private static void refuseFurtherBlocks(Map<String, Tensor> stored, ModelConfig config, String origin) {
        for (String name : stored.keySet()) {
            Matcher block = BLOCK.matcher(name);
            if (block.matches() && Integer.parseInt(block.group(1)) >= config.layers()) {
                throw new InputException(origin + ": found " + Lines.one(name) + ", expected blocks 0 to "
                        + (config.layers() - 1) + ", because n_layer is " + config.layers()
                        + "; correct config.json or remove the further blocks from the weights");
            }
        }
    }

    private Map<String, Tensor> whole() throws IOException {
        Safetensors file = shard(ModelFiles.WEIGHTS);
        Map<String, Tensor> stored = new LinkedHashMap<>();
        for (String name : file.names()) {
            stored.put(name, file.tensor(name));
        }
        return stored;
    }

    private Map<String, Tensor> sharded() throws IOException {
        if (!files.has(ModelFiles.INDEX)) {
            throw noWeights();
        }
        String origin = files.origin(ModelFiles.INDEX);
        JsonNode map = Json.parse(files.read(ModelFiles.INDEX), origin).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new InputException(
                    origin + ": found no \"weight_map\", expected an object that names the file of every"
                            + " tensor; get the file again");
        }
        Map<String, Tensor> stored = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String file = entry.getValue().asText("");
            if (!entry.getValue().isTextual() || !plain(file)) {
                throw new InputException(origin + ": found the file "
                        + Lines.quoted(entry.getValue().asText())
                        + " for " + Lines.quoted(entry.getKey())
                        + ", expected the name of a file beside the index; correct the index");
            }
            Safetensors shard = shard(file);
            if (shard.contains(entry.getKey())) {
                stored.put(entry.getKey(), shard.tensor(entry.getKey()));
            }
        }
        return stored;
    }

    /** Whether a file name of the index stays in its directory. */
    private static boolean plain(String file) {
        return file.endsWith(".safetensors")
                && file.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c));
    }

    private InputException noWeights() {
        boolean pytorch = files.has("pytorch_model.bin") || files.has("pytorch_model.bin.index.json");
        return new InputException(files.origin(ModelFiles.WEIGHTS) + ": found "
                + (pytorch ? "only pytorch_model.bin" : "no such file") + ", expected model.safetensors or "
                + ModelFiles.INDEX + "; "
                + (pytorch
                        ? "convert the weights to safetensors (save_pretrained(..., safe_serialization=True) does)"
                        : "give a Hugging Face model directory"));
    }

    private Safetensors shard(String file) throws IOException {
        Safetensors open = shards.get(file);
        if (open == null) {
            if (!files.has(file)) {
                throw new InputException(files.origin(file) + ": found no such file, expected the shard that "
                        + ModelFiles.INDEX + " names; get the missing file");
            }
            try {
                open = files.tensors(file);
            } catch (SafetensorsException broken) {
                throw new InputException(Lines.reason(broken) + "; get the file again", broken);
            }
            shards.put(file, open);
        }
        return open;
    }

    @Override
    public Parameter parameter(String name) {
        return parameters.get(name);
    }

    @Override
    public String sha256() throws IOException {
        long all = 0;
        for (String file : shards.keySet()) {
            all += files.size(file);
        }
        return Task.call("digest", "bytes", (double) all, task -> {
            Digest digest = new Digest();
            long[] before = {0};
            for (String file : shards.keySet()) {
                try (InputStream stream = files.stream(file)) {
                    digest.drain(stream, count -> {
                        before[0] += count;
                        task.to((double) before[0]);
                    });
                }
            }
            return digest.hex();
        });
    }

    @Override
    public void close() throws IOException {
        for (Safetensors shard : shards.values()) {
            shard.close();
        }
    }

    /** A tensor under its canonical name. */
    private record Stored(String name, Tensor tensor) implements Parameter {
        @Override
        public long[] shape() {
            return tensor.shape();
        }

        @Override
        public void read(long from, double[] into, int at, int count) {
            tensor.read(from, into, at, count);
        }

        @Override
        public void read(long from, float[] into, int at, int count) {
            tensor.read(from, into, at, count);
        }
    }
}
