package dev.greenfield.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The environment variables and the cache, as {@code huggingface_hub} has them. */
class HubTest {
    private static final Path HOME = Path.of(System.getProperty("user.home"));
    private static final String COMMIT = FakeHub.COMMIT;

    @TempDir
    private Path temporary;

    private static Path cache(String... variables) {
        return hub(variables).cache();
    }

    private static Hub hub(String... variables) {
        Map<String, String> all = new java.util.HashMap<>();
        for (int v = 0; v < variables.length; v += 2) {
            all.put(variables[v], variables[v + 1]);
        }
        return Hub.of(all);
    }

    @Test
    void theCacheIsWhereTheVariablesSay() {
        assertThat(cache()).isEqualTo(HOME.resolve(".cache/huggingface/hub"));
        assertThat(cache("XDG_CACHE_HOME", "/x")).isEqualTo(Path.of("/x/huggingface/hub"));
        assertThat(cache("XDG_CACHE_HOME", "/x", "HF_HOME", "/h")).isEqualTo(Path.of("/h/hub"));
        assertThat(cache("HF_HOME", "/h", "HUGGINGFACE_HUB_CACHE", "/old")).isEqualTo(Path.of("/old"));
        assertThat(cache("HUGGINGFACE_HUB_CACHE", "/old", "HF_HUB_CACHE", "/new"))
                .isEqualTo(Path.of("/new"));
        assertThat(cache("HF_HOME", "~/h")).isEqualTo(HOME.resolve("h/hub"));
        assertThat(cache("HF_HOME", "$BASE/h${MORE}", "BASE", "/b", "MORE", "i"))
                .isEqualTo(Path.of("/b/hi/hub"));
        assertThat(cache("HF_HOME", "")).isEqualTo(cache());
        assertThatThrownBy(() -> cache("HF_HOME", "a\u0000b"))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("HF_HOME", "expected a path");
    }

