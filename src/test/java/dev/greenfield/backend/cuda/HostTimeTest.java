package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.backend.cuda.ChildJvm.Finished;
import dev.greenfield.benchmarks.HostTime;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is asked of the driver grows with depths and batches, not with sources: counted by a driver that does nothing. The benchmark
 * that prints the counts runs as it is documented.
 */
class HostTimeTest {
    private static final Path SCRIPT =
            Path.of("native", "idle-driver", "build.sh").toAbsolutePath();
    private static final int LAYERS = 4;
    private static final int TOKENS = 24;
    private static final int WIDTH = 32;

    @TempDir
    Path folder;

    @Test
    void copiesAndWaitsDoNotGrowWithSources() throws IOException, InterruptedException {
        assumeTrue(ChildJvm.onStandIn(), "not on the host stand-in");
        assumeTrue(Files.exists(SCRIPT), "without the sources of the driver that does nothing");
        Process build = new ProcessBuilder(SCRIPT.toString(), folder.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(build.waitFor()).as(said).isZero();

        Finished run = ChildJvm.run(
                Map.of(),
                List.of("-D" + LibraryFolders.PROPERTY + "=" + folder, "-D" + WorkQueue.PROPERTY + "=off"),
                HostTime.class.getName(),
                "--model",
                "random:" + LAYERS + ",2," + WIDTH + ",50," + TOKENS,
                "--tokens",
                "" + TOKENS,
                "--seconds",
                "0.1");
        assertThat(run.exit()).as(run.err()).isZero();
        String[] works = run.out().split("\n\n");
        assertThat(works).as(run.out()).hasSize(4);

        assertThat(works[1]).startsWith("field and sensitivity, T = 16");
        assertThat(count(works[1], "launches")).isBetween(11L * LAYERS, 14L * LAYERS + 12);
        assertThat(count(works[1], "products")).isEqualTo(8 * LAYERS);
        assertThat(count(works[1], "uploads")).isLessThanOrEqualTo(12);
        assertThat(count(works[1], "waits")).isLessThanOrEqualTo(4);

        for (String map : List.of(works[2], works[3])) {
            // 1,536 sources of 16 probes, or 3,072 of all directions; a few tables a level.
            assertThat(count(map, "uploads")).as(map).isLessThanOrEqualTo(12L * (LAYERS + 1));
            assertThat(count(map, "downloads")).as(map).isLessThanOrEqualTo(LAYERS + 1);
            assertThat(count(map, "waits")).as(map).isLessThanOrEqualTo(2);
            assertThat(count(map, "bytes up")).as(map).isLessThan(4L * LAYERS * TOKENS * 16 * WIDTH);
        }
    }

    private static long count(String work, String what) {
        Matcher found = Pattern.compile("([0-9,]+) " + what).matcher(work);
        assertThat(found.find()).as(what + " in " + work).isTrue();
        return Long.parseLong(found.group(1).replace(",", ""));
    }
}
