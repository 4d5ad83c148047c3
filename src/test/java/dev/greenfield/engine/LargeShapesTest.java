package dev.greenfield.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.Observable;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.WeightPlacement;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No buffer limits a model: what does not fit one is cut. */
@Tag("slow")
class LargeShapesTest {
    private static final String SMALL =
            "random:llama:layers=5,heads=4,keys=2,width=16,inner=24,vocabulary=101,positions=16";
    private static final int[] TOKENS = {5, 17, 3, 9};

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** Field, logits, and the sensitivity of a log-probability, which takes the whole output matrix twice. */
    private record Answers(double[] field, double[] logits, double[] sensitivity) {}

    private Answers answers(Backend backend, WeightPlan plan) throws IOException {
        try (ModelSource source = ModelSource.open(SMALL);
                DeviceModel model = new DeviceModel(source, backend, plan);
                Scope scope = new Scope(new Linearization(model, TOKENS), new MemoryBudget(backend, 1L << 40))) {
            Observable f = Observable.logProbability("#7");
            return new Answers(
                    scope.run().field().toArray(),
                    scope.logits(),
                    SensitivityField.compute(scope, f).field().toArray());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = WeightPlacement.class,
            names = {"RESIDENT", "STREAMED"})
    void anOutputMatrixInPartsGivesTheSameLogits(WeightPlacement placement) throws IOException {
        Backend backend = leaks.closing(Backends.REFERENCE.open());
        Answers whole = answers(backend, WeightPlan.resident());
        // 101 words of 16 elements in parts of 250 elements: seven parts of 15, the last of 11.
        Answers parts = answers(backend, new WeightPlan(placement, 2, 250));
        assertThat(Errors.relative(parts.logits(), whole.logits())).isLessThan(1e-14);
        assertThat(Errors.relative(parts.sensitivity(), whole.sensitivity())).isLessThan(1e-13);
    }

    @Test
    void aFieldInSeveralBuffersIsTheSame() throws IOException {
        Backend backend = leaks.closing(Backends.REFERENCE.open());
        Answers whole = answers(backend, WeightPlan.resident());
        // 11 levels of 4 x 16 elements, three to a buffer.
        Answers cut = answers(withBuffersOf(backend, 3 * 64 + 63), WeightPlan.resident());
        assertThat(cut.field()).isEqualTo(whole.field());
        assertThat(cut.sensitivity()).isEqualTo(whole.sensitivity());
    }

    /** A backend whose buffers hold no more than so many elements, but for what no run has. */
    private static Backend withBuffersOf(Backend backend, long most) {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (self, method, arguments) -> {
                    if (method.getName().equals("maxBufferLength")) {
                        return most;
                    }
                    if (method.getName().equals("allocate") && arguments[0].equals("field")) {
                        assertThat((long) arguments[1]).isLessThanOrEqualTo(most);
                    }
                    try {
                        return method.invoke(backend, arguments);
                    } catch (InvocationTargetException failed) {
                        throw failed.getCause();
                    }
                });
    }

    /** Room for a block of each is taken, but not touched: the system need not have it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "random:llama-3.1-8b",
                "random:qwen2:layers=2,heads=28,keys=4,width=3584,inner=18944,vocabulary=152064,positions=32768",
                "random:gemma2:layers=2,heads=16,keys=8,head=256,width=3584,inner=14336,vocabulary=256000,positions=8192",
                "random:gemma2:layers=2,heads=32,keys=16,head=128,width=4608,inner=36864,vocabulary=256128,positions=8192",
                "random:llama:layers=2,heads=64,keys=8,width=8192,inner=28672,vocabulary=128256,positions=131072"
            })
    void shapesOfLargeModelsAreNotRefused(String spec) throws IOException {
        try (ModelSource source = ModelSource.open(spec);
                Backend backend = leaks.watched(Backends.CPU.open());
                DeviceModel model = new DeviceModel(source, backend, WeightPlan.streamed(1))) {
            int tokens = source.config().positions();
            long bytes = Linearization.bytes(model, tokens) + Batches.bytes(model, tokens);
            assertThat(bytes).isPositive();
            Batches.require(model, tokens, bytes);
            assertThat(model.missingUnembeddingBytes()).isBetween(1L, (1L << 29) + (1L << 20));
        }
    }
}
