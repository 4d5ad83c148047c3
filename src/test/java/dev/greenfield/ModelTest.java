package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.ModelExport;
import dev.greenfield.model.ModelSource;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the façade refuses: closed models, budgets that are too small, damaged weights, observables that make no sense. */
class ModelTest {
    private static final String SMALL = "random:2,2,16,40,16,seed=1";

    @Test
    void closedModelsSayThatTheyAreClosed() throws IOException {
        Model model = Greenfield.load(SMALL, Options.defaults());
        Run run = model.run(1, 2, 3);
        GreenOperator green = run.green(Site.of(0, 0)).to(2);
        model.close();
        assertThatThrownBy(() -> model.run(1, 2)).hasMessageContaining("closed");
        assertThatThrownBy(run::logits)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> green.apply(new double[16])).hasMessageContaining("closed");
        assertThat(model.backend().backend().ledger().describeOpen()).isEmpty();
    }

    @Test
    void theLedgerNeverExceedsTheBudget() throws IOException {
        String spec = "random:2,2,64,500,64,seed=1";
        try (Model roomy = Greenfield.load(spec, Options.defaults())) {
            long weights = roomy.backend().backend().ledger().bytes();
            int[] tokens = new int[48];
            int done = 0;
            for (long spare = 200_000; spare < 6_000_000; spare += 400_000) {
                long budget = Math.max(weights, 4 * roomy.config().parameters()) + spare;
                try (Model model = Greenfield.load(spec, Options.defaults().memory(budget))) {
                    try (Run run = model.run(tokens)) {
                        run.sensitivity(Observable.logProbability("#3"));
                        run.logits();
                        run.green(Site.of(0, 0)).to(2).svd(2, 0);
                        done++;
                    } catch (MemoryBudgetException e) {
                        assertThat(e).hasMessageContaining("raise the memory budget");
                    }
                    assertThat(model.backend().backend().ledger().peakBytes()).isLessThanOrEqualTo(budget);
                }
            }
            assertThat(done).as("budgets that were enough").isBetween(1, 14);
        }
    }

    @Test
    void damagedWeightsAreNamed(@TempDir Path directory) throws IOException {
        Path model = directory.resolve("model");
        try (ModelSource source = ModelSource.open(SMALL)) {
            ModelExport.write(source, model);
        }
        try (RandomAccessFile file =
                new RandomAccessFile(model.resolve("model.safetensors").toFile(), "rw")) {
            file.seek(file.length() - 16);
            file.write(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(Float.NaN)
                    .array());
        }
        assertThatThrownBy(() -> Greenfield.load(model))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("NaN")
                .hasMessageContaining("element");
    }

    @Test
    void observablesMustBeWhole() {
        assertThatThrownBy(() -> new Observable(Observable.Kind.LOGIT, null, null, null, Observable.LAST))
                .isInstanceOf(InputException.class);
        assertThatThrownBy(() -> new Observable(Observable.Kind.LOGIT_DIFFERENCE, "a", null, null, 0))
                .isInstanceOf(InputException.class);
        assertThatThrownBy(() -> new Observable(Observable.Kind.LINEAR, "a", null, new double[1], 0))
                .isInstanceOf(InputException.class);
        assertThat(Observable.linear(new double[] {1, 2})).isEqualTo(Observable.linear(new double[] {1, 2}));
    }

    @Test
    void componentsOutsideAFieldAreRefused() {
        Field field = new Field(2, 3, 4);
        assertThatThrownBy(() -> field.at(0, 0, 4)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void unreasonableThreadCountsAreRefused() {
        assertThatThrownBy(() -> BackendChoice.open("cpu", null, 1, 1))
                .isInstanceOf(InputException.class)
                .hasMessage(
                        "found GPU 1 with the cpu backend: expected the cuda backend, no other has devices; leave one of"
                                + " them out");
        assertThatThrownBy(() -> BackendChoice.open("cpu", null, 100_000))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("at most");
    }
}
