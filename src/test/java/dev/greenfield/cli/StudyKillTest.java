package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A study that is killed at any moment, each time in a process of its own, finds in the end what one finds that was not. */
@Tag("slow")
class StudyKillTest {
    private static final int KILLS = Integer.getInteger("greenfield.campaign.study.kills", 2);
    private static final String SUITE = """
            [{"task": "capital", "clean": "<|endoftext|> The capital of Korea is", "corrupt": "<|endoftext|> The capital of Norway is",
              "answer": "Seoul", "foil": "Oslo", "differs_at_token": 4},
             {"task": "capital", "clean": "<|endoftext|> The capital of China is", "corrupt": "<|endoftext|> The capital of Brazil is",
              "answer": "Beijing", "foil": "Brasilia", "differs_at_token": 4}]
            """;

    @TempDir
    private Path temporary;

    private Process start(String out) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.greenfield.cli.Main",
                        "study",
                        "--suite",
                        temporary.resolve("suite.json").toString(),
                        "--model-b",
                        "demo",
                        "--backend",
                        "cpu",
                        "--out",
                        temporary.resolve(out).toString())
                .redirectErrorStream(true)
                .redirectOutput(temporary.resolve(out + ".txt").toFile())
                .start();
    }

    private String said(String out) throws IOException {
        return Files.readString(temporary.resolve(out + ".txt"));
    }

    private void done(Process process, String out) throws Exception {
        assertThat(process.waitFor(300, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(said(out)).isZero();
    }

    @Test
    void killedAtAnyMomentItFindsTheSame() throws Exception {
        Files.writeString(temporary.resolve("suite.json"), SUITE);
        long begin = System.nanoTime();
        done(start("whole"), "whole");
        long nanos = System.nanoTime() - begin;
        Random random = new Random(3);
        int kills = 0;
        int studies = 0;
        while (kills < KILLS) {
            String out = "out" + studies;
            Process process = start(out);
            if (process.waitFor((long) (nanos * (0.1 + 0.8 * random.nextDouble())), TimeUnit.NANOSECONDS)) {
                done(process, out);
                assertSame(out);
                studies++;
            } else {
                process.destroyForcibly().waitFor();
                kills++;
            }
        }
        done(start("out" + studies), "out" + studies);
        assertSame("out" + studies);
        System.out.println("studies: " + kills + " kills, " + (studies + 1) + " studies the same to the bit");
    }

    private void assertSame(String out) throws IOException {
        assertThat(said(out)).doesNotContain("damaged");
        assertThat(Cli.result(temporary.resolve(out)).at("/results/findings"))
                .isEqualTo(Cli.result(temporary.resolve("whole")).at("/results/findings"))
                .isNotEmpty();
    }
}
