package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The project is all that a clone needs: no file of it names a folder outside of it. */
class SelfContainedTest {
    private static final Path PROJECT = Path.of("").toAbsolutePath();

    /** What is not the project's text: what the build makes, and what git and editors keep. */
    private static final Set<String> LEFT_OUT =
            Set.of("target", ".git", ".idea", ".vscode", "greenfield-out", "greenfield-export", "data", "__pycache__");

    private static final Pattern TEXT =
            Pattern.compile(".*\\.(java|sh|py|md|xml|json|txt|cu|cuh|c|cpp|h|inc|syms|css|js|properties|yml|config)");

    /** A path that climbs, after something that can stand before a path. */
    private static final Pattern CLIMBS = Pattern.compile("(?<![\\w./*}])((?:\\.\\./)+)([\\w.][\\w./-]*)?");

    /** The same in pieces: {@code Path.of("..", "x")}, {@code resolve("..")}. */
    private static final Pattern CLIMBS_IN_PIECES =
            Pattern.compile("(?:Path\\.of|Paths\\.get|new File|resolve|resolveSibling)\\(\\s*\"\\.\\.[\"/]");

    /** Folders of people and of workplaces; a system's own, such as /usr and /tmp, may be named. */
    private static final Pattern ABSOLUTE =
            Pattern.compile("(?<![\\w./$})<-])/(?:home|root|work|mnt|media|Users|data)/\\w");

    /** Paths that climb on purpose: what the tests give to code that must refuse it. */
    private static final Set<String> HOSTILE = Set.of("../one.safetensors");

    @Test
    void nothingNamesAFolderOutside() throws IOException {
        List<String> found = new ArrayList<>();
        int read = 0;
        for (Path file : files(PROJECT)) {
            List<String> lines = Files.readAllLines(file);
            read++;
            for (int i = 0; i < lines.size(); i++) {
                String what = outside(file, lines.get(i));
                if (what != null && !file.endsWith("SelfContainedTest.java")) {
                    found.add(PROJECT.relativize(file) + ":" + (i + 1) + " names " + what);
                }
            }
        }
        assertThat(read).as("files that were read").isGreaterThan(400);
        assertThat(found).isEmpty();
    }

    @Test
    void foldersOutsideAreFound() {
        Path script = PROJECT.resolve("benchmarks").resolve("cpu.sh");
        assertThat(outside(script, "cp -r ../elsewhere/golden \"$stage\"")).isEqualTo("../elsewhere/golden");
        assertThat(outside(script, "[ -d \"../elsewhere\" ]")).isEqualTo("../elsewhere");
        assertThat(outside(script, "cd \"$(dirname \"$0\")/..\"")).isNull();
        assertThat(outside(script, "see ../docs/benchmarks.md")).isNull();
        assertThat(outside(script, "see ../../docs/benchmarks.md")).isEqualTo("../../docs/benchmarks.md");
        assertThat(outside(script, "Path.of(\"..\", \"elsewhere\")")).isEqualTo("Path.of(\"..\"");
        assertThat(outside(script, "cp /home/me/model .")).isEqualTo("/home/m");
        assertThat(outside(script, "/usr/local/cuda/bin/nvcc")).isNull();
    }

    /** What a line of a file names outside of the project, or null. */
    private static String outside(Path file, String line) {
        Matcher pieces = CLIMBS_IN_PIECES.matcher(line);
        if (pieces.find()) {
            return pieces.group();
        }
        Matcher absolute = ABSOLUTE.matcher(line);
        if (absolute.find()) {
            return absolute.group();
        }
        Matcher climbs = CLIMBS.matcher(line);
        while (climbs.find()) {
            // Whatever a script's working folder is, what is there beside the file is meant.
            Path meant = file.resolveSibling(climbs.group()).normalize();
            boolean inside = meant.startsWith(PROJECT) && Files.exists(meant);
            if (!inside && !HOSTILE.contains(climbs.group())) {
                return climbs.group();
            }
        }
        return null;
    }

    private static List<Path> files(Path folder) throws IOException {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.sorted().toList()) {
                if (Files.isDirectory(entry)) {
                    if (!LEFT_OUT.contains(entry.getFileName().toString())) {
                        files.addAll(files(entry));
                    }
                } else if (TEXT.matcher(entry.getFileName().toString()).matches() || entry.endsWith(".ci/run")) {
                    files.add(entry);
                }
            }
        }
        return files;
    }
}
