package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import dev.greenfield.hub.FakeHub;
import dev.greenfield.hub.Hub;
import dev.greenfield.hub.HubFile;
import dev.greenfield.hub.HubName;
import dev.greenfield.hub.HubSnapshot;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which files of a model come from the hub, and how the model is opened by its name then. */
@Tag("slow")
class ModelFetchTest {
    private static final HubName NAME = HubName.of("org/name");

    @TempDir
    private Path temporary;

    private FakeHub server;
    private Path cache;
    private Path sound; // a small model

    @BeforeEach
    void start() throws IOException {
        server = new FakeHub();
        cache = temporary.resolve("cache").resolve("hub");
        sound = new ModelDirectory(Files.createDirectory(temporary.resolve("sound")))
                .whole()
                .path();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Hub hub(String... variables) {
        return server.hub(cache, variables);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** The files of the sound model with more or other ones. */
    private Map<String, byte[]> files(String... more) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> entries = Files.list(sound)) {
            for (Path entry : entries.toList()) {
                files.put(entry.getFileName().toString(), Files.readAllBytes(entry));
            }
        }
        for (int m = 0; m < more.length; m += 2) {
            files.put(more[m], bytes(more[m + 1]));
        }
        return files;
    }

    private List<String> fetched(Map<String, byte[]> files) throws IOException {
        server.model("org/name", files);
        return ModelFetch.of(NAME, hub()).files().stream().map(HubFile::name).toList();
    }

    @Test
    void aFetchedModelOpensByItsName() throws IOException {
        Path original = TestData.model("facts-8l");
        server.model("org/name", original);
        HubSnapshot snapshot = ModelFetch.of(NAME, hub()).run();
        try (ModelSource source = ModelSource.open("org/name", hub("HF_HUB_OFFLINE", "1"));
                ModelSource expected = ModelSource.open(original)) {
            assertThat(source.sha256()).isEqualTo(expected.sha256());
            assertThat(source.config()).isEqualTo(expected.config());
            assertThat(source.tokenizer().encode("Alice lives in Sofia"))
                    .isEqualTo(expected.tokenizer().encode("Alice lives in Sofia"));
            assertThat(source.snapshot()).contains(snapshot);
            assertThat(source.untrained(1).snapshot()).isEmpty();
            assertThat(expected.snapshot()).isEmpty();
        }
        try (ModelSource source = ModelSource.open("org/name@" + FakeHub.COMMIT, hub())) {
            assertThat(source.snapshot().orElseThrow().name().revision()).isEqualTo(FakeHub.COMMIT);
        }
        int asked = server.asked().size();
        assertThat(ModelFetch.of(HubName.of("org/name@" + FakeHub.COMMIT), hub())
                        .run()
                        .directory())
                .isEqualTo(snapshot.directory());
        assertThat(ModelFetch.of(NAME, hub("HF_HUB_OFFLINE", "1")).files()).allMatch(HubFile::here);
        assertThat(server.asked()).as("nobody is asked for what is whole").hasSize(asked);
    }

    @Test
    void onlyWhatIsReadComes() throws IOException {
        assertThat(fetched(files("README.md", "x", "generation_config.json", "{}", "pytorch_model.bin", "x")))
                .containsExactly("config.json", "model.safetensors");
        assertThat(fetched(files(
                        "tokenizer.json", "{}", "vocab.json", "{}", "merges.txt", "", "tokenizer_config.json", "{}")))
                .containsExactly("config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors");
        assertThat(fetched(files("vocab.json", "{}", "merges.txt", "")))
                .containsExactly("config.json", "vocab.json", "merges.txt", "model.safetensors");
        // A tokenizer of another kind changes what is opened by being there.
        assertThat(fetched(files("vocab.txt", "x", "tokens.json", "[]")))
                .containsExactly("config.json", "tokens.json", "vocab.txt", "model.safetensors");
    }

    @Test
    void shardsComeByTheirIndex() throws IOException {
        String shard = "model-00001-of-00001.safetensors";
        Map<String, byte[]> files = files(
                "model.safetensors.index.json",
                "{\"weight_map\": {\"wte.weight\": \"" + shard + "\", \"wpe.weight\": \"" + shard + "\"}}");
        files.put(shard, files.remove("model.safetensors"));
        assertThat(fetched(files)).containsExactly("config.json", "model.safetensors.index.json", shard);
        HubSnapshot snapshot = ModelFetch.of(NAME, hub()).run();
        ModelSource.open("org/name", hub()).close();

        Files.delete(snapshot.directory().resolve(shard));
        assertThatThrownBy(() -> ModelSource.open("org/name", hub()))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("without " + shard, "Greenfield.fetch for org/name");
    }

