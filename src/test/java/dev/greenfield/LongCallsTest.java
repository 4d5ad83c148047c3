package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.cpu.CpuBackend;
import dev.greenfield.backend.reference.ReferenceBackend;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.Progress;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.inverse.PlantedSources;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.model.ModelSource;
import dev.greenfield.study.PromptPair;
import dev.greenfield.study.Study;
import dev.greenfield.testing.Heard;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.transfer.DisplacementTransfer;
import dev.greenfield.transfer.SiteReduction;
import dev.greenfield.transfer.SliceReduction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Long calls say how far they are, and a listener can end them. */
@Tag("slow")
class LongCallsTest {
    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static Map<String, Consumer<Run>> calls() {
        Map<String, Consumer<Run>> calls = new LinkedHashMap<>(LongCalls.all());
        double[] unit = new double[16];
        unit[0] = 1;
        Source source = Source.of(Site.of(1, 1), unit);
        calls.put("effects", run -> run.effects(List.of(source, source.times(2)), LongCalls.ANSWER));
        calls.put("products", run -> run.green(Site.of(0, 0)).to(3).apply(unit));
        calls.put("norm", run -> run.green(Site.of(0, 0)).to(3).frobenius());
        calls.put(
                "composition",
                run -> run.green(Site.of(0, 0))
                        .to(Site.of(1, 3))
                        .then(run.green(Site.of(1, 3)).to(Site.of(3, 5)))
                        .materialize());
        calls.put(
                "average Jacobian",
                run -> run.addTo(new AverageJacobian(run.scope().config(), 1)));
        calls.put("planted", run -> PlantedSources.measure(run.sourceLocator(), 3, new double[] {0.1}, 0, 1));
        calls.put(
                "displacement inference",
                run -> run.infer().displacement(Source.of(Site.of(3, 5), unit)).solve());
        calls.put("site reduction", run -> transfer(run, t -> SiteReduction.random(t, 3, 1)));
        calls.put(
                "ranked reduction",
                run -> transfer(run, t -> SiteReduction.of(t, DisplacementTransfer.Ranking.PREDICTED, 3)));
        calls.put("slice reduction", run -> transfer(run, t -> SliceReduction.of(t, 1, 2, 3, 1)));
        calls.put("another run", run -> run.another(LongCalls.DONOR).close());
        return calls;
    }

    private static void transfer(Run run, Consumer<DisplacementTransfer> work) {
        try (Run donor = run.another(LongCalls.DONOR)) {
            work.accept(run.transfer(donor, LongCalls.ANSWER));
        }
    }

    private static void watched(Progress.Listener listener, Runnable work) {
        Progress.watched(listener, () -> {
            work.run();
            return null;
        });
    }

    @Test
    void progressGrowsToTheTotal() throws IOException {
        try (Model model = TestModels.open(LongCalls.SMALL, backend("reference"))) {
            Run run = model.run(LongCalls.TOKENS);
            Set<String> coarse = new TreeSet<>();
            calls().forEach((name, call) -> {
                Heard heard = new Heard();
                watched(heard, () -> call.accept(run));
                heard.requireWhole(name);
                String last = heard.last().what();
                if (heard.all().stream()
                                .filter(p -> p.what().equals(last))
                                .mapToDouble(Progress::done)
                                .distinct()
                                .count()
                        < 4) {
                    coarse.add(name);
                }
            });
            assertThat(coarse)
                    .as("calls that say less than four different things")
                    .isEmpty();
        }
    }

    /** However a listener ends a call, it ends at the next step, and nothing of it is left. */
    @ParameterizedTest
    @ValueSource(strings = {"reference", "cpu"})
    void aListenerCanEndEveryCall(String name) throws IOException {
        try (Model model = TestModels.open(LongCalls.SMALL, backend(name))) {
            Run run = model.run(LongCalls.TOKENS);
            double value = run.value(LongCalls.ANSWER);
            int open = LongCalls.opened(model);
            calls().forEach((what, call) -> {
                Heard heard = new Heard();
                watched(heard, () -> call.accept(run));
                int all = heard.all().size();
                for (int enough : new int[] {1, all / 3, all - 1, all}) {
                    ends(run, call, what, enough, false);
                    assertThat(LongCalls.opened(model))
                            .as("buffers left by " + what + ", ended when it said " + enough + " of " + all + ": "
                                    + model.backend().backend().ledger().describeOpen())
                            .isEqualTo(open);
                }
                ends(run, call, what, all / 2, true);
                assertThat(LongCalls.opened(model))
                        .as("buffers left by " + what)
                        .isEqualTo(open);
                assertThat(run.value(LongCalls.ANSWER))
                        .as("the run after " + what)
                        .isEqualTo(value);
            });
        }
    }

