package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * Repository and GPU bundle travel together to machines with a GPU and must stay below 58 MiB; {@code benchmarks/gpu-bundle.sh} checks their
 * sum. This is the repository's share of it, so that a file that is too large is found when it is added.
 */
class RepositorySizeTest {
    private static final long MOST = 28L << 20;

    @Test
    void whatGitTracksIsSmall() throws IOException, InterruptedException {
        Process git;
        try {
            git = new ProcessBuilder("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            assumeTrue(false, "git is not installed");
            return;
        }
        String names = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assumeTrue(git.waitFor() == 0, "this is no git repository");
        long bytes = 0;
        String largest = "";
        long most = 0;
        for (String name : names.split("\0")) {
            Path file = Path.of(name);
            long size = Files.isRegularFile(file) ? Files.size(file) : 0;
            bytes += size;
            if (size > most) {
                most = size;
                largest = name;
            }
        }
        assertThat(bytes)
                .as("bytes of all files; the largest is %s with %d", largest, most)
                .isPositive()
                .isLessThan(MOST);
    }
}
