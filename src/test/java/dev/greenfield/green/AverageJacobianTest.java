package dev.greenfield.green;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.Activation;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.RandomDirectory;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsWriter;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Scopes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Averaged Jacobians against blocks of materialized Green operators, summed as the definition says. */
class AverageJacobianTest {
    private static final ModelConfig CONFIG =
            new ModelConfig(3, 2, 16, 64, 12, 30, 1e-5, Activation.GELU_NEW, true, true, false);
    private static final int WIDTH = 16;
    private static final int LAYERS = 3;
    private static final List<int[]> PROMPTS = List.of(
            new int[] {3, 17, 9, 4, 22}, new int[] {5, 1, 8}, new int[] {2, 2, 7, 11, 29, 0, 6}, new int[] {4, 9, 1});

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    static Path directory;

    private static String written;

    @BeforeAll
    static void write() throws IOException {
        written = RandomDirectory.write(directory, CONFIG, 3).toString();
    }

    private static double[] average(Model model, int skip) {
        AverageJacobian average = model.averageJacobian(skip);
        for (int[] prompt : PROMPTS) {
            try (Run run = model.run(prompt)) {
                run.addTo(average);
            }
        }
        return average.mean();
    }

    /** The definition, word by word: every block is materialized on its own. */
    private static double[] expected(Model model, int skip) {
        double[] mean = new double[(LAYERS + 1) * WIDTH * WIDTH];
        for (int[] prompt : PROMPTS) {
            try (Run run = model.run(prompt)) {
                for (int l = 0; l <= LAYERS; l++) {
                    for (int t = skip; t < prompt.length; t++) {
                        for (int to = t; to < prompt.length; to++) {
                            double[] block = run.green(Site.of(l, t))
                                    .to(Site.of(LAYERS, to))
                                    .materialize();
                            for (int i = 0; i < block.length; i++) {
                                mean[l * WIDTH * WIDTH + i] += block[i] / (prompt.length - skip) / PROMPTS.size();
                            }
                        }
                    }
                }
            }
        }
        return mean;
    }

