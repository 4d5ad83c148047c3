package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelSourceTest {
    @TempDir
    Path folder;

    private static void refused(Path directory, String... parts) {
        assertThatThrownBy(() -> ModelSource.open(directory).close())
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("\n");
    }

    /** Every parameter holds i / 8 at i, whatever the files look like. */
    private static void holdsEighths(ModelSource source) {
        ParameterLayout.shapes(source.config()).forEach((name, shape) -> {
            Parameter parameter = source.parameter(name);
            assertThat(parameter.name()).isEqualTo(name);
            assertThat(parameter.shape()).isEqualTo(shape);
            int last = (int) ParameterLayout.elements(shape) - 1;
            double[] wide = new double[4];
            parameter.read(last - 1, wide, 1, 2);
            assertThat(wide).containsExactly(0, (last - 1) / 8.0, last / 8.0, 0);
            float[] narrow = new float[4];
            parameter.read(last - 1, narrow, 1, 2);
            assertThat(narrow).containsExactly(0, (last - 1) / 8f, last / 8f, 0);
        });
    }

    @Test
    void readsOneFileAndNamesItByItsDigest() throws Exception {
        Path path = new ModelDirectory(folder).whole().path();
        try (ModelSource source = ModelSource.open(path.toString())) {
            assertThat(source.spec()).isEqualTo(path.toString());
            assertThat(source.config().layers()).isEqualTo(2);
            holdsEighths(source);
            assertThat(source.parameter("lm_head.weight").name()).isEqualTo("wte.weight");
            assertThat(source.sha256()).isEqualTo(sha256(path.resolve("model.safetensors")));
            assertThatThrownBy(() -> source.parameter("h.2.ln_1.bias"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("h.2.ln_1.bias");
        }
    }

    @Test
    void readsShardsInTheOrderOfTheIndex() throws Exception {
        Path path = new ModelDirectory(folder).prefixed().sharded().path();
        try (ModelSource source = ModelSource.open(path)) {
            holdsEighths(source);
            assertThat(source.sha256())
                    .isEqualTo(sha256(path.resolve("two.safetensors"), path.resolve("one.safetensors")));
        }
    }

    private static String sha256(Path... files) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (Path file : files) {
            digest.update(Files.readAllBytes(file));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F64", "F32", "F16", "BF16"})
    void readsEveryFloatType(DType type) throws IOException {
        // Elements 20 to 31: numbers of at most five significant bits, exact in every type.
        try (ModelSource source =
                ModelSource.open(new ModelDirectory(folder).typed(type).whole().path())) {
            float[] head = new float[12];
            source.parameter("h.1.mlp.c_proj.weight").read(20, head, 0, 12);
            for (int i = 0; i < head.length; i++) {
                assertThat(head[i]).isEqualTo((20 + i) / 8f);
            }
        }
    }

    @Test
    void acceptsPrefixedNamesAndStoredMasks() throws IOException {
        new ModelDirectory(folder)
                .prefixed()
                .tensor("h.0.attn.bias", DType.BOOL, 1, 1, 6, 6)
                .tensor("h.0.attn.masked_bias", DType.F32)
                .whole();
        try (ModelSource source = ModelSource.open(folder)) {
            holdsEighths(source);
        }
    }

    @Test
    void takesTheHeadThatTheConfigurationSays() throws IOException {
        new ModelDirectory(folder).tensor("lm_head.weight", DType.F64, 5, 4).whole();
        try (ModelSource tied = ModelSource.open(folder)) {
            assertThat(tied.parameter("lm_head.weight").name()).isEqualTo("wte.weight");
        }
        String untied = ModelDirectory.CONFIG.replace("}", ", \"tie_word_embeddings\": false}");
        Files.writeString(folder.resolve("config.json"), untied);
        try (ModelSource source = ModelSource.open(folder)) {
            assertThat(source.parameter("lm_head.weight").name()).isEqualTo("lm_head.weight");
        }
        new ModelDirectory(folder).config(untied).whole();
        refused(folder, "lm_head.weight is missing");
    }

    @Test
    void listsEverythingThatDoesNotFitInOneMessage() throws IOException {
        new ModelDirectory(folder)
                .without("h.1.ln_2.bias")
                .without("ln_f.weight")
                .tensor("wte.weight", DType.F32, 4, 5)
                .tensor("wpe.weight", DType.I32, 6, 4)
                .whole();
        refused(
                folder,
                "h.1.ln_2.bias is missing",
                "ln_f.weight is missing",
                "wte.weight is F32 [4, 5], not float [5, 4]",
                "wpe.weight is I32 [6, 4], not float [6, 4]");
    }

    @Test
    void refusesToCutAModelOff() throws IOException {
        new ModelDirectory(folder).config("\"n_layer\": 2", "\"n_layer\": 1").whole();
        refused(folder, "found h.1.", "expected blocks 0 to 0", "n_layer is 1");
    }

    @Test
    void refusesBrokenFiles() throws IOException {
        new ModelDirectory(folder).whole();
        Path file = folder.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        for (int length : new int[] {0, 5, 100, bytes.length / 2, bytes.length - 1}) {
            Files.write(file, Arrays.copyOf(bytes, length));
            refused(folder, "model.safetensors");
        }
    }

    @Test
    void saysWhichFileIsMissing() throws IOException {
        assertThatThrownBy(() -> ModelSource.open(folder.resolve("absent").toString()))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("absent", "found nothing", "demo", "random:gpt2");
        refused(folder, "config.json", "found no such file");
        new ModelDirectory(folder);
        refused(folder, "expected model.safetensors or model.safetensors.index.json");
        Files.createFile(folder.resolve("pytorch_model.bin"));
        refused(folder, "only pytorch_model.bin", "convert the weights to safetensors");
        refused(folder.resolve("config.json"), "found a file", "expected a directory");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../one.safetensors",
                "/one.safetensors",
                "a/one.safetensors",
                "..\\\\one.safetensors",
                "..",
                "",
                "a\\nb"
            })
    void refusesShardsOutsideTheDirectory(String name) throws IOException {
        new ModelDirectory(folder)
                .file("model.safetensors.index.json", "{\"weight_map\": {\"wte.weight\": \"" + name + "\"}}");
        refused(folder, "expected the name of a file beside the index");
    }

    @Test
    void refusesBrokenIndexes() throws IOException {
        ModelDirectory directory = new ModelDirectory(folder).sharded();
        Files.delete(folder.resolve("one.safetensors"));
        refused(folder, "one.safetensors", "found no such file");
        directory.file("model.safetensors.index.json", "{\"weight_map\": {\"a\": 3}}");
        refused(folder, "found the file \"3\" for \"a\"");
        directory.file("model.safetensors.index.json", "{\"metadata\": {}}");
        refused(folder, "found no \"weight_map\"");
        directory.file("model.safetensors.index.json", "{\"weight_map\": {\"wte.weight\": \"two.safetensors\"}}");
        refused(folder, "wte.weight is missing (the index says it is in two.safetensors)", "and 6 more");
    }

    @Test
    void findsWhatLiesInAnotherShardThanTheIndexSays() throws IOException {
        Path path = new ModelDirectory(folder).prefixed().sharded().path();
        Path index = path.resolve("model.safetensors.index.json");
        String swapped = Files.readString(index)
                .replace("one.safetensors", "1")
                .replace("two.safetensors", "one.safetensors")
                .replace("\"1\"", "\"two.safetensors\"");
        Files.writeString(index, swapped);
        try (ModelSource source = ModelSource.open(path)) {
            holdsEighths(source);
        }
    }

    @Test
    void usesTheHeadThatIsStored() throws IOException {
        new ModelDirectory(folder).tensor("lm_head.weight", DType.F64, 5, 4).whole();
        try (ModelSource equal = ModelSource.open(folder)) {
            assertThat(equal.config().tied()).isTrue();
            assertThat(equal.notes()).isEmpty();
        }
        new ModelDirectory(folder).tensor("lm_head.weight", DType.BOOL, 5, 4).whole();
        refused(folder, "lm_head.weight is BOOL [5, 4], not float [5, 4]");
        new ModelDirectory(folder).tensor("lm_head.weight", DType.F32, 6, 4).whole();
        refused(folder, "lm_head.weight is F32 [6, 4], not float [5, 4]");
        new ModelDirectory(folder)
                .tensor("lm_head.weight", DType.F32, 5, 4)
                .scaled("lm_head.weight", 2)
                .whole();
        try (ModelSource differs = ModelSource.open(folder)) {
            assertThat(differs.config().tied()).isFalse();
            assertThat(differs.notes())
                    .singleElement()
                    .asString()
                    .contains("lm_head.weight differs", "stored head is used");
            double[] last = new double[1];
            differs.parameter("lm_head.weight").read(19, last, 0, 1);
            assertThat(last).containsExactly(2 * 19 / 8.0);
        }
        new ModelDirectory(folder)
                .tensor("lm_head.weight", DType.F32, 5, 4)
                .scaled("lm_head.weight", Double.NaN)
                .whole();
        refused(folder, "lm_head.weight is NaN");
    }

    @Test
    void aHeadAloneIsTheEmbeddingToo() throws IOException {
        new ModelDirectory(folder)
                .tensor("lm_head.weight", DType.F32, 5, 4)
                .without("wte.weight")
                .whole();
        try (ModelSource source = ModelSource.open(folder)) {
            holdsEighths(source);
            assertThat(source.notes()).singleElement().asString().contains("serves as wte.weight");
        }
    }

    @Test
    void namesTensorsThatNobodyUses() throws IOException {
        new ModelDirectory(folder)
                .tensor("lm_head.bias", DType.F32, 5)
                .tensor("score.weight", DType.U16, 2)
                .tensor("h.0.attn.bias", DType.BOOL, 6, 6)
                .whole();
        try (ModelSource source = ModelSource.open(folder)) {
            assertThat(source.notes()).singleElement().asString().contains("2 tensors", "lm_head.bias", "score.weight");
        }
        new ModelDirectory(folder)
                .tensor("transformer.wte.weight", DType.F32, 5, 4)
                .whole();
        refused(folder, "found both");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "h.0.attn.c_attn.lora_A.weight",
                "h.0.attn.c_attn.lora_B.default.weight",
                "base_model.model.transformer.h.0.attn.c_attn.lora_A.weight",
                "h.0.attn.c_attn.base_layer.weight",
                "h.0.attn.ia3_l",
                "h.0.mlp.adapter.down.weight"
            })
    void refusesAdapters(String name) throws IOException {
        new ModelDirectory(folder).tensor(name, DType.F32, 4, 4).whole();
        refused(folder, name, "adapter", "merge");
    }

    @Test
    void isNotImpressedByMillionsOfLayers() throws IOException {
        new ModelDirectory(folder)
                .config("\"n_layer\": 2", "\"n_layer\": 123456789")
                .whole();
        refused(folder, "found 28 tensors", "123456789 blocks", "h.0.attn.c_attn.bias");
    }

    @Test
    void theDigestIsOfWhatWasRead() throws Exception {
        Path path = new ModelDirectory(folder).whole().path();
        Path file = path.resolve("model.safetensors");
        String before = sha256(file);
        try (ModelSource source = ModelSource.open(path)) {
            Path other = Files.write(folder.resolve("other"), new byte[9]);
            Files.move(other, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            assertThat(source.sha256()).isEqualTo(before);
        }
        new ModelDirectory(folder).whole();
        try (ModelSource source = ModelSource.open(path)) {
            Files.write(file, new byte[] {1}, java.nio.file.StandardOpenOption.APPEND);
            assertThatThrownBy(source::sha256).hasMessageContaining("changed while it was in use");
            assertThatThrownBy(source::requireUnchanged).hasMessageContaining("changed while it was in use");
        }
    }

    @Test
    void settingsAreSmall() throws IOException {
        new ModelDirectory(folder).whole().config(" ".repeat(1 << 23) + ModelDirectory.CONFIG);
        refused(folder, "config.json", "more than 8 MiB");
    }

    @Test
    void refusesWhatIsNoFile() throws IOException {
        new ModelDirectory(folder).whole();
        Files.delete(folder.resolve("config.json"));
        Files.createDirectory(folder.resolve("config.json"));
        refused(folder, "config.json", "found a directory");
    }

    @Test
    void demoIsInTheJar() throws IOException {
        try (ModelSource demo = ModelSource.open("demo")) {
            assertThat(demo.spec()).isEqualTo("demo");
            assertThat(demo.config())
                    .isEqualTo(new ModelConfig(4, 4, 128, 512, 64, 291, 1e-5, Activation.GELU_NEW, true, true, false));
            assertThat(demo.config().parameters()).isEqualTo(838784);
            assertThat(demo.sha256()).isEqualTo("c7b29c6ae13c4618723d9b05c357518b2a15c3ae2a21c84b83aeaf4398d7d5a3");
        }
    }
}
