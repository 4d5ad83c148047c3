package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --out} is written whole or not at all, whatever is in its way. */
class OutputDirectoryTest {
    @TempDir
    private Path temporary;

    private static Cli field(Path out) {
        return Cli.run("field", "--model", Cli.SMALL, "--tokens", "1,2,3", "--quiet", "--out", out.toString());
    }

    private static void refused(Cli cli, String... words) {
        assertThat(cli.exit()).as(cli.err()).isEqualTo(2);
        assertThat(cli.err().strip()).startsWith("greenfield: ").contains(words).doesNotContain("\n");
        assertThat(cli.out()).as("refused before anything is computed").isEmpty();
    }

    @Test
    void missingParentsAreMade() throws IOException {
        assertThat(field(temporary.resolve("a/b/c")).exit()).isZero();
        assertThat(Cli.list(temporary.resolve("a/b/c")))
                .containsExactly("report.html", "result.json", "tensors.safetensors");
        assertThat(Cli.list(temporary.resolve("a/b"))).containsExactly("c");
    }

    @Test
    void foreignFilesStayAndStaleOnesGo() throws IOException {
        Files.writeString(temporary.resolve("mine.txt"), "mine");
        Files.writeString(temporary.resolve("report.html"), "stale");
        Files.writeString(temporary.resolve("result.json"), "stale");
        assertThat(Cli.run(
                                "patch",
                                "--model",
                                Cli.SMALL,
                                "--tokens",
                                "1,2",
                                "--corrupt-tokens",
                                "2,2",
                                "--answer",
                                "#1",
                                "--out",
                                temporary.toString())
                        .exit())
                .isZero();
        assertThat(Files.readString(temporary.resolve("mine.txt"))).isEqualTo("mine");
        assertThat(Cli.result(temporary).path("command").asText()).isEqualTo("patch");
        assertThat(Files.readString(temporary.resolve("report.html"))).contains("Activation patching");
        assertThat(Cli.list(temporary))
                .containsExactly("mine.txt", "report.html", "result.json", "tensors.safetensors");
    }

    @Test
    void afterAFailureOldResultsAreAsTheyWere() throws IOException {
        Files.writeString(temporary.resolve("result.json"), "old");
        Cli cli = Cli.run("field", "--model", Cli.SMALL, "--tokens", "1,200", "--out", temporary.toString());
        assertThat(cli.exit()).isEqualTo(2);
        assertThat(Files.readString(temporary.resolve("result.json"))).isEqualTo("old");
        assertThat(Cli.list(temporary)).containsExactly("result.json");
    }

    @Test
    void filesInTheWay() throws IOException {
        Path file = Files.writeString(temporary.resolve("file"), "x");
        refused(field(file), "not a directory");
        refused(field(file.resolve("below")), "cannot be written");
        refused(field(file.resolve("far/below")), "cannot be written");
        Files.createDirectories(temporary.resolve("dir/result.json"));
        refused(field(temporary.resolve("dir")), "a directory called result.json");
        Files.createSymbolicLink(temporary.resolve("link"), temporary.resolve("nowhere"));
        refused(field(temporary.resolve("link")), "not a directory");
        assertThat(Cli.list(temporary)).containsExactly("dir", "file", "link");
        assertThat(Cli.list(temporary.resolve("dir"))).containsExactly("result.json");
        refused(Cli.run("field", "--tokens", "1", "--out", ""), "--out is empty");
        refused(Cli.run("field", "--tokens", "1", "--out", "/"), "root");
        refused(Cli.run("field", "--tokens", "1", "--out", "a\0b"), "cannot be a path");
    }

    @Test
    void aReadOnlyDirectory() throws IOException {
        Path closed = Files.createDirectory(temporary.resolve("closed"));
        assertThat(closed.toFile().setWritable(false)).isTrue();
        assumeFalse(Files.isWritable(closed), "this user may write to read-only directories");
        refused(field(closed), "cannot be written", "permission");
        refused(field(closed.resolve("new")), "cannot be written", "permission");
    }

    @Test
    void aFullDisk() throws IOException, InterruptedException {
        Path disk = Files.createDirectory(temporary.resolve("disk"));
        assumeTrue(
                runs("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk.toString()),
                "a small disk cannot be mounted here");
        try {
            Cli inside = field(disk.resolve("new"));
            assertThat(inside.exit()).isEqualTo(2);
            assertThat(inside.err()).contains("space").hasLineCount(1);
            assertThat(field(disk).exit()).isEqualTo(2);
            assertThat(Cli.list(disk)).isEmpty();
        } finally {
            runs("umount", disk.toString());
        }
    }

    private static boolean runs(String... command) throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getInputStream().readAllBytes();
            return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException noSuchProgram) {
            return false;
        }
    }
}