    @Test
    void whatCannotBeOpenedIsRefusedBeforeItsWeightsCome() throws IOException {
        Map<String, byte[]> files = files();
        files.put("pytorch_model.bin", files.remove("model.safetensors"));
        refused(files, "found only pytorch_model.bin", "convert the weights to safetensors");
        files.remove("pytorch_model.bin");
        refused(files, "found no such file", "model.safetensors");
        files.put(
                "model.safetensors.index.json",
                bytes("{\"weight_map\": {\"wte.weight\": \"" + FakeHub.UP + "x.safetensors\"}}"));
        refused(files, "\"" + FakeHub.UP + "x.safetensors\"", "beside the index");
        files.put("model.safetensors.index.json", bytes("{\"weight_map\": {\"wte.weight\": \"none.safetensors\"}}"));
        server.model("org/name", files);
        assertThatThrownBy(() -> ModelFetch.of(NAME, hub()).files())
                .hasMessageContaining("no file \"none.safetensors\"");
        refused(files("config.json", "{\"model_type\": \"t5\"}"), "config.json", "t5");
        refused(files("adapter_config.json", "{}"), "found an adapter");
        files = files();
        files.remove("config.json");
        refused(files, "config.json", "expected the configuration");
        assertThat(server.transfers()).isEmpty();
        assertThat(cache).doesNotExist();
    }

    private void refused(Map<String, byte[]> files, String... words) {
        server.model("org/name", files);
        assertThatThrownBy(() -> ModelFetch.of(NAME, hub()))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(words)
                .hasMessageContaining("/org/name");
    }

    @Test
    void whatIsNotThereIsSaidWithWhatToDo() throws IOException {
        assertThatThrownBy(() -> ModelSource.open("org/name@v1", hub()))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(
                        "\"org/name@v1\"", "neither a directory", cache.toString(), "Greenfield.fetch for org/name@v1");
        assertThatThrownBy(() -> ModelSource.open("gpt2", hub()))
                .hasMessageContainingAll("\"gpt2\"", cache.toString(), "call Greenfield.fetch for gpt2");
        assertThatThrownBy(() -> ModelSource.open("some/path/x", hub()))
                .hasMessageContainingAll("found nothing", "expected a directory");
        assertThatThrownBy(() -> ModelFetch.of(NAME, hub("HF_HUB_OFFLINE", "1")))
                .hasMessageContaining("HF_HUB_OFFLINE");
        // What is left by a program that wanted the configuration only.
        Path snapshot = Files.createDirectories(
                cache.resolve("models--org--name/snapshots").resolve(FakeHub.COMMIT));
        Files.writeString(snapshot.resolve("config.json"), ModelDirectory.CONFIG);
        assertThatThrownBy(() -> ModelSource.open("org/name@" + FakeHub.COMMIT, hub()))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(FakeHub.COMMIT, "without model.safetensors", "Greenfield.fetch");
        assertThat(server.asked()).isEmpty();
    }

    /** Python's tokenizers leave a folder without weights under the name by which they were asked for. */
    @Test
    void ofTwoNamesTheWholeModelIsOpened() throws IOException {
        server.model("openai-community/gpt2", files());
        ModelFetch.of(HubName.of("openai-community/gpt2"), hub()).run();
        Path bare =
                Files.createDirectories(cache.resolve("models--gpt2/snapshots").resolve(FakeHub.COMMIT));
        Files.createDirectories(cache.resolve("models--gpt2/refs"));
        Files.writeString(cache.resolve("models--gpt2/refs/main"), FakeHub.COMMIT);
        Files.writeString(bare.resolve("config.json"), ModelDirectory.CONFIG);
        try (ModelSource source = ModelSource.open("gpt2", hub())) {
            assertThat(source.snapshot().orElseThrow().directory())
                    .startsWith(cache.resolve("models--openai-community--gpt2"));
        }
    }

    @Test
    void linksOutOfTheCacheAreNotOpened() throws IOException {
        Path snapshot = Files.createDirectories(
                cache.resolve("models--org--name/snapshots").resolve(FakeHub.COMMIT));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.createSymbolicLink(snapshot.resolve(file), sound.resolve(file).toAbsolutePath());
        }
        assertLinkRefused("config.json");
        Files.delete(snapshot.resolve("config.json"));
        Files.copy(sound.resolve("config.json"), snapshot.resolve("config.json"));
        assertLinkRefused("model.safetensors");
    }

    private void assertLinkRefused(String file) {
        assertThatThrownBy(() -> ModelSource.open("org/name@" + FakeHub.COMMIT, hub()))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(file + ": found a link to");
    }
}
