package dev.greenfield.model;

import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Small model directories for tests of other packages, and the files in them that are changed. */
public final class ModelFolders {
    private static final List<String> CONFIGS = List.of(ModelDirectory.CONFIG, """
            {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": 2, "n_head": 2, "n_embd": 4,
             "n_inner": 16, "n_positions": 6, "n_ctx": 6, "vocab_size": 5, "layer_norm_epsilon": 1e-05,
             "activation_function": "gelu", "scale_attn_weights": true, "scale_attn_by_inverse_layer_idx": false,
             "reorder_and_upcast_attn": false, "tie_word_embeddings": true, "add_cross_attention": false,
             "torch_dtype": "float32", "attn_pdrop": 0.1, "bos_token_id": 0, "eos_token_id": 0}
            """);

    private ModelFolders() {}

    /** A model of two layers, whole or in two shards; what the file may hold. */
    public static List<byte[]> model(Path folder, boolean sharded, Path file) throws IOException {
        ModelDirectory model = new ModelDirectory(folder);
        if (sharded) {
            model.sharded();
            return List.of(Files.readAllBytes(file));
        }
        model.whole();
        return CONFIGS.stream()
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    /** A model of 300 tokens that has no tokenizer; tokenizers of several kinds. */
    public static List<byte[]> tokenizers(Path folder) throws IOException {
        new ModelDirectory(folder)
                .config("\"vocab_size\": 5", "\"vocab_size\": 300")
                .tensor("wte.weight", DType.F32, 300, 4)
                .whole()
                .file("tokenizer_config.json", "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}");
        List<byte[]> seeds = new ArrayList<>();
        for (String seed : TokenizerMutants.seeds()) {
            seeds.add(seed.getBytes(StandardCharsets.UTF_8));
        }
        return seeds;
    }
}
