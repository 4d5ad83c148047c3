package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.cpu.CpuBackend;
import dev.greenfield.backend.reference.ReferenceBackend;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.GreenfieldException;
import dev.greenfield.model.ModelSource;
import dev.greenfield.study.PromptPair;
import dev.greenfield.study.Study;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Long calls can be stopped, at once and without a trace. */
@Tag("slow")
class CancellationTest {
    /** Products that a call may still do after it was stopped: those of one half of a block. */
    private static final int MOST_PRODUCTS_AFTER = 4;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @AfterEach
    void leaveNoInterrupt() {
        Thread.interrupted();
    }

    /**
     * A backend that lets something happen at a product, and counts those after it. Everything else is that of another backend.
     */
    private static final class Trigger {
        final AtomicLong products = new AtomicLong();
        long at = Long.MAX_VALUE;
        Runnable action = () -> {};

        Backend around(Backend backend) {
            return (Backend) Proxy.newProxyInstance(
                    Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("multiply") && products.incrementAndGet() == at) {
                            action.run();
                        }
                        try {
                            return method.invoke(backend, arguments);
                        } catch (InvocationTargetException thrown) {
                            throw thrown.getCause();
                        }
                    });
        }

        /** How many products a call takes. */
        long count(Runnable call) {
            at = Long.MAX_VALUE;
            products.set(0);
            call.run();
            return products.get();
        }

        void arm(long product, Runnable what) {
            products.set(0);
            at = product;
            action = what;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"reference", "cpu"})
    void interruptedCallsStopAtOnceAndLeaveNothingBehind(String name) throws IOException {
        Trigger trigger = new Trigger();
        try (Model model = TestModels.open(LongCalls.SMALL, trigger.around(backend(name)))) {
            Run run = model.run(LongCalls.TOKENS);
            double value = run.value(LongCalls.ANSWER);
            int open = LongCalls.opened(model);
            LongCalls.all().forEach((call, work) -> {
                long products = trigger.count(() -> work.accept(run));
                assertThat(products).as("products of " + call).isGreaterThan(2 * MOST_PRODUCTS_AFTER);
                for (long at : new long[] {1, products / 3, products - 2 * MOST_PRODUCTS_AFTER}) {
                    trigger.arm(at, Thread.currentThread()::interrupt);
                    assertThatThrownBy(() -> work.accept(run))
                            .as(call + " interrupted at product " + at + " of " + products)
                            .isInstanceOf(CancelledException.class)
                            .isInstanceOf(GreenfieldException.class)
                            .hasMessageContaining("interrupted");
                    assertThat(Thread.interrupted())
                            .as("interrupt status after " + call)
                            .isTrue();
                    assertThat(trigger.products.get() - at)
                            .as("products after the interrupt of " + call)
                            .isLessThanOrEqualTo(MOST_PRODUCTS_AFTER);
                    assertThat(LongCalls.opened(model))
                            .as("buffers left by " + call + ": "
                                    + model.backend().backend().ledger().describeOpen())
                            .isEqualTo(open);
                }
                assertThat(run.value(LongCalls.ANSWER))
                        .as("the run after " + call)
                        .isEqualTo(value);
            });
        }
    }

    @Test
    void aCancellationStopsWhatIsCalledWithinIt() throws IOException {
        Trigger trigger = new Trigger();
        try (Model model = TestModels.open(LongCalls.SMALL, trigger.around(backend("reference")))) {
            Run run = model.run(LongCalls.TOKENS);
            for (boolean innermost : new boolean[] {true, false}) {
                Cancellation outer = Cancellation.create();
                Cancellation inner = Cancellation.create();
                Cancellation asked = innermost ? inner : outer;
                trigger.arm(20, asked::cancel);
                assertThatThrownBy(() -> outer.call(
                                () -> inner.call(() -> run.responseMap().exact().compute())))
                        .isInstanceOf(CancelledException.class)
                        .hasMessageContaining("cancelled");
                assertThat(trigger.products.get()).isLessThan(20 + MOST_PRODUCTS_AFTER + 1);
                assertThat(List.of(inner.isCancelled(), outer.isCancelled())).isEqualTo(List.of(innermost, !innermost));
                assertThatThrownBy(() -> asked.call(() -> 1)).isInstanceOf(CancelledException.class);
            }
            // Outside, and within one that nobody asked for, all is as ever.
            double within = Cancellation.create().call(() -> run.value(LongCalls.ANSWER));
            assertThat(within).isEqualTo(run.value(LongCalls.ANSWER));
        }
    }

    /** On the clock, with a model whose exact map takes many seconds. */
    @Test
    void aMapStopsWithinASecond() throws Exception {
        try (Model model = Greenfield.load(
                "random:4,4,128,300,256,seed=1",
                Options.defaults().backend("cpu").memory(128L << 20))) {
            leaks.watched(model.backend().backend());
            Run run = model.run(new int[192]);
            CountDownLatch working = new CountDownLatch(1);
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread thread = new Thread(() -> {
                try {
                    run.responseMap()
                            .exact()
                            .progress(progress -> working.countDown())
                            .compute();
                } catch (RuntimeException e) {
                    thrown.set(e);
                }
            });
            thread.start();
            working.await();
            long start = System.nanoTime();
            thread.interrupt();
            thread.join();
            assertThat((System.nanoTime() - start) / 1e9).as("seconds to stop").isLessThan(1);
            assertThat(thrown.get()).isInstanceOf(CancelledException.class);
            assertThat(run.sensitivity(LongCalls.ANSWER).value()).isEqualTo(run.value(LongCalls.ANSWER));
        }
    }

    /** A file that a thread writes to when it is interrupted closes itself: what the library sees of it is an I/O failure. */
    @Test
    void aCheckpointGoesOnAfterAnInterrupt(@TempDir Path directory) throws IOException {
        Trigger trigger = new Trigger();
        try (Model model = TestModels.open(LongCalls.SMALL, trigger.around(backend("reference")), 200_000)) {
            Run run = model.run(LongCalls.TOKENS);
            double[] whole = run.responseMap().exact().compute().frobenius();
            Path checkpoint = directory.resolve("checkpoint");
            long products = trigger.count(() -> run.responseMap()
                    .exact()
                    .checkpoint(directory.resolve("counted"))
                    .compute());
            // At the first product, half way, soon after, and before anything, where the file is the first to see it.
            for (long at : new long[] {1, products / 2, 3, 0}) {
                if (at == 0) {
                    Thread.currentThread().interrupt();
                } else {
                    trigger.arm(at, Thread.currentThread()::interrupt);
                }
                assertThatThrownBy(() ->
                                run.responseMap().exact().checkpoint(checkpoint).compute())
                        .as("interrupted at product " + at + " of " + products)
                        .isInstanceOf(CancelledException.class)
                        .hasMessageContaining(at == 0 ? "checkpoint" : "interrupted");
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(run.responseMap()
                            .exact()
                            .checkpoint(checkpoint)
                            .compute()
                            .frobenius())
                    .isEqualTo(whole);
        }
    }

    @Test
    void aStudyGoesOnAfterAnInterrupt(@TempDir Path directory) throws IOException {
        Trigger trigger = new Trigger();
        try (Model model = TestModels.open(LongCalls.SMALL, trigger.around(backend("cpu")))) {
            PromptPair pair = new PromptPair(1, LongCalls.TOKENS, LongCalls.DONOR, LongCalls.ANSWER, "test", 2);
            int open = LongCalls.opened(model);
            long products = trigger.count(() -> study(model, pair, directory.resolve("counted")));
            for (long at : new long[] {1, products / 3, products / 2, products - 100}) {
                trigger.arm(at, Thread.currentThread()::interrupt);
                assertThatThrownBy(() -> study(model, pair, directory.resolve("study")))
                        .as("interrupted at product " + at)
                        .isInstanceOf(CancelledException.class);
                assertThat(Thread.interrupted()).isTrue();
                assertThat(LongCalls.opened(model)).isEqualTo(open);
            }
        }
    }

    private static void study(Model model, PromptPair pair, Path directory) {
        try {
            new Study(model, null, List.of(pair), null, 1).run(directory, Map.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void loadingStopsToo() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() ->
                        Greenfield.load(LongCalls.SMALL, Options.defaults().backend("reference")))
                .isInstanceOf(CancelledException.class);
    }

    @Test
    void theDigestOfTheWeightsStopsAndIsComputedLater() throws IOException {
        for (String spec : List.of(LongCalls.SMALL, "demo")) {
            try (ModelSource source = ModelSource.open(spec)) {
                Thread.currentThread().interrupt();
                assertThatThrownBy(source::sha256).as(spec).isInstanceOf(CancelledException.class);
                assertThat(Thread.interrupted()).isTrue();
                assertThat(source.sha256()).hasSize(64);
            }
        }
    }

    private Backend backend(String name) {
        return leaks.watched(name.equals("cpu") ? CpuBackend.open(2) : new ReferenceBackend());
    }
}
