package dev.greenfield.model;

import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsException;
import dev.greenfield.safetensors.Tensor;
import dev.greenfield.text.Digest;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Weights in {@code model.safetensors}, or in shards that {@code model.safetensors.index.json} lists. */
final class StoredWeights implements Weights {
    private static final int MOST_NAMED = 8;
    private static final int CHUNK = 1 << 16; // elements
    private static final String ADAPTER_CONFIG = "adapter_config.json";
    /** Names of parts of adapters: LoRA and its kin, prompts and prefixes, and what wraps the layers that they change. */
    private static final Pattern ADAPTER = Pattern.compile(
            "(^|[._])(lora|loha|lokr|hada|ia3|oft|boft|vera|adalora|adapters?|adaption|prompt_encoder|prompt_embeddings|prefix_encoder)([._]|$)"
                    + "|base_layer\\.|modules_to_save\\.|^base_model\\.model\\.");
    /** The causal mask, its value and the frequencies of rotary positions, which old files keep. */
    private static final Pattern BUFFER = Pattern.compile(
            "(h|layers)\\.\\d+\\.(attn\\.|attention\\.)+(bias|masked_bias)|(.*\\.)?rotary_emb\\.inv_freq");

    private static final Pattern BLOCK = Pattern.compile("(?:h|layers)\\.(\\d{1,9})\\..*");

    private final ModelFiles files;
    private final Map<String, Safetensors> shards = new LinkedHashMap<>(); // by file, in the order of the index
    private final Map<String, Parameter> parameters = new LinkedHashMap<>(); // by canonical name
    private final Map<String, String> index = new HashMap<>(); // which file has a tensor, by its short name
    private final Set<String> used = new HashSet<>(); // names of tensors, without the prefix
    private final List<String> notes = new ArrayList<>();
    private final Family family;
    private ModelConfig config; // as the weights have it

    private StoredWeights(ModelFiles files, Family family) {
        this.files = files;
        this.family = family;
    }

