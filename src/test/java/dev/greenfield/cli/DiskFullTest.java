package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that is full: exit 2 with one line, nothing half written under its name, and what was saved is used later. */
@Tag("slow")
class DiskFullTest {
    private static final int LEVELS = 3;
    private static final int TOKENS = 12;

    @TempDir
    private Path temporary;

    private Path disk;

    @BeforeEach
    void mount() throws Exception {
        disk = Files.createDirectory(temporary.resolve("disk"));
        boolean mounted = command("mount", "-t", "tmpfs", "-o", "size=48k", "greenfield-test", disk.toString()) == 0;
        if (!mounted) {
            Files.delete(disk);
            disk = null;
        }
        assumeTrue(mounted, "a small disk can be mounted here (root on Linux can)");
    }

    @AfterEach
    void unmount() throws Exception {
        if (disk != null) {
            assertThat(command("umount", disk.toString())).isZero();
        }
    }

    private static int command(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException missing) {
            return -1;
        }
    }

    private static String[] map(String... more) {
        return Cli.with(
                new String[] {
                    "map",
                    "--model",
                    Cli.SMALL,
                    "--tokens",
                    IntStream.rangeClosed(1, TOKENS).mapToObj(Integer::toString).collect(Collectors.joining(",")),
                    "--backend",
                    "reference",
                    "--exact",
                    "--memory",
                    "1MB",
                    "--quiet"
                },
                more);
    }

    private double[] frobenius(Path out) throws IOException {
        return Cli.tensor(out, "map.frobenius", DType.F64, LEVELS, TOKENS, LEVELS, TOKENS);
    }

    private static void refused(Cli cli) {
        assertThat(cli.exit()).as(cli.err()).isEqualTo(2);
        assertThat(cli.err())
                .startsWith("greenfield: ")
                .matches("[^\\n]+\\n")
                .containsIgnoringCase("no space left")
                .doesNotContain("bug");
    }

    @Test
    void aResultIsWholeOrNotThere() throws Exception {
        Path out = disk.resolve("out");
        refused(Cli.run(map("--out", out.toString())));
        assertThat(Cli.list(disk)).isEqualTo(List.of());
        assertThat(command("mount", "-o", "remount,size=8m", disk.toString())).isZero();
        Cli.done(map("--out", out.toString()));
        assertThat(Cli.list(disk)).containsExactly("out");
    }

    @Test
    void aCheckpointGoesOnWhenThereIsRoom() throws Exception {
        String checkpoint = disk.resolve("c").toString();
        Path out = temporary.resolve("out");
        // What is left of the disk holds the manifest, but not all records.
        Files.write(disk.resolve("filler"), new byte[44 << 10]);
        refused(Cli.run(map("--checkpoint", checkpoint, "--out", out.toString())));
        assertThat(out).doesNotExist();
        assertThat(command("mount", "-o", "remount,size=8m", disk.toString())).isZero();
        Cli.done(map("--checkpoint", checkpoint, "--out", out.toString()));
        assertThat(frobenius(out)).hasSize(LEVELS * TOKENS * LEVELS * TOKENS);
        Cli.done(map(
                "--checkpoint",
                temporary.resolve("whole").toString(),
                "--out",
                temporary.resolve("same").toString()));
        assertThat(frobenius(out)).isEqualTo(frobenius(temporary.resolve("same")));
    }
}
