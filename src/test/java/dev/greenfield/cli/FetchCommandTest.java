package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.hub.FakeHub;
import dev.greenfield.model.ModelSource;
import dev.greenfield.testing.TestData;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From the hub to a result, each command in a process whose environment names hub and cache. */
@Tag("slow")
class FetchCommandTest {
    private static final String PROMPT = "<|endoftext|> The capital of Korea is";
    private static final String TOKEN = "hf_secret";

    @TempDir
    private Path temporary;

    private FakeHub server;
    private Path cache;

    @BeforeEach
    void start() throws IOException {
        server = new FakeHub();
        cache = temporary.resolve("hub");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Cli run(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        String classPath = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                classPath,
                "dev.greenfield.cli.Main"));
        command.addAll(List.of(arguments));
        Path out = temporary.resolve(".out");
        Path err = temporary.resolve(".err");
        ProcessBuilder process = new ProcessBuilder(command)
                .directory(temporary.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        process.environment().keySet().removeIf(name -> name.startsWith("HF_") || name.startsWith("HUGGING"));
        process.environment().putAll(environment);
        int exit = process.start().waitFor();
        Cli cli = new Cli(exit, Files.readString(out), Files.readString(err));
        assertThat(cli.out() + cli.err()).doesNotContain(TOKEN);
        return cli;
    }

    @Test
    void aModelIsFetchedAndUsedByItsName() throws IOException, InterruptedException {
        Path original = TestData.model("facts-8l").toAbsolutePath();
        server.model("org/name", original).wants("org/name", TOKEN);
        Map<String, String> online = server.environment(cache, "HF_TOKEN", TOKEN);

        Cli before = run(online, "field", "--model", "org/name", "--prompt", PROMPT);
        assertThat(before.exit()).isEqualTo(2);
        assertThat(before.err())
                .startsWith("greenfield: \"org/name\": found nothing, neither a directory of that name nor")
                .contains(cache.toString(), "run greenfield fetch org/name")
                .hasLineCount(1);
        assertThat(server.asked()).as("opening asks nobody").isEmpty();

        Cli list = run(online, "fetch", "org/name", "--dry-run");
        assertThat(list.exit()).as(list.err()).isZero();
        assertThat(list.out())
                .contains("config.json", "model.safetensors", "tokenizer.json")
                .contains("would be fetched: 3 of 3 files", FakeHub.COMMIT);
        assertThat(cache).doesNotExist();

        Cli fetched = run(online, "fetch", "org/name");
        assertThat(fetched.exit()).as(fetched.err()).isZero();
        assertThat(fetched.out())
                .contains("org/name, commit " + FakeHub.COMMIT + ", is in " + cache, "use it with --model org/name");
        assertThat(run(online, "fetch", "org/name").out()).contains("in the cache");
        assertThat(server.transfers()).hasSize(1);

        Map<String, String> offline = server.environment(cache, "HF_HUB_OFFLINE", "1");
        int asked = server.asked().size();
        Cli field = run(
                offline, "field", "--model", "org/name@main", "--prompt", PROMPT, "--backend", "cpu", "--out", "out");
        assertThat(field.exit()).as(field.err()).isZero();
        assertThat(server.asked()).hasSize(asked);
        JsonNode model = Cli.result(temporary.resolve("out")).path("model");
        assertThat(model.path("path").asText()).isEqualTo("org/name@main");
        assertThat(model.path("hub").path("name").asText()).isEqualTo("org/name");
        assertThat(model.path("hub").path("revision").asText()).isEqualTo("main");
        assertThat(model.path("hub").path("commit").asText()).isEqualTo(FakeHub.COMMIT);
        try (ModelSource source = ModelSource.open(original)) {
            assertThat(model.path("sha256").asText()).isEqualTo(source.sha256());
        }

        // A directory of that relative name is taken first.
        Files.createDirectories(temporary.resolve("org/name"));
        Cli directory = run(offline, "field", "--model", "org/name", "--prompt", PROMPT);
        assertThat(directory.exit()).isEqualTo(2);
        assertThat(directory.err()).contains("org/name/config.json", "found no such file");
    }

    @Test
    void mistakesAreOneLine() {
        Cli wrong = Cli.run("fetch", "org/../name");
        assertThat(wrong.exit()).isEqualTo(2);
        assertThat(wrong.err())
                .contains("found no name of the hub", "expected org/name")
                .hasLineCount(1);
        assertThat(Cli.run("fetch", "org/name@a b").err())
                .contains("found the revision \"a b\"")
                .hasLineCount(1);
        Cli none = Cli.run("fetch");
        assertThat(none.exit()).isEqualTo(2);
        assertThat(none.err()).contains("ORG/NAME").hasLineCount(1);
    }
}