    /**
     * Opens the files and checks that all parameters of the configuration are there.
     *
     * @throws InputException if a file is missing or broken, or tensors are missing or misshapen: all of them in one message
     */
    static StoredWeights open(ModelFiles files, ModelConfig config) throws IOException {
        StoredWeights weights = new StoredWeights(files, config.family());
        try {
            weights.config = weights.bind(config);
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

    private ModelConfig bind(ModelConfig config) throws IOException {
        Map<String, Tensor> stored = canonical(files.has(ModelFiles.WEIGHTS) ? whole() : sharded());
        // Before any shape is made: a configuration may claim millions of blocks.
        if (config.layers() > stored.size()) {
            throw new InputException(origin() + ": found " + stored.size() + " tensors, expected "
                    + StoredNames.perBlock(config) + " for each of the " + config.layers()
                    + " blocks that config.json asks for (" + family.layersKey() + "); it has "
                    + Lines.some(stored.values().stream().map(Tensor::name).toList(), 3)
                    + "; get the weights and config.json of one model");
        }
        refuseAdapters(stored);
        ModelConfig bound = head(stored, config);
        Problems problems = new Problems();
        List<StoredNames.Source> sources = StoredNames.of(bound);
        for (StoredNames.Source source : sources) {
            List<Tensor> tensors = new ArrayList<>();
            source.tensors().forEach((name, shape) -> {
                Tensor tensor = stored.get(name);
                if (tensor == null && source.name().equals(ParameterLayout.TOKEN_EMBEDDING) && bound.tied()) {
                    tensor = stored.get(ParameterLayout.OUTPUT); // a file may keep either of two that are one
                }
                if (tensor == null) {
                    problems.add(name + " is missing" + where(name));
                } else if (!usable(tensor) || !Arrays.equals(tensor.shape(), shape)) {
                    problems.add(name + " is " + tensor.dtype() + " " + Lines.one(Arrays.toString(tensor.shape()))
                            + ", not float " + Arrays.toString(shape));
                } else {
                    tensors.add(tensor);
                    used.add(name);
                }
            });
            if (tensors.size() == source.tensors().size()) {
                parameters.put(source.name(), source.parameter(tensors));
            }
        }
        if (problems.count > 0) {
            throw new InputException(origin() + ": found tensors that do not fit config.json (" + problems
                    + "; the file has "
                    + Lines.some(stored.values().stream().map(Tensor::name).toList(), 3) + "), expected all "
                    + sources.stream()
                            .mapToInt(source -> source.tensors().size())
                            .sum()
                    + " parameters of that configuration; get the weights and config.json of one "
                    + family.label() + " style model");
        }
        refuseFurtherBlocks(stored, config, origin());
        nameUnused(stored);
        return bound;
    }

    /** What is wrong, counted; the first few are named. */
    private static final class Problems {
        private final StringBuilder text = new StringBuilder();
        private int count;

        void add(String problem) {
            if (count++ < MOST_NAMED) {
                text.append(count == 1 ? "" : "; ").append(problem);
            }
        }

        @Override
        public String toString() {
            return text + (count > MOST_NAMED ? "; and " + (count - MOST_NAMED) + " more" : "");
        }
    }

    private String origin() {
        return files.origin(files.has(ModelFiles.WEIGHTS) ? ModelFiles.WEIGHTS : ModelFiles.INDEX);
    }

    private static boolean usable(Tensor tensor) {
        return tensor.dtype().floating() && tensor.dtype().readable();
    }

    /** By canonical name; two that are one by it would be a choice that nobody made. */
    private Map<String, Tensor> canonical(Map<String, Tensor> stored) {
        Map<String, Tensor> canonical = new LinkedHashMap<>();
        stored.forEach((name, tensor) -> {
            Tensor other = canonical.put(family.shortName(name), tensor);
            if (other != null) {
                throw new InputException(origin() + ": found both " + Lines.one(other.name()) + " and "
                        + Lines.one(name) + ", expected one of them; remove the one that is not meant");
            }
        });
        return canonical;
    }

    /** What an adapter changes is not in the weights beside it. */
    private void refuseAdapters(Map<String, Tensor> stored) {
        for (String name : stored.keySet()) {
            if (ADAPTER.matcher(name).find()) {
                throw new InputException(
                        origin() + ": found " + Lines.one(stored.get(name).name())
                                + ", a part of an adapter, expected weights that it has been merged into; merge it (merge_and_unload() does)"
                                + " and save the model again");
            }
        }
        refuseAdapter(files);
    }

    /** Likewise one in files of its own. */
    static void refuseAdapter(ModelFiles files) {
        if (files.has(ADAPTER_CONFIG)) {
            throw new InputException(files.origin(ADAPTER_CONFIG)
                    + ": found an adapter beside the model, expected weights that it has been merged into; merge it"
                    + " (merge_and_unload() does), or remove it to use the model without it");
        }
    }

    /** A head that the file keeps is used even where config.json says that it is the embedding, as transformers does. */
    private ModelConfig head(Map<String, Tensor> stored, ModelConfig config) {
        Tensor head = stored.get(ParameterLayout.OUTPUT);
        Tensor embedding = stored.get(StoredNames.embedding(family));
        if (!config.tied() || head == null || embedding == null) {
            if (config.tied() && head != null) {
                notes.add(origin() + ": lm_head.weight serves as " + StoredNames.embedding(family)
                        + " too, which the file lacks and config.json ties to it");
            }
            return config;
        }
        long[] shape = {config.vocabulary(), config.width()};
        if (!usable(head)
                || !usable(embedding)
                || !Arrays.equals(head.shape(), shape)
                || !Arrays.equals(embedding.shape(), shape)) {
            return config.untied(); // what does not fit is refused with the rest
        }
        if (!equal(head, embedding)) {
            notes.add(origin() + ": lm_head.weight differs from " + StoredNames.embedding(family)
                    + ", though config.json ties them; the stored head is used");
            return config.untied();
        }
        return config;
    }

    /** Whether two tensors of one shape hold the same numbers; a head with what is no number is refused. */
    private boolean equal(Tensor head, Tensor embedding) {
        double[] ours = new double[CHUNK];
        double[] theirs = new double[CHUNK];
        boolean equal = true;
        for (long from = 0; from < head.elements(); from += CHUNK) {
            Cancellation.check();
            int count = (int) Math.min(CHUNK, head.elements() - from);
            head.read(from, ours, 0, count);
            embedding.read(from, theirs, 0, count);
            for (int i = 0; i < count; i++) {
                equal &= ours[i] == theirs[i];
                if (!Double.isFinite(ours[i])) {
                    throw new InputException(origin() + ": element " + (from + i) + " of " + Lines.one(head.name())
                            + " is "
                            + ours[i] + ", expected finite numbers; get the file again, or remove that tensor where the"
                            + " embedding is the head");
                }
            }
        }
        return equal;
    }

    private void nameUnused(Map<String, Tensor> stored) {
        List<String> unused = new ArrayList<>();
        stored.forEach((name, tensor) -> {
            boolean sameHead = name.equals(ParameterLayout.OUTPUT);
            if (!used.contains(name) && !sameHead && !BUFFER.matcher(name).matches()) {
                unused.add(tensor.name());
            }
        });
        if (!unused.isEmpty()) {
            notes.add(origin() + ": " + unused.size() + (unused.size() == 1 ? " tensor is" : " tensors are")
                    + " no part of a " + family.label() + " style model and not used: "
                    + Lines.some(unused, MOST_NAMED));
        }
    }

    /** Where the index says that a missing tensor is. */
    private String where(String name) {
        String file = index.get(name);
        return file == null ? "" : " (the index says it is in " + Lines.one(file) + ")";
    }

    /** A config.json with too small an n_layer would silently cut the model off. */
    private static void refuseFurtherBlocks(Map<String, Tensor> stored, ModelConfig config, String origin) {
        for (String name : stored.keySet()) {
            Matcher block = BLOCK.matcher(name);
            if (block.matches() && Integer.parseInt(block.group(1)) >= config.layers()) {
                throw new InputException(origin + ": found " + Lines.one(name) + ", expected blocks 0 to "
                        + (config.layers() - 1) + ", because " + config.family().layersKey() + " is " + config.layers()
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
        String origin = files.origin(ModelFiles.INDEX);
        for (Map.Entry<String, String> entry : WeightIndex.read(files).entrySet()) {
            shard(entry.getValue());
            index.put(family.shortName(entry.getKey()), entry.getValue());
        }
        // Every tensor of every shard, as transformers reads them: the index may be wrong about which shard has it.
        Map<String, Tensor> stored = new LinkedHashMap<>();
        Map<String, String> found = new HashMap<>();
        for (Map.Entry<String, Safetensors> shard : shards.entrySet()) {
            for (String name : shard.getValue().names()) {
                String other = found.put(name, shard.getKey());
                if (other != null) {
                    throw new InputException(origin + ": found " + Lines.one(name) + " in " + Lines.one(other)
                            + " and in " + Lines.one(shard.getKey())
                            + ", expected each tensor in one shard; get the shards again");
                }
                stored.put(name, shard.getValue().tensor(name));
            }
        }
        return stored;
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

    ModelConfig config() {
        return config;
    }

    List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public Parameter parameter(String name) {
        return parameters.get(name);
    }

    @Override
    public String sha256() throws IOException {
        long all = 0;
        for (Safetensors shard : shards.values()) {
            all += shard.size();
        }
        return Task.call("digest", "bytes", (double) all, task -> {
            Digest digest = new Digest();
            long[] before = {0};
            for (Safetensors shard : shards.values()) {
                // What tensors are read from, not what has the file's name by now.
                digest.drain(shard.bytes(), count -> {
                    before[0] += count;
                    task.to((double) before[0]);
                });
            }
            requireUnchanged();
            return digest.hex();
        });
    }

    @Override
    public void requireUnchanged() throws IOException {
        for (Safetensors shard : shards.values()) {
            shard.requireUnchanged();
        }
    }

    @Override
    public void close() throws IOException {
        for (Safetensors shard : shards.values()) {
            shard.close();
        }
    }
}