    private static void ends(Run run, Consumer<Run> call, String what, int enough, boolean cancels) {
        Cancellation stop = Cancellation.create();
        Breaking breaking = new Breaking(enough, cancels ? stop : null);
        assertThatThrownBy(() -> watched(
                        breaking,
                        () -> stop.call(() -> {
                            call.accept(run);
                            return null;
                        })))
                .as(what)
                .isInstanceOf(cancels ? CancelledException.class : IllegalArgumentException.class);
        assertThat(breaking.heard - enough)
                .as("what was told after the end of " + what)
                .isLessThanOrEqualTo(2);
    }

    /** Ends a call when it has heard enough. */
    private static final class Breaking implements Progress.Listener {
        private final int enough;
        private final Cancellation stop; // null to throw instead
        private int heard;

        Breaking(int enough, Cancellation stop) {
            this.enough = enough;
            this.stop = stop;
        }

        @Override
        public void at(Progress progress) {
            if (++heard >= enough) {
                if (stop == null) {
                    throw new IllegalArgumentException("enough");
                }
                stop.cancel();
            }
        }

        @Override
        public double everySeconds() {
            return 0;
        }
    }

    /** On the clock, with a listener as patient as they are and a patch sweep that takes many seconds. */
    @Test
    void aCallEndsWithinASecondOfItsListener() throws IOException {
        try (Model model = Greenfield.load(
                "random:6,4,256,300,512,seed=1", Options.defaults().backend("cpu"))) {
            leaks.watched(model.backend().backend());
            int[] tokens = new int[384];
            tokens[3] = 5;
            Run run = model.run(new int[384]);
            Run donor = model.run(tokens);
            long[] asked = new long[1];
            Progress.Listener listener = progress -> {
                asked[0] = System.nanoTime();
                throw new IllegalArgumentException("enough");
            };
            assertThatThrownBy(() -> Progress.watched(listener, () -> run.patchSweep(donor, LongCalls.ANSWER)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat((System.nanoTime() - asked[0]) / 1e9).isLessThan(1);
            assertThat(run.sensitivity(LongCalls.ANSWER).value()).isEqualTo(run.value(LongCalls.ANSWER));
        }
    }

    @Test
    void modelsSayHowTheyAreLoadedAndWritten() throws IOException {
        Heard heard = new Heard();
        try (Model model = Progress.watched(
                heard, () -> Greenfield.load(LongCalls.SMALL, Options.defaults().backend("reference")))) {
            leaks.watched(model.backend().backend());
            heard.requireWhole("loading");
            assertThat(heard.last().what()).isEqualTo("loading");
            assertThat(heard.last().total()).isEqualTo(3);
        }
        for (String spec : List.of(LongCalls.SMALL, "demo")) {
            try (ModelSource source = ModelSource.open(spec)) {
                Heard digest = new Heard();
                Progress.watched(digest, source::sha256);
                digest.requireWhole(spec);
            }
        }
    }

    @Test
    void aStudyCountsPrompts(@TempDir Path directory) throws IOException {
        try (Model model = TestModels.open(LongCalls.SMALL, backend("cpu"))) {
            PromptPair one = new PromptPair(1, LongCalls.TOKENS, LongCalls.DONOR, LongCalls.ANSWER, "test", 2);
            PromptPair two = new PromptPair(2, LongCalls.DONOR, LongCalls.TOKENS, LongCalls.ANSWER, "test", 2);
            Heard heard = new Heard();
            Progress.watched(heard, () -> new Study(model, null, List.of(one, two), null, 1).run(directory, Map.of()));
            heard.requireWhole("study");
            List<Progress> prompts =
                    heard.all().stream().filter(p -> p.what().equals("prompts")).toList();
            assertThat(prompts).extracting(Progress::unit).containsOnly("prompts");
            assertThat(prompts).extracting(Progress::kept).containsOnly(0.0);
            assertThat(prompts).extracting(Progress::done).contains(1.0, 2.0);
            assertThat(prompts.stream().mapToDouble(Progress::done).distinct().count())
                    .isGreaterThan(10);
            Heard again = new Heard();
            Progress.watched(again, () -> new Study(model, null, List.of(one, two), null, 1).run(directory, Map.of()));
            assertThat(again.all().stream()
                            .filter(p -> p.what().equals("prompts"))
                            .map(p -> List.of(p.done(), p.kept()))
                            .distinct())
                    .containsExactly(List.of(1.0, 1.0), List.of(2.0, 2.0));
        }
    }

    private Backend backend(String name) {
        return leaks.watched(name.equals("cpu") ? CpuBackend.open(2) : new ReferenceBackend());
    }
}
