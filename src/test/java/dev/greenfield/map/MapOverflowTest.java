package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Maps that Java's heap cannot hold are kept in a file, and are the same maps. */
class MapOverflowTest {
    private static final int TOKENS = 360;
    private static final String MODEL = "random:12,1,4,8," + TOKENS;

    @TempDir
    private Path temporary;

    private static void assertEmpty(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            assertThat(entries).isEmpty();
        }
    }

    @Test
    void numbersInAFile() throws IOException {
        for (boolean wide : new boolean[] {false, true}) {
            long count = (1L << 22) + 3;
            PairValues values = new PairValues("the map", count, wide, temporary);
            assertEmpty(temporary);
            assertThat(values.get(0)).isZero();
            assertThat(values.get(count - 1)).isZero();
            values.set(count - 1, 0.1);
            values.set((1L << 22) - 1, 3);
            assertThat(values.get(count - 1)).isEqualTo(wide ? 0.1 : 0.1f);
            assertThat(values.get((1L << 22) - 1)).isEqualTo(3);
        }
    }

    @Test
    void aDirectoryThatIsNotThere() {
        Path missing = temporary.resolve("missing");
        assertThatThrownBy(() -> new PairValues("the map", 10, false, missing))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("the map cannot be kept in a file of 40 bytes in " + missing)
                .hasMessageContaining("give Java more memory with -Xmx");
    }

    /** 5 million pairs, 40 MB, in a heap of 96 MB that batches need two thirds of. */
    @Test
    @Tag("slow")
    void aMapLargerThanTheHeap() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx96m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        MapOverflowTest.class.getName(),
                        temporary.toString())
                .redirectErrorStream(true)
                .redirectOutput(temporary
                        .resolveSibling(temporary.getFileName() + ".txt")
                        .toFile())
                .start();
        assertThat(process.waitFor(300, TimeUnit.SECONDS)).isTrue();
        Path out = temporary.resolveSibling(temporary.getFileName() + ".txt");
        String said = Files.readString(out);
        Files.delete(out);
        assertThat(process.exitValue()).as(said).isZero();
        assertThat(said).contains("5.0 million pairs agree");
        assertEmpty(temporary);
    }

    /** Computes the map with and without an overflow, and compares it with one of a few sources. */
    public static void main(String[] arguments) throws IOException {
        int[] tokens = new int[TOKENS];
        for (int t = 0; t < TOKENS; t++) {
            tokens[t] = (5 * t + t / 7) % 8;
        }
        Options options = Options.defaults().backend("cpu").memory(32L << 20);
        try (Model model = Greenfield.load(MODEL, options)) {
            var run = model.run(tokens);
            assertThatThrownBy(() -> run.responseMap().probes(2).compute())
                    .isInstanceOf(MemoryBudgetException.class)
                    .hasMessageContaining("Java's heap has");
            ResponseMap map =
                    run.responseMap().probes(2).overflow(Path.of(arguments[0])).compute();
            List<Site> sources = List.of(Site.of(0, 0), Site.of(3, 100), Site.of(11, 359));
            ResponseMap some = run.responseMap().probes(2).sources(sources).compute();
            for (Site source : sources) {
                double[] row = map.frobenius(source);
                double[] expected = some.frobenius(source);
                for (int i = 0; i < row.length; i++) {
                    assertThat(row[i]).isCloseTo(expected[i], within(1e-3 * row[i]));
                }
            }
            System.out.println(map.pairs() / 100_000 / 10.0 + " million pairs agree");
        }
    }
}
