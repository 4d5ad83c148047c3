package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.cpu.CpuBackend;
import dev.greenfield.backend.reference.ReferenceBackend;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.regime.RegimeGrid;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Many threads use one model: each call gives what it gives alone. */
class ThreadsTest {
    private static final String SMALL = "random:3,2,16,40,16,seed=1";
    private static final Observable ANSWER = Observable.logitDifference("#7", "#8");
    private static final int THREADS = 16;
    private static final int CALLS = Integer.getInteger("greenfield.campaign.calls", 80); // a thread

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** Calls of all kinds, most on a run that all threads share, some on runs of their own. */
    private static List<Function<Run, double[]>> calls() {
        double[] along = new double[16];
        along[3] = 0.3;
        Source source = Source.of(Site.of(1, 1), along);
        return List.of(
                run -> run.sensitivity(ANSWER).field().toArray(),
                run -> run.responseMap().probes(3).compute().frobenius(),
                run -> run.green(Site.of(0, 1)).to(2).svd(2).s(),
                run -> run.green(Site.of(1, 2)).to(3).materialize(),
                run -> run.effects(List.of(source, source.times(2)), ANSWER),
                run -> run.secondOrder(List.of(source), ANSWER).second(),
                run -> run.linearRegimes(List.of(source), ANSWER, RegimeGrid.of(0.1, 0.5))
                        .get(0)
                        .measured(),
                run -> run.infer().change(ANSWER, 0.1).solve().achieved(),
                run -> run.logits(),
                run -> run.field().toArray(),
                run -> {
                    try (Run other = run.another(1, 2, 9, 4, 5)) {
                        return Errors.flat(run.patchSweep(other, ANSWER).measured());
                    }
                },
                run -> {
                    try (Run patched = run.with(source)) {
                        return new double[] {patched.value(ANSWER), patched.value(Observable.logProbability("#3"))};
                    }
                });
    }

    @ParameterizedTest
    @CsvSource({"reference, 0", "cpu, 1e-5"})
    void callsOfManyThreadsAgreeWithSerialOnes(String name, double bound) throws Exception {
        List<Function<Run, double[]>> calls = calls();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try (Model model = TestModels.open(SMALL, backend(name))) {
            Run run = model.run(1, 2, 3, 4, 5);
            List<double[]> serial = calls.stream().map(call -> call.apply(run)).toList();
            int open = LongCalls.opened(model);
            List<Future<?>> done = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                int first = t;
                done.add(threads.submit(() -> {
                    for (int i = 0; i < CALLS; i++) {
                        int number = (first * 7 + i) % calls.size();
                        double[] found = calls.get(number).apply(run);
                        assertThat(Errors.relative(found, serial.get(number)))
                                .as("call " + number)
                                .isLessThanOrEqualTo(bound);
                    }
                }));
            }
            for (Future<?> future : done) {
                future.get();
            }
            assertThat(LongCalls.opened(model))
                    .as(model.backend().backend().ledger().describeOpen())
                    .isEqualTo(open);
        } finally {
            threads.shutdownNow();
        }
    }

    /** Runs that are made while the model closes are closed with it, or refused. */
    @Test
    void closingWhileOthersBeginLeavesNothingOpen() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 20; round++) {
                Model model = TestModels.open(SMALL, backend("reference"));
                List<Future<?>> done = new ArrayList<>();
                for (int t = 0; t < 4; t++) {
                    done.add(threads.submit(() -> {
                        try {
                            for (int i = 0; i < 50; i++) {
                                model.run(1, 2, 3);
                            }
                        } catch (IllegalStateException closed) {
                            assertThat(closed).hasMessageContaining("closed");
                        }
                    }));
                }
                Thread.sleep(round % 5);
                model.close();
                for (Future<?> future : done) {
                    future.get();
                }
                assertThat(model.backend().backend().ledger().describeOpen()).isEmpty();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private Backend backend(String name) throws IOException {
        return leaks.watched(name.equals("cpu") ? CpuBackend.open(2) : new ReferenceBackend());
    }
}