    /** The published definition: neither the first tokens nor the last are sources or targets. */
    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void tokensAtBothEndsAreNeitherSourcesNorTargets(Backends kind) throws IOException {
        int[] prompt = {3, 17, 9, 4, 22, 7, 1};
        try (Model model = TestModels.open(written, leaks.watched(kind.open()));
                Run run = model.run(prompt)) {
            for (int to : new int[] {LAYERS, 2, 0}) {
                AverageJacobian average = model.averageJacobian(2, 1, to);
                run.addTo(average);
                double[] expected = new double[(to + 1) * WIDTH * WIDTH];
                for (int l = 0; l <= to; l++) {
                    for (int t = 2; t <= 5; t++) {
                        for (int target = t; target <= 5; target++) {
                            double[] block = run.green(Site.of(l, t))
                                    .to(Site.of(to, target))
                                    .materialize();
                            for (int i = 0; i < block.length; i++) {
                                expected[l * WIDTH * WIDTH + i] += block[i] / 4;
                            }
                        }
                    }
                }
                assertThat(Errors.relative(average.mean(), expected))
                        .as("to depth " + to)
                        .isLessThan(kind == Backends.REFERENCE ? 1e-9 : 1e-4);
                assertThat(average.positions()).isEqualTo(4);
            }
            assertThatThrownBy(() -> model.averageJacobian(0, -1, 1)).hasMessageContaining("skip -1");
            assertThatThrownBy(() -> model.averageJacobian(0, 0, 4)).hasMessageContaining("expected 0 to 3");
            assertThatThrownBy(() -> run.addTo(model.averageJacobian(
                            AverageJacobian.PUBLISHED_SKIP, AverageJacobian.PUBLISHED_SKIP_LAST, LAYERS)))
                    .hasMessageContaining("the first 16 and the last 1");
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void isTheMeanOfMaterializedBlocks(Backends kind) throws IOException {
        try (Model model = TestModels.open(written, leaks.watched(kind.open()))) {
            for (int skip : new int[] {0, 1, 2}) {
                double[] found = average(model, skip);
                assertThat(Errors.relative(found, expected(model, skip)))
                        .as("skip " + skip)
                        .isLessThan(kind == Backends.REFERENCE ? 1e-9 : 1e-4);
                double[] identity = new double[WIDTH * WIDTH];
                for (int i = 0; i < WIDTH; i++) {
                    identity[i * WIDTH + i] = 1;
                }
                assertThat(found).endsWith(identity);
            }
            assertThat(Errors.relative(average(model, 0), average(model, 1)))
                    .as("the first token is another source")
                    .isGreaterThan(1e-3);
        }
    }

    @Test
    void oneSourceTokenLeavesOneBlock() throws IOException {
        try (Model model = TestModels.open(written, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(3, 17, 9);
            AverageJacobian average = model.averageJacobian(2);
            run.addTo(average);
            for (int l = 0; l < LAYERS; l++) {
                double[] block = new double[WIDTH * WIDTH];
                System.arraycopy(average.mean(), l * block.length, block, 0, block.length);
                double[] green = run.green(Site.of(l, 2)).to(Site.of(LAYERS, 2)).materialize();
                assertThat(Errors.relative(block, green)).isLessThan(1e-13);
            }
            assertThat(average.positions()).isEqualTo(1);
        }
    }

    /** Without what its branches write, the stream passes every block unchanged: all matrices are the identity. */
    @Test
    void aModelThatWritesNothingHasTheIdentityEverywhere(@TempDir Path silent) throws IOException {
        Files.copy(directory.resolve("config.json"), silent.resolve("config.json"));
        try (Safetensors file = Safetensors.open(directory.resolve("model.safetensors"))) {
            SafetensorsWriter.Builder builder = SafetensorsWriter.to(silent.resolve("model.safetensors"));
            for (String name : file.names()) {
                builder.tensor(name, DType.F32, file.tensor(name).shape());
            }
            try (SafetensorsWriter writer = builder.open()) {
                for (String name : file.names()) {
                    double[] values = file.tensor(name).toDoubles();
                    writer.write(name.endsWith("c_proj.weight") ? new double[values.length] : values);
                }
                writer.commit();
            }
        }
        try (Model model = TestModels.open(silent.toString(), leaks.watched(Backends.REFERENCE.open()))) {
            double[] mean = average(model, 1);
            for (int i = 0; i < mean.length; i++) {
                assertThat(mean[i]).isCloseTo(i % (WIDTH * WIDTH) % (WIDTH + 1) == 0 ? 1 : 0, within(1e-15));
            }
        }
    }

    @Test
    void everyPromptWeighsTheSame() throws IOException {
        try (Model model = TestModels.open(written, leaks.watched(Backends.REFERENCE.open()))) {
            double[][] alone = new double[2][];
            AverageJacobian both = model.averageJacobian(1);
            for (int p = 0; p < 2; p++) {
                try (Run run = model.run(PROMPTS.get(p))) {
                    AverageJacobian one = model.averageJacobian(1);
                    run.addTo(one);
                    run.addTo(both);
                    alone[p] = one.mean();
                }
            }
            double[] mean = both.mean();
            for (int i = 0; i < mean.length; i++) {
                assertThat(mean[i]).isCloseTo((alone[0][i] + alone[1][i]) / 2, within(1e-14));
            }
            assertThat(both.prompts()).isEqualTo(2);
            assertThat(both.positions()).isEqualTo(4 + 2);
            assertThat(both.skip()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void cutsDoNotChangeIt(Backends kind) throws IOException {
        double[] whole;
        long wholePeak;
        Backend plenty = leaks.watched(kind.open());
        try (Model model = TestModels.open(written, plenty)) {
            whole = average(model, 1);
            wholePeak = plenty.ledger().peakBytes();
        }
        Backend backend = leaks.watched(kind.open());
        long budget = 1024L * 100 * backend.precision().bytes() / 4;
        try (Model model = TestModels.open(written, backend, budget)) {
            assertThat(Errors.relative(average(model, 1), whole)).isLessThan(kind == Backends.REFERENCE ? 1e-13 : 1e-5);
            assertThat(wholePeak).isGreaterThan(budget);
            assertThat(backend.ledger().peakBytes()).isBetween(budget / 2, budget);
        }
    }

    @Test
    void refusesWhatHasNoAverage() throws IOException {
        try (Model model = TestModels.open(written, leaks.watched(Backends.REFERENCE.open()));
                Model other = Greenfield.load(
                        "random:2,2,16,30,12", Options.defaults().backend("reference"))) {
            AverageJacobian average = model.averageJacobian(3);
            assertThatThrownBy(average::mean).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> model.run(1, 2, 3).addTo(average))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("3 tokens has no source beside the first 3 and the last 0 that are skipped");
            assertThatThrownBy(() -> other.run(1, 2, 3, 4).addTo(average))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("2 layers and width 16, expected 3 layers");
            assertThatThrownBy(() -> model.averageJacobian(-1))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("at least 0");
            model.run(1, 2, 3, 4).addTo(average);
            assertThat(average.mean()).hasSize((LAYERS + 1) * WIDTH * WIDTH);
        }
    }

    @Test
    void aPromptThatDoesNotFitLeavesTheAverageAsItWas() throws IOException {
        Backend backend = leaks.closing(Backends.REFERENCE.open());
        try (ModelSource source = ModelSource.open("random:2,2,16,30,12");
                DeviceModel device = new DeviceModel(source, backend);
                Linearization run = new Linearization(device, new int[] {1, 2, 3, 4})) {
            AverageJacobian average = new AverageJacobian(source.config(), 1);
            average.add(Scopes.within(run, 1 << 20));
            double[] before = average.mean();
            assertThatThrownBy(() -> average.add(Scopes.within(run, 1000))).isInstanceOf(MemoryBudgetException.class);
            assertThat(average.mean()).isEqualTo(before);
            assertThat(average.prompts()).isEqualTo(1);
        }
    }

    /** Whoever is first, and in however many batches: what is added goes in by places. */
    @Test
    void promptsAddedSideBySideAddUpInTheOrderOfTheirTurns() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(PROMPTS.size());
        List<AutoCloseable> open = new ArrayList<>();
        try {
            AverageJacobian expected = new AverageJacobian(CONFIG, 1);
            AverageJacobian found = new AverageJacobian(CONFIG, 1);
            List<Scope> scopes = new ArrayList<>();
            List<AverageJacobian.Turn> turns = new ArrayList<>();
            for (int[] prompt : PROMPTS) {
                Linearization run = alone(prompt, open);
                scopes.add(Scopes.within(run, 20_000)); // room for a part of the sixteen outputs
                expected.add(scopes.get(scopes.size() - 1));
                turns.add(found.turn());
            }
            List<Future<?>> added = new ArrayList<>();
            for (int i = PROMPTS.size() - 1; i >= 0; i--) { // the last begins first
                int place = i;
                added.add(threads.submit(() -> turns.get(place).add(scopes.get(place))));
            }
            for (Future<?> each : added) {
                each.get();
            }
            assertThat(found.mean()).isEqualTo(expected.mean());
            assertThat(found.prompts()).isEqualTo(PROMPTS.size());
            assertThat(found.positions()).isEqualTo(expected.positions());
            turns.forEach(AverageJacobian.Turn::close);
            assertThat(found.mean()).as("closed when all are in").isEqualTo(expected.mean());
        } finally {
            threads.shutdownNow();
            close(open);
        }
    }

    /** A run on a backend of its own. */
    private Linearization alone(int[] prompt, List<AutoCloseable> open) throws IOException {
        ModelSource source = ModelSource.open(written);
        DeviceModel device = new DeviceModel(source, leaks.closing(Backends.REFERENCE.open()));
        Linearization run = new Linearization(device, prompt);
        open.addAll(List.of(run, device, source));
        return run;
    }

    private static void close(List<AutoCloseable> open) throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    @Test
    void aTurnThatIsGivenUpEndsTheAverageForThoseWhoWait() throws Exception {
        List<AutoCloseable> open = new ArrayList<>();
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            Scope scope = Scopes.within(alone(PROMPTS.get(0), open), 1 << 20);
            AverageJacobian average = new AverageJacobian(CONFIG, 1);
            AverageJacobian.Turn first = average.turn();
            AverageJacobian.Turn second = average.turn();
            Future<?> waiting = other.submit(() -> second.add(scope));
            assertThatThrownBy(() -> waiting.get(100, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
            first.close();
            assertThatThrownBy(waiting::get)
                    .cause()
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("start again");
            assertThatThrownBy(average::mean).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> average.add(scope)).isInstanceOf(IllegalStateException.class);
        } finally {
            other.shutdownNow();
            close(open);
        }
    }

    @Test
    void aModelAddsAListOfPrompts() throws IOException {
        try (Model model = TestModels.open(written, leaks.watched(Backends.REFERENCE.open()))) {
            AverageJacobian all = model.averageJacobian(2);
            assertThatThrownBy(() -> model.addTo(all, List.of(PROMPTS.get(0), new int[] {1, 2})))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("2 tokens has no source");
            assertThat(all.prompts()).isZero();
            model.addTo(all, PROMPTS);
            assertThat(all.mean()).isEqualTo(average(model, 2));
        }
    }
}
