package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.cli.PackagedJar.Finished;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged jar, run as a user runs it. Times are printed; limits are generous, as builds share their machine. */
class JarIT {
    @TempDir
    private Path temporary;

    private PackagedJar jar;

    @BeforeEach
    void inAnEmptyDirectory() {
        jar = new PackagedJar(temporary);
    }

    @Test
    void demoWritesItsReport() throws IOException, InterruptedException {
        Finished demo = jar.finish(jar.command("demo"));
        System.out.printf("demo: %.2f s%n", demo.seconds());
        assertThat(demo.exit()).as(demo.err()).isZero();
        assertThat(demo.seconds()).isLessThan(15);
        assertThat(demo.out()).contains("Bulgarian", "report.html");
        assertThat(Cli.list(temporary)).containsExactly(".err", ".out", "report.html");
        String page = jar.text("report.html");
        assertThat(page).contains("figure-5-data").doesNotContain("src=\"http").doesNotContain("href=\"http");
    }

    @Test
    void aFirstResultComesSoon() throws IOException, InterruptedException {
        Finished first = jar.finish(jar.command(
                "sensitivity",
                "--prompt",
                "<|endoftext|> The capital of Korea is",
                "--answer",
                "Seoul",
                "--foil",
                "Oslo"));
        System.out.printf("sensitivity: %.2f s%n", first.seconds());
        assertThat(first.exit()).as(first.err()).isZero();
        assertThat(first.out()).contains("most sensitive sites");
        assertThat(first.err()).doesNotContain("WARNING");
        assertThat(first.seconds()).isLessThan(10);
    }

    @Test
    void statuses() throws IOException, InterruptedException {
        assertThat(jar.finish(jar.command("--version")).exit()).isZero();
        assertThat(jar.finish(jar.command("doctor")).exit()).isZero();
        assertThat(jar.finish(jar.command("nonsense")).exit()).isEqualTo(2);
        assertThat(jar.finish(jar.command("field", "--tokens", "1", "--backend", "cuda", "--memory", "1"))
                        .exit())
                .isIn(3, 4);
        assertThat(jar.finish(jar.command("field", "--tokens", "1", "--memory", "1"))
                        .exit())
                .isEqualTo(4);
    }

    @Test
    void errorsAreReadableWithoutUnicode() throws IOException, InterruptedException {
        ProcessBuilder names = jar.command("field", "--prompt", "caf\u00e9");
        names.environment().put("LC_ALL", "C");
        Finished refused = jar.finish(names);
        assertThat(refused.exit()).isEqualTo(2);
        assertThat(refused.err()).matches("[\\x20-\\x7e\\n]*");
    }

    @Test
    void anInterruptLeavesNothing() throws IOException, InterruptedException {
        Path out = temporary.resolve("a/out");
        // Minutes of work for the plain backend.
        ProcessBuilder builder = jar.command(
                "green",
                "--model",
                "random:12,8,512,100,256",
                "--tokens",
                "1" + ",2".repeat(200),
                "--depth",
                "0",
                "--token",
                "0",
                "--backend",
                "reference",
                "--out",
                out.toString());
        // A build that runs in the background may itself ignore interrupts, and its children with it.
        boolean resets = jar.finish(new ProcessBuilder("env", "--default-signal=INT", "true")
                                .redirectOutput(temporary.resolve(".out").toFile())
                                .redirectError(temporary.resolve(".err").toFile()))
                        .exit()
                == 0;
        assumeTrue(resets, "env cannot reset signals here");
        builder.command().addAll(0, List.of("env", "--default-signal=INT"));
        Process process = builder.start();
        try {
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (!jar.text(".err").contains("computing") && process.isAlive() && System.nanoTime() < deadline) {
                Thread.sleep(50);
            }
            assertThat(jar.text(".err")).contains("computing");
            assertThat(Cli.list(temporary.resolve("a"))).as("work in progress").hasSize(1);
            assertThat(new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                            .start()
                            .waitFor())
                    .isZero();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("ended").isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue()).isEqualTo(130);
        assertThat(jar.text(".err")).endsWith("greenfield: interrupted\n");
        assertThat(Cli.list(temporary)).containsExactly(".err", ".out");
    }
}