    @Test
    void theServerIsCheckedAndNotRepeated() {
        assertThat(hub().endpoint()).hasToString("https://huggingface.co");
        assertThat(hub("HF_ENDPOINT", "https://hub.example/hf//").endpoint()).hasToString("https://hub.example/hf");
        for (String wrong :
                new String[] {"hub.example", "ftp://hub", "https://me:secret@hub.example", "https://", "a b"}) {
            assertThatThrownBy(() -> hub("HF_ENDPOINT", wrong).endpoint())
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("HF_ENDPOINT")
                    .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("secret"));
        }
    }

    @Test
    void offlineIsWhatPythonTakesForTrue() {
        assertThat(hub().offline()).isFalse();
        assertThat(hub("HF_HUB_OFFLINE", "0").offline()).isFalse();
        assertThat(hub("HF_HUB_OFFLINE", "yes").offline()).isTrue();
        assertThat(hub("TRANSFORMERS_OFFLINE", "1").offline()).isTrue();
        assertThat(hub("TRANSFORMERS_OFFLINE", "1", "HF_HUB_OFFLINE", "0").offline())
                .isFalse();
    }

    @Test
    void theTokenComesFromTheEnvironmentOrItsFile() throws IOException {
        Path file = Files.writeString(temporary.resolve("token"), "hf_file\n");
        String home = temporary.toString();
        assertThat(hub("HF_HOME", home).token()).contains("hf_file");
        assertThat(hub("HF_HOME", home, "HF_TOKEN", " hf_variable ").token()).contains("hf_variable");
        assertThat(hub("HF_HOME", "/none", "HF_TOKEN_PATH", file.toString()).token())
                .contains("hf_file");
        assertThat(hub("HF_HOME", "/none").token()).isEmpty();
        assertThat(hub("HF_TOKEN", "x", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1").token())
                .isEmpty();
        assertThat(hub("HF_HOME", home, "HF_TOKEN", "hf_variable").toString()).doesNotContain("hf_");
        assertThatThrownBy(() -> hub("HF_TOKEN", "hf_x\r\nHost: evil").token())
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("HF_TOKEN: found what cannot be a token")
                .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("hf_x"));
    }

    private Path repository(String folder) throws IOException {
        Path repository = temporary.resolve("hub").resolve(folder);
        Path snapshot = Files.createDirectories(repository.resolve("snapshots").resolve(COMMIT));
        Path blobs = Files.createDirectories(repository.resolve("blobs"));
        Files.writeString(blobs.resolve("abc"), "bytes");
        Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of(FakeHub.UP + FakeHub.UP + "blobs/abc"));
        Files.createDirectories(repository.resolve("refs/refs/pr"));
        Files.writeString(repository.resolve("refs/main"), COMMIT);
        Files.writeString(repository.resolve("refs/refs/pr/1"), COMMIT + "\n");
        return repository;
    }

    private Hub hub() {
        return hub("HF_HUB_CACHE", temporary.resolve("hub").toString());
    }

    @Test
    void revisionsLeadToSnapshots() throws IOException {
        assertThat(hub().snapshots(HubName.of("org/name"))).isEmpty();
        Path snapshot = repository("models--org--name").resolve("snapshots").resolve(COMMIT);
        for (String text : new String[] {"org/name", "org/name@refs/pr/1", "org/name@" + COMMIT}) {
            HubSnapshot found = hub().snapshots(HubName.of(text)).get(0);
            assertThat(found).isEqualTo(new HubSnapshot(HubName.of(text), COMMIT, snapshot));
            assertThat(found.file("config.json")).hasContent("bytes");
        }
        assertThat(hub().snapshots(HubName.of("org/name@other"))).isEmpty();
        assertThat(hub().snapshots(HubName.of("org/name@" + COMMIT.replace('0', '1'))))
                .isEmpty();
    }

    @Test
    void oneOfTwoNamesIsEnough() throws IOException {
        repository("models--gpt2");
        assertThat(hub().snapshots(HubName.of("openai-community/gpt2"))).hasSize(1);
        repository("models--distilbert--distilgpt2");
        assertThat(hub().snapshots(HubName.of("distilgpt2"))).hasSize(1);
    }

    @Test
    void linksOutOfTheRepositoryAreNotFollowed() throws IOException {
        Path repository = repository("models--org--name");
        Path secret = Files.writeString(temporary.resolve("secret"), "secret");
        Path snapshot = repository.resolve("snapshots").resolve(COMMIT);
        Files.createSymbolicLink(snapshot.resolve("tokens.json"), secret);
        Path neighbour = repository("models--org--neighbour").resolve("blobs/abc");
        Files.createSymbolicLink(snapshot.resolve("vocab.json"), neighbour);
        HubSnapshot found = hub().snapshots(HubName.of("org/name")).get(0);
        for (String file : new String[] {"tokens.json", "vocab.json"}) {
            assertThatThrownBy(() -> found.file(file))
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll(file, "found a link to", "expected one within");
        }
        Files.delete(repository.resolve("refs/main"));
        Files.createSymbolicLink(repository.resolve("refs/main"), secret);
        assertThatThrownBy(() -> hub().snapshots(HubName.of("org/name")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("found a link to");
    }

    /** Newer versions of Python's package keep bytes that several repositories have in a folder beside them. */
    @Test
    void theSharedStoreOfACacheIsPartOfIt() throws IOException {
        Path repository = repository("models--org--name");
        Path shared = Files.createDirectories(temporary.resolve("hub/blobs/ab"));
        Files.writeString(shared.resolve("abcd"), "shared");
        Files.createSymbolicLink(repository.resolve("blobs/def"), Path.of(FakeHub.UP + FakeHub.UP + "blobs/ab/abcd"));
        Path snapshot = repository.resolve("snapshots").resolve(COMMIT);
        Files.createSymbolicLink(snapshot.resolve("model.safetensors"), Path.of(FakeHub.UP + FakeHub.UP + "blobs/def"));
        assertThat(hub().snapshots(HubName.of("org/name")).get(0).file("model.safetensors"))
                .hasContent("shared");
    }

    /** Large models are often moved to another disk, with a link in their place. */
    @Test
    void aRepositoryMayBeALinkItself() throws IOException {
        Path elsewhere = Files.createDirectories(temporary.resolve("disk"));
        Path repository = repository("models--org--name");
        Files.move(repository, elsewhere.resolve("moved"));
        Files.createSymbolicLink(repository, elsewhere.resolve("moved"));
        HubSnapshot found = hub().snapshots(HubName.of("org/name")).get(0);
        assertThat(found.file("config.json")).hasContent("bytes");
        Path beside = Files.createDirectories(elsewhere.resolve("blobs"));
        Files.writeString(beside.resolve("other"), "other");
        Files.createSymbolicLink(found.directory().resolve("vocab.json"), beside.resolve("other"));
        assertThatThrownBy(() -> found.file("vocab.json")).hasMessageContaining("found a link to");
    }

    @Test
    void aRevisionThatNamesNoCommitIsRefused() throws IOException {
        Path repository = repository("models--org--name");
        for (String wrong :
                new String[] {FakeHub.UP + FakeHub.UP + FakeHub.UP + "secret", "", "abc", "x".repeat(100_000)}) {
            Files.writeString(repository.resolve("refs/main"), wrong);
            assertThatThrownBy(() -> hub().snapshots(HubName.of("org/name")))
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll("refs", "expected a commit");
        }
    }
}
