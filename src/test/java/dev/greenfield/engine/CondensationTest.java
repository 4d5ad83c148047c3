package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.Activation;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.RandomDirectory;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Yardstick;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A token with many rows gets its MLP as one matrix; what comes out is what rows find one at a time. */
class CondensationTest {
    private static final int[] TOKENS = {3, 17, 9, 4, 11};
    private static final int LAYERS = 2;

    /** The hidden layer is 2.5 times as wide as the stream, not 4. */
    private static final ModelConfig CONFIG =
            new ModelConfig(LAYERS, 2, 20, 50, 12, 23, 1e-5, Activation.GELU_NEW, false, true, false);

    @TempDir
    private Path temporary;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** Squared norms of all rows of all columns, [columns, half depths, T], with so many columns pushed at once. */
    private double[] norms(Backend backend, boolean forward, int together) throws IOException {
        Path directory = temporary.resolve("model");
        if (!Files.exists(directory)) {
            RandomDirectory.write(Files.createDirectory(directory), CONFIG, 3);
        }
        int levels = 2 * LAYERS + 1;
        // Three columns a site: tokens at the edge of the batch keep few rows, those far from it get many.
        List<int[]> sites = new ArrayList<>();
        for (int h = 0; h < levels - 1; h++) {
            for (int t = 0; t < TOKENS.length; t++) {
                for (int i = 0; i < 3; i++) {
                    sites.add(new int[] {forward ? h : h + 1, t});
                }
            }
        }
        double[] norms = new double[sites.size() * levels * TOKENS.length];
        try (ModelSource source = ModelSource.open(directory.toString());
                DeviceModel model = new DeviceModel(source, backend);
                Linearization run = new Linearization(model, TOKENS)) {
            assertThat(sites.size()).isGreaterThan(2 * Condensation.leastRows(backend, CONFIG));
            for (int from = 0; from < sites.size(); from += together) {
                int first = from;
                Seeds seeds = new Seeds();
                for (int c = from; c < Math.min(from + together, sites.size()); c++) {
                    seeds.column(new HalfDepth(sites.get(c)[0]), sites.get(c)[1], normal(c, CONFIG.width()));
                }
                Visitor visitor = (level, rows, columns, x) -> {
                    double[] squares = new double[rows.rows()];
                    backend.squaredNorms(x, squares, 0);
                    for (int c = 0; c < columns.length; c++) {
                        for (int t = rows.first(c); t <= rows.last(c); t++) {
                            norms[((first + columns[c]) * levels + level.index()) * TOKENS.length + t] =
                                    squares[rows.row(t, c)];
                        }
                    }
                };
                if (forward) {
                    new Sweep(run).tangents(seeds, model.top(), 0, TOKENS.length - 1, visitor);
                } else {
                    new Sweep(run).cotangents(seeds, HalfDepth.ofDepth(0), 0, visitor);
                }
            }
        }
        return norms;
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void manyRowsFindWhatSingleRowsFind(Backends kind) throws IOException {
        for (boolean forward : new boolean[] {true, false}) {
            double[] expected = norms(leaks.closing(Backends.REFERENCE.open()), forward, 1);
            double[] condensed = norms(leaks.closing(kind.open()), forward, 1000);
            if (kind == Backends.REFERENCE) {
                assertThat(Errors.relative(condensed, expected)).isLessThan(1e-13);
            } else {
                double[] single = norms(leaks.closing(Backends.single()), forward, 1);
                Yardstick.check(kind + (forward ? " condensed" : " condensed adjoint"), condensed, expected, single);
            }
        }
    }

    /** With chunks of fewer rows than Wup has, a map is formed in parts; with more, those of several tokens at once. */
    @ParameterizedTest
    @ValueSource(ints = {7, 20, 45, 1000})
    void chunksOfAnySizeFindTheSame(int chunk) throws IOException {
        for (boolean forward : new boolean[] {true, false}) {
            double[] expected = norms(leaks.closing(Backends.REFERENCE.open()), forward, 1);
            Backend backend = ColumnTilesTest.preferring(
                    leaks.closing(Backends.REFERENCE.open()), Map.of("preferredChunkRows", chunk));
            assertThat(Condensation.mapsAtOnce(CONFIG, chunk)).isEqualTo(Math.max(1, chunk / 20));
            assertThat(Errors.relative(norms(backend, forward, 1000), expected)).isLessThan(1e-13);
        }
    }

    @Test
    void onlyTokensThatGainByItAreCondensed() throws IOException {
        try (ModelSource source = ModelSource.open("random:1,2,16,19,12,seed=4");
                DeviceModel model = new DeviceModel(source, leaks.closing(Backends.REFERENCE.open()))) {
            // D F / (2 F - D) = 16 * 64 / 112 = 9.1 rows.
            assertThat(Condensation.leastRows(model.backend(), model.config())).isEqualTo(10);
            List<String> parts = new ArrayList<>();
            RaggedRows rows = RaggedRows.of(
                    4, new int[] {0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2}, new int[] {3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2});
            // The weights take no part in where a batch is cut.
            Condensation condensation = new Condensation(model.backend(), model.config(), null, null);
            Condensation.Tokens condensed = (from, to) -> parts.add("condensed " + from + "-" + to);
            Condensation.Tokens others = (from, to) -> parts.add("others " + from + "-" + to);
            condensation.split(rows, 0, null, null, condensed, others);
            assertThat(parts).containsExactly("others 0-1", "condensed 1-4");
            parts.clear();
            condensation.split(rows, 3, null, null, condensed, others);
            assertThat(parts).containsExactly("condensed 3-4");
            // 4 rows by the layers at 16 D^2 a row, 10 or 11 rows by maps at 2 D^2 F and 2 D^2 a row.
            double square = 16 * 16;
            HalfDepth middle = HalfDepth.middleOf(0);
            assertThat(HalfBlockFlops.of(model, middle, true, rows))
                    .isCloseTo(4 * 16 * square + 3 * 2 * square * 64 + 31 * 2 * square, within(1e-6));
            assertThat(HalfBlockFlops.of(model, HalfDepth.ofDepth(0), true, rows))
                    .isEqualTo(35 * 8 * square);
            assertThat(HalfBlockFlops.of(model, model.top(), false, rows))
                    .isEqualTo(HalfBlockFlops.of(model, middle, true, rows));
            assertThat(HalfBlockFlops.of(model, middle, false, rows)).isEqualTo(35 * 8 * square);
            assertThat(HalfBlockFlops.of(model, model.top(), true, rows)).isZero();
            assertThat(HalfBlockFlops.of(model, HalfDepth.ofDepth(0), false, rows))
                    .isZero();
        }
    }
}
