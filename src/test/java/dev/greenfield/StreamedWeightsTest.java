package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.WeightPlacement;
import dev.greenfield.prediction.Component;
import dev.greenfield.prediction.ComponentOutputs;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A model whose weights are read as they are needed gives what one gives that keeps them, to the bit. */
@Tag("slow")
class StreamedWeightsTest {
    private static final String SMALL = "random:5,2,16,40,16,seed=1";
    private static final Observable ANSWER = Observable.logitDifference("#7", "#8");

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    static Stream<Arguments> cases() {
        return Backends.here().stream()
                .flatMap(kind -> Stream.of(
                                SMALL,
                                TestData.FAMILIES + "qwen3",
                                TestData.FAMILIES + "llama-bias",
                                TestData.FAMILIES + "gemma2",
                                TestData.FAMILIES + "olmo2",
                                TestData.FAMILIES + "gpt_neox")
                        .map(model -> Arguments.of(kind, model)));
    }

    private Model open(Backends kind, String spec, Options options) throws IOException {
        Backend backend = leaks.closing(kind.open());
        ModelSource source =
                spec.startsWith(TestData.FAMILIES) ? ModelSource.open(TestData.model(spec)) : ModelSource.open(spec);
        return Model.open(source, new BackendChoice(backend, "a test asked for it"), options);
    }

    private static Options placed(WeightPlacement where) {
        return Options.defaults().weights(where);
    }

    /** Answers of every kind of sweep. */
    private static Map<String, double[]> answers(Model model) {
        Map<String, double[]> answers = new LinkedHashMap<>();
        double[] along = new double[model.config().width()];
        along[3] = 0.3;
        Source source = Source.of(Site.of(1, 1), along);
        try (Run run = model.run(1, 2, 3, 4, 5);
                Run donor = model.run(1, 2, 9, 4, 5)) {
            answers.put("field", run.field().toArray());
            answers.put("logits", run.logits());
            answers.put("sensitivity", run.sensitivity(ANSWER).field().toArray());
            answers.put(
                    "log-probability",
                    run.sensitivity(Observable.logProbability("#3"))
                            .middleField()
                            .toArray());
            answers.put("map", run.responseMap().probes(3).compute().frobenius());
            answers.put("patches", Errors.flat(run.patchSweep(donor, ANSWER).measured()));
            answers.put("curvature", run.secondOrder(List.of(source), ANSWER).second());
            answers.put("Green operator", run.green(Site.of(0, 1)).to(2).materialize());
            try (Run patched = run.with(source)) {
                answers.put("patched run", patched.field().toArray());
            }
        }
        return answers;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void streamedWeightsGiveTheSameBits(Backends kind, String spec) throws IOException {
        Map<String, double[]> resident;
        try (Model model = open(kind, spec, placed(WeightPlacement.RESIDENT))) {
            assertThat(model.weights()).isEqualTo(WeightPlacement.RESIDENT);
            resident = answers(model);
        }
        try (Model model = open(kind, spec, placed(WeightPlacement.STREAMED))) {
            assertThat(model.weights()).isEqualTo(WeightPlacement.STREAMED);
            answers(model)
                    .forEach((what, values) -> assertThat(values)
                            .as(what + " of " + spec + " on " + kind)
                            .isEqualTo(resident.get(what)));
        }
    }

    @Test
    void headsOfAStreamedBlockAreThoseOfAResidentOne() throws IOException {
        List<double[]> outputs = new ArrayList<>();
        for (WeightPlacement where : List.of(WeightPlacement.RESIDENT, WeightPlacement.STREAMED)) {
            try (Model model = open(Backends.tested().get(0), SMALL, placed(where));
                    Run run = model.run(1, 2, 3)) {
                ComponentOutputs components = run.components();
                outputs.add(components.of(Component.HEAD).toArray());
            }
        }
        assertThat(outputs.get(1)).isEqualTo(outputs.get(0));
    }

    @Test
    void automaticWeightsAreStreamedWhereTheyDoNotFit() throws IOException {
        String spec = "random:12,2,64,40,16,seed=1";
        long all = parameters(spec) * Float.BYTES;
        try (Model model = open(Backends.CPU, spec, Options.defaults().memory(2 * all))) {
            assertThat(model.weights()).isEqualTo(WeightPlacement.RESIDENT);
        }
        try (Model model = open(Backends.CPU, spec, Options.defaults().memory(all / 2));
                Run run = model.run(1, 2, 3)) {
            assertThat(model.weights()).isEqualTo(WeightPlacement.STREAMED);
            assertThat(run.field().toArray()).doesNotContain(Double.NaN);
            assertThat(model.backend().backend().ledger().bytes()).isLessThan(all / 2);
        }
        assertThatThrownBy(() -> open(
                        Backends.CPU, spec, placed(WeightPlacement.RESIDENT).memory(all / 2)))
                .isInstanceOf(MemoryBudgetException.class)
                .hasMessageContaining("the weights take")
                .hasMessageContaining("stream the weights");
        assertThatThrownBy(() -> open(Backends.CPU, spec, Options.defaults().memory(all / 40)))
                .isInstanceOf(MemoryBudgetException.class)
                .hasMessageContaining("one block of the weights takes");
    }

    private static long parameters(String spec) throws IOException {
        try (ModelSource source = ModelSource.open(spec)) {
            return source.config().parameters();
        }
    }

    @Test
    void manyThreadsShareAStreamedModel() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(6);
        try (Model model = open(Backends.CPU_ONE_THREAD, SMALL, placed(WeightPlacement.STREAMED))) {
            Map<String, double[]> alone = answers(model);
            List<Future<Map<String, double[]>>> together = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                Callable<Map<String, double[]>> work = () -> answers(model);
                together.add(threads.submit(work));
            }
            for (Future<Map<String, double[]>> found : together) {
                for (Map.Entry<String, double[]> answer : found.get().entrySet()) {
                    assertThat(answer.getValue()).as(answer.getKey()).isEqualTo(alone.get(answer.getKey()));
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aGuestIsStreamedBesideItsHost() throws IOException {
        try (Model model = open(Backends.tested().get(0), SMALL, placed(WeightPlacement.STREAMED))) {
            Model control = model.untrained(7);
            assertThat(control.weights()).isEqualTo(WeightPlacement.STREAMED);
            assertThat(answers(control).get("field"))
                    .isNotEqualTo(answers(model).get("field"));
        }
    }
}
