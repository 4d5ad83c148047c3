package dev.greenfield.green;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What operators do not do, and what they say then. */
class LinearOperatorRefusalTest {
    private static final String MODEL = "random:2,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4};
    private static final int WIDTH = 16;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private Model open() throws IOException {
        return TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()));
    }

    private static void refused(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call).isInstanceOf(InputException.class).hasMessageContainingAll(parts);
    }

    @Test
    void whatDoesNotFitTogetherIsNotComposed() throws IOException {
        try (Model model = open()) {
            Run run = model.run(PROMPT);
            Site a = Site.of(1, 1);
            Site b = Site.mid(1, 2);
            GreenOperator lower = run.green(Site.of(0, 0)).to(a, b);
            refused(
                    () -> lower.then(run.green(a).to(2)),
                    "then: the next operator has 1 source sites",
                    "expected the 2 target sites");
            refused(
                    () -> lower.then(run.green(b, a).to(2)),
                    "source 0 of the next operator is (depth 1.5, token 2), expected (depth 1, token 1)");
            GreenOperator upper = run.green(a, b).to(2);
            refused(() -> lower.then(model.run(PROMPT).green(a, b).to(2)), "belongs to another run", "of the same run");
            double[][] two = {normal(1, 2 * WIDTH), normal(2, 2 * WIDTH)};
            double[][] others = {normal(1, 2 * WIDTH), normal(3, 2 * WIDTH)};
            refused(
                    () -> lower.onOutputs(two).then(upper),
                    "takes the whole stream at its sites, expected coefficients of 2 directions");
            refused(
                    () -> lower.then(upper.onInputs(two)),
                    "takes coefficients of 2 directions",
                    "expected the whole stream");
            refused(() -> lower.onOutputs(two).then(upper.onInputs(others)), "the same directions");
            assertThat(lower.onOutputs(two).then(upper.onInputs(two)).outputs()).isEqualTo(PROMPT.length * WIDTH);
        }
    }

    @Test
    void slicesAndDirectionsThatMakeNoSenseAreRefused() throws IOException {
        try (Model model = open()) {
            Run run = model.run(PROMPT);
            Site a = Site.of(1, 1);
            Site b = Site.mid(1, 2);
            GreenOperator green = run.green(a, b).to(2);
            refused(
                    () -> green.slice(List.of(Site.of(1, 2)), green.targets()),
                    "slice: (depth 1, token 2) is not a source of this operator",
                    "its 2 source sites");
            refused(
                    () -> green.slice(green.sources(), List.of(a)),
                    "slice: (depth 1, token 1) is not a target of this operator");
            refused(() -> green.slice(List.of(), green.targets()), "at least one source site");
            refused(() -> green.slice(List.of(a, a), green.targets()), "named twice");
            refused(() -> green.onInputs(new double[0][]), "input directions: there are no directions");
            refused(
                    () -> green.onInputs(new double[][] {new double[2 * WIDTH], new double[WIDTH]}),
                    "input directions: direction 1 has 16 components, expected 32");
            double[] infinite = new double[4 * WIDTH];
            infinite[3] = Double.POSITIVE_INFINITY;
            refused(() -> green.onOutputs(new double[][] {infinite}), "output directions: direction 0", "Infinity");
            LinearOperator along = green.onInputs(new double[][] {normal(1, 2 * WIDTH), normal(2, 2 * WIDTH)});
            refused(
                    () -> along.slice(List.of(a), green.targets()),
                    "already restricted to 2 directions",
                    "slice the sites first");
            refused(() -> along.apply(new double[3]), "apply: the vector has 3 components, expected 2, one for each");
            refused(() -> green.adjoint(new double[3]), "adjoint: the vector has 3 components, expected 64, the sites");
            refused(() -> along.svd(3, 1), "rank 3: expected 1 to 2");
            // Causality leaves nothing to compute, and the length is still checked.
            refused(() -> run.green(Site.of(2, 3)).to(Site.of(0, 0)).apply(new double[3]), "expected 16");
        }
    }

    @Test
    void matricesBeyondTheBudgetAreRefusedAndProductsAreNot() throws IOException {
        Backend probe = leaks.watched(Backends.REFERENCE.open());
        long used;
        try (Model model = TestModels.open(MODEL, probe)) {
            try (Run run = model.run(PROMPT)) {
                used = probe.ledger().bytes();
                assertThat(run.tokens()).hasSize(PROMPT.length);
            }
        }
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()), used + 30_000)) {
            Run run = model.run(PROMPT);
            GreenOperator lower = run.green(List.of(Site.of(0, 0), Site.of(0, 1), Site.of(0, 2), Site.of(0, 3)))
                    .to(1);
            LinearOperator composed = lower.then(run.green(lower.targets()).to(2));
            assertThat(composed.materializedBytes()).isEqualTo(8L * 64 * 64);
            assertThatThrownBy(composed::materialize)
                    .isInstanceOf(MemoryBudgetException.class)
                    .hasMessageContainingAll(
                            "the full composed operator has 64 x 64 entries (32.0 KiB)", "leading part with svd");
            assertThatThrownBy(lower::materialize)
                    .isInstanceOf(MemoryBudgetException.class)
                    .hasMessageContaining("the full Green operator has 64 x 64 entries (32.0 KiB)");
            LinearOperator part = composed.slice(List.of(Site.of(0, 1)), composed.targets())
                    .onOutputs(new double[][] {normal(1, 64)});
            assertThat(part.materialize()).hasSize(WIDTH);
            assertThat(composed.frobenius()).isPositive();
        }
    }
}
