package dev.greenfield.cli.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.cli.Cli;
import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
    void whatKilledRunsLeftIsSwept() throws IOException {
        Path left = Files.createDirectory(temporary.resolve(".greenfield-01234567-89ab-cdef-0123-456789abcdef"));
        Files.writeString(left.resolve(".lock"), "");
        Files.writeString(left.resolve("tensors.safetensors"), "half");
        Path foreign = Files.createDirectory(temporary.resolve(".greenfield-mine"));
        Path unmarked = Files.createDirectory(temporary.resolve(".greenfield-11111111-89ab-cdef-0123-456789abcdef"));
        assertThat(field(temporary.resolve("a")).exit()).isZero();
        assertThat(left).doesNotExist();
        assertThat(foreign).exists();
        assertThat(unmarked).exists();
        try (Staging lives = Staging.in(temporary)) {
            assertThat(field(temporary.resolve("b")).exit()).isZero();
            assertThat(lives.directory()).exists();
        }
        assertThat(Cli.list(temporary)).contains("a", "b").hasSize(4);
    }

    @Test
    void foreignFilesStayAndStaleOnesGo() throws IOException {
        Files.writeString(temporary.resolve("mine.txt"), "mine");
        Files.writeString(temporary.resolve("report.html"), "stale");
        Files.writeString(temporary.resolve("result.json"), "{\"command\": \"patch\"}");
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
    void resultsOfAnotherCommandAndForeignFilesAreKept() throws IOException {
        String[] sensitivity = {
            "sensitivity", "--model", Cli.SMALL, "--tokens", "1,2,3", "--answer", "#1", "--out", temporary.toString()
        };
        assertThat(field(temporary).exit()).isZero();
        byte[] old = Files.readAllBytes(temporary.resolve("result.json"));
        refused(Cli.run(Cli.with(sensitivity, "--quiet")), "results of 'field'", "results of 'sensitivity'", "--force");
        assertThat(temporary.resolve("result.json")).hasBinaryContent(old);
        assertThat(field(temporary).exit()).as("its own results are replaced").isZero();
        Cli.done(Cli.with(sensitivity, "--force"));
        assertThat(Cli.result(temporary).path("command").asText()).isEqualTo("sensitivity");
        assertThat(Cli.list(temporary)).containsExactly("report.html", "result.json", "tensors.safetensors");
        refused(field(temporary), "results of 'sensitivity'");

        for (String text :
                List.of("", "{", "[]", "{\"command\": 1}", "{\"model\": \"field\", \"command\": \"field\"}", "\0")) {
            Path foreign = Files.createDirectories(temporary.resolve("foreign"));
            Files.writeString(foreign.resolve("result.json"), text);
            refused(field(foreign), "a result.json that is not of this program", "--force");
            assertThat(foreign.resolve("result.json")).hasContent(text);
        }
        Path mine = Files.createDirectory(temporary.resolve("mine"));
        for (String name : List.of("thesis.tex", "a.txt", "b.txt", "c.txt")) {
            Files.writeString(mine.resolve(name), "mine");
        }
        refused(field(mine), "files of others (a.txt, b.txt, c.txt, ... (4 in all))", "--force");
        Cli.done("field", "--model", Cli.SMALL, "--tokens", "1", "--out", mine.toString(), "--force");
        assertThat(Cli.list(mine)).contains("thesis.tex", "result.json").hasSize(7);
        Path hidden =
                Files.createDirectories(temporary.resolve("hidden/folder")).getParent();
        Files.writeString(hidden.resolve(".DS_Store"), "");
        assertThat(field(hidden).exit()).as("nothing of these can be replaced").isZero();
        refused(Cli.run("field", "--tokens", "1", "--force"), "--force without --out");
    }

    /** A run that is killed while its files come into place leaves tensors without results; the same command goes over them. */
    @Test
    void whatAKilledRunLeftIsItsOwn() throws IOException {
        assertThat(field(temporary).exit()).isZero();
        Files.delete(temporary.resolve("result.json"));
        refused(
                Cli.run("sensitivity", "--tokens", "1,2,3", "--answer", "#1", "--quiet", "--out", temporary.toString()),
                "files of others (report.html, tensors.safetensors)");
        assertThat(field(temporary).exit()).isZero();
    }

    /** What another command wrote after this one had looked is as safe. */
    @Test
    void anotherCommandMayBeQuicker() throws IOException {
        try (OutputDirectory slow = OutputDirectory.open(temporary.toString(), "map", false)) {
            assertThat(field(temporary).exit()).isZero();
            Files.writeString(slow.file("result.json"), "{\"command\": \"map\"}");
            assertThatThrownBy(slow::commit)
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("results of 'field'");
        }
        assertThat(Cli.result(temporary).path("command").asText()).isEqualTo("field");
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

    @Test
    void anotherRunMadeTheDirectoryMeanwhile() throws IOException {
        Path target = temporary.resolve("new");
        try (OutputDirectory first = OutputDirectory.open(target.toString(), "field", false);
                OutputDirectory second = OutputDirectory.open(target.toString(), "field", false)) {
            Files.writeString(first.file("result.json"), "first");
            Files.writeString(second.file("result.json"), "second");
            first.commit();
            assertThatThrownBy(second::commit)
                    .isInstanceOf(InputException.class)
                    .hasMessage("--out '" + target + "': another run made this directory meanwhile; run again or choose"
                            + " another directory");
        }
        assertThat(Cli.list(temporary)).containsExactly("new");
        assertThat(target.resolve("result.json")).hasContent("first");
        assertThat(Cli.list(target)).containsExactly("result.json");
    }

    @Test
    void runsThatReplaceTheSameFilesDoNotMix() throws Exception {
        int runs = 8;
        ExecutorService threads = Executors.newFixedThreadPool(runs);
        try {
            for (int round = 0; round < 10; round++) {
                CyclicBarrier together = new CyclicBarrier(runs);
                List<Future<?>> commits = new ArrayList<>();
                for (int i = 0; i < runs; i++) {
                    String text = "run " + i;
                    commits.add(threads.submit(() -> {
                        try (OutputDirectory out = OutputDirectory.open(temporary.toString(), "field", true)) {
                            for (String name : List.of("tensors.safetensors", "report.html", "result.json")) {
                                Files.writeString(out.file(name), text);
                            }
                            together.await();
                            out.commit();
                        }
                        return null;
                    }));
                }
                for (Future<?> commit : commits) {
                    commit.get();
                }
                assertThat(Cli.list(temporary)).containsExactly("report.html", "result.json", "tensors.safetensors");
                String last = Files.readString(temporary.resolve("result.json"));
                assertThat(temporary.resolve("report.html")).hasContent(last);
                assertThat(temporary.resolve("tensors.safetensors")).hasContent(last);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void waitsForAnotherProcess() throws Exception {
        Path lock = temporary.resolve(".greenfield.lock");
        Path program = Files.writeString(temporary.resolve("Holder.java"), """
                import java.nio.channels.FileChannel;
                import java.nio.file.*;
                class Holder {
                    public static void main(String[] args) throws Exception {
                        var channel = FileChannel.open(Path.of(args[0]), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                        channel.lock();
                        System.out.println("locked");
                        System.in.read();
                        Files.delete(Path.of(args[0]));
                        channel.close();
                    }
                }
                """);
        Process holder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        program.toString(),
                        lock.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try (OutputDirectory out = OutputDirectory.open(temporary.toString(), "field", true)) {
            Files.writeString(out.file("result.json"), "mine");
            assertThat(holder.getInputStream().read()).isEqualTo('l');
            Future<?> commit = threads.submit(() -> {
                out.commit();
                return null;
            });
            assertThatThrownBy(() -> commit.get(200, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            holder.getOutputStream().close();
            commit.get(30, TimeUnit.SECONDS);
        } finally {
            threads.shutdownNow();
            holder.destroyForcibly();
        }
        assertThat(Cli.list(temporary)).containsExactly("Holder.java", "result.json");
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
