package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs with a checkpoint that are killed, interrupted or started twice, each in a process of its own. */
@Tag("slow")
class CheckpointKillTest {
    private static final int KILLS = Integer.getInteger("greenfield.campaign.kills", 12);
    private static final int TOKENS = 24;
    private static final int LEVELS = 5;
    private static final int SITES = 24; // of a batch, at most

    @TempDir
    private Path temporary;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void end() {
        started.forEach(Process::destroyForcibly);
    }

    /** A map of more than ten batches that takes seconds. */
    private static String[] map(String... more) {
        String tokens =
                IntStream.rangeClosed(1, TOKENS).mapToObj(Integer::toString).collect(Collectors.joining(","));
        return Cli.with(
                new String[] {
                    "map",
                    "--model",
                    "random:4,4,64,100,64,seed=2",
                    "--tokens",
                    tokens,
                    "--backend",
                    "reference",
                    "--memory",
                    "4MB"
                },
                more);
    }

    private String path(String name) {
        return temporary.resolve(name).toString();
    }

    private Process start(List<String> before, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.greenfield.cli.Main"));
        command.addAll(List.of(arguments));
        Files.deleteIfExists(temporary.resolve(".err"));
        Process process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(temporary.resolve(".err").toFile())
                .start();
        started.add(process);
        return process;
    }

    private String errors() throws IOException {
        return Files.readString(temporary.resolve(".err"));
    }

    private void awaitText(Process process, String text) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!errors().contains(text) && process.isAlive() && System.nanoTime() < deadline) {
            Thread.sleep(20);
        }
        assertThat(errors()).contains(text);
    }

    /** The size of a checkpoint's log; 0 before there is one. */
    private long kept(String checkpoint) throws IOException {
        Path log = temporary.resolve(checkpoint).resolve("batches.log");
        return Files.exists(log) ? Files.size(log) : 0;
    }

    /** Waits until a run has saved something more, or has ended. */
    private void awaitSaved(Process process, String checkpoint) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        long size = Math.max(16, kept(checkpoint));
        while (kept(checkpoint) <= size && process.isAlive() && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
    }

    private void awaitRecord(Process process, String checkpoint, long more) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        long size = Math.max(16, kept(checkpoint));
        while (kept(checkpoint) <= size + more && process.isAlive() && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
        assertThat(kept(checkpoint)).isGreaterThan(size + more);
    }

    private void assertSame(String out, String expected) throws IOException {
        for (String tensor : new String[] {"map.frobenius", "map.stderr"}) {
            double[] values = Cli.tensor(temporary.resolve(out), tensor, DType.F64, LEVELS, TOKENS, LEVELS, TOKENS);
            assertThat(values)
                    .isEqualTo(
                            Cli.tensor(temporary.resolve(expected), tensor, DType.F64, LEVELS, TOKENS, LEVELS, TOKENS));
        }
    }

    @Test
    void killedAtAnyMomentItGoesOn() throws Exception {
        long begin = System.nanoTime();
        Process whole =
                start(List.of(), map("--probes", "6", "--checkpoint", path("whole"), "--out", path("expected")));
        assertThat(whole.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(whole.exitValue()).as(errors()).isZero();
        long nanos = System.nanoTime() - begin;
        assertThat(errors()).containsPattern("in [1-9][0-9] sweeps");
        Random random = new Random(7);
        int kills = 0;
        int wentOn = 0;
        int maps = 0;
        long saved = 0; // of the map that is under way
        boolean underWay = false;
        while (kills < KILLS || underWay) {
            String checkpoint = "checkpoint" + maps;
            begin = System.nanoTime();
            Process process = start(
                    List.of(), map("--probes", "6", "--checkpoint", path(checkpoint), "--out", path("out" + maps)));
            boolean ended;
            if (kills == KILLS) {
                ended = process.waitFor(120, TimeUnit.SECONDS);
            } else if (kills % 2 == 0) {
                ended = process.waitFor((long) (nanos * (0.15 + 0.6 * random.nextDouble())), TimeUnit.NANOSECONDS);
            } else {
                // On a busy machine the clock alone would kill most runs before they have saved anything.
                awaitSaved(process, checkpoint);
                ended = process.waitFor(random.nextInt(50), TimeUnit.MILLISECONDS);
            }
            if (errors().contains("batches there")) {
                wentOn++;
            }
            if (ended) {
                assertThat(process.exitValue()).as(errors()).isZero();
                assertSame("out" + maps, "expected");
                if (!underWay) {
                    nanos = Math.min(nanos, System.nanoTime() - begin); // this machine was busy before
                }
                maps++;
                saved = 0;
            } else {
                process.destroyForcibly().waitFor();
                kills++;
                // A torn record at the end is dropped, and computed again; nothing else is ever lost.
                long record = 2L * LEVELS * TOKENS * 8 * SITES;
                assertThat(kept(checkpoint)).isGreaterThanOrEqualTo(saved - record);
                saved = kept(checkpoint);
            }
            underWay = !ended;
        }
        assertThat(kills).isEqualTo(KILLS);
        System.out.println(
                "maps: " + kills + " kills, " + wentOn + " runs went on, " + maps + " maps the same to the bit");
        assertThat(wentOn).as("runs that found what a killed one had saved").isGreaterThanOrEqualTo(5);
    }

    @Test
    void anInterruptLeavesACheckpoint() throws Exception {
        // A build that runs in the background may itself ignore interrupts, and its children with it.
        Process resets = new ProcessBuilder("env", "--default-signal=INT", "true")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assumeTrue(resets.waitFor() == 0, "env cannot reset signals here");
        String[] command = map("--probes", "6", "--checkpoint", path("c"), "--out", path("out"));
        Process process = start(List.of("env", "--default-signal=INT"), command);
        awaitRecord(process, "c", 100);
        assertThat(new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("ended").isTrue();
        assertThat(process.exitValue()).isEqualTo(130);
        assertThat(errors()).endsWith("greenfield: interrupted\n");
        assertThat(Cli.list(temporary)).containsExactly(".err", "c");
        Cli resumed = Cli.done(command);
        assertThat(resumed.err()).containsPattern("checkpoint .*: [1-9][0-9]* of [0-9]+ batches there, going on");
        Cli.done(map("--probes", "6", "--checkpoint", path("whole"), "--out", path("expected"), "--quiet"));
        assertSame("out", "expected");
    }

    @Test
    void twoProcessesDoNotWriteTheSameCheckpoint() throws Exception {
        String[] command = map("--exact", "--checkpoint", path("c"));
        Process first = start(List.of(), command);
        awaitText(first, "each saved when it is done");
        Cli second = Cli.run(command);
        assertThat(first.isAlive()).as("the first still runs").isTrue();
        assertThat(second.exit()).isEqualTo(2);
        assertThat(second.err())
                .contains("greenfield: checkpoint " + path("c") + " is being written by another run")
                .doesNotContain("saved");
        awaitRecord(first, "c", 0); // perhaps the beginning of a record
        awaitRecord(first, "c", 0);
        awaitRecord(first, "c", 0);
        first.destroyForcibly().waitFor();
        // The system has taken the lock off the process that died.
        Process third = start(List.of(), command);
        awaitText(third, "batches there, going on");
    }
}
