package dev.greenfield.backend.cuda;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.OperationCase;
import dev.greenfield.backend.OperationCases;
import dev.greenfield.backend.Workbench;
import dev.greenfield.failure.BackendException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.model.Precision;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.RoundedFactors;
import dev.greenfield.testing.Yardstick;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Factors of products in other forms: rounded to bf16, and weights that are kept a second time. */
class FactorsTest {
    /** What sums of 37 products in float32 may differ by in another order, relative to the largest. */
    private static final double SUMS = 37 * 0x1p-24;

    private static final String MODEL = "random:2,2,24,19,16,seed=5";
    private static final int[] TOKENS = {3, 17, 9, 4, 11, 2, 8};

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @BeforeEach
    void skipWithoutKernels() {
        assumeTrue(Backends.onCuda(), "tests of the cuda backend only");
        Backends.CUDA.open().close();
    }

    @AfterEach
    void defaults() {
        System.clearProperty("greenfield.cuda.weights");
        System.clearProperty("greenfield.cuda.staging");
    }

    private CudaBackend half() {
        return leaks.closing(CudaBackend.open(Precision.BF16));
    }

    static List<OperationCase> products() {
        return OperationCases.all().stream()
                .filter(c -> c.name().startsWith("multiply"))
                .toList();
    }

    static List<OperationCase> others() {
        return OperationCases.all().stream()
                .filter(c -> !c.name().startsWith("multiply") && !c.name().startsWith("attention"))
                .toList();
    }

    /** Sums in float32 of products of rounded factors: as far from their exact sum as float32 lets one hope, no further. */
    @ParameterizedTest
    @MethodSource("products")
    void factorsAreRoundedToNearestAndSumsAreNot(OperationCase test) {
        Backend exact = RoundedFactors.bf16(leaks.closing(Backends.REFERENCE.open()));
        Backend single = RoundedFactors.bf16(leaks.closing(Backends.single()));
        for (boolean padded : new boolean[] {false, true}) {
            Yardstick.check(
                    "bf16 " + test.name(),
                    test.run(test.value(), half(), padded, test.point()),
                    test.run(test.value(), exact, false, test.point()),
                    test.run(test.value(), single, false, test.point()));
        }
    }

    /** All but products and what is within attention stays float32. */
    @ParameterizedTest
    @MethodSource("others")
    void otherOperationsAreThoseOfFloat32(OperationCase test) {
        Yardstick.check(
                "bf16 " + test.name(),
                test.run(test.value(), half(), true, test.point()),
                test.run(test.value(), leaks.closing(Backends.REFERENCE.open()), false, test.point()),
                test.run(test.value(), leaks.closing(Backends.single()), false, test.point()));
    }

    /** A left factor that is longer than the staging memory goes in parts, a kept right factor in its second form. */
    @ParameterizedTest
    @CsvSource({"BF16, nn", "FP32, tn", "FP32, nn"})
    void keptFactorsMultiplyLikeOthers(Precision precision, String weights) {
        System.setProperty("greenfield.cuda.weights", weights);
        System.setProperty("greenfield.cuda.staging", "1");
        CudaBackend backend = leaks.closing(CudaBackend.open(precision));
        int rows = 20_000; // of 40 elements, 1.6 MB as bf16
        double[] a = normal(1, rows * 37);
        double[] b = normal(2, 37 * 33);
        for (boolean padded : new boolean[] {false, true}) {
            try (Workbench bench = new Workbench(backend, padded)) {
                Matrix left = bench.matrix(a, rows, 37);
                Matrix right = bench.matrix(b, 37, 33);
                Matrix plain = bench.poison(rows, 33);
                Matrix kept = bench.poison(rows, 33);
                Matrix back = bench.poison(rows, 37);
                Matrix keptBack = bench.poison(rows, 37);
                backend.multiply(1, left, false, right, false, 0, plain);
                backend.multiply(1, plain, false, right, true, 0, back);
                long before = backend.ledger().bytes();
                backend.keepAsFactor(right);
                assertThat(backend.ledger().bytes() - before)
                        .isEqualTo(precision == Precision.BF16 ? 37 * 40 * 2 : weights.equals("tn") ? 37 * 33 * 4 : 0);
                backend.multiply(1, left, false, right, false, 0, kept);
                backend.multiply(1, plain, false, right, true, 0, keptBack);
                if (weights.equals("tn") && precision != Precision.BF16) {
                    // Another form of the product: cuBLAS may sum in another order.
                    assertThat(Errors.relative(bench.read(kept), bench.read(plain)))
                            .isLessThan(SUMS);
                    assertThat(Errors.relative(bench.read(keptBack), bench.read(back)))
                            .isLessThan(SUMS);
                } else {
                    assertThat(bench.read(kept)).isEqualTo(bench.read(plain));
                    assertThat(bench.read(keptBack)).isEqualTo(bench.read(back));
                }
            }
        }
        assertThat(backend.ledger().openCount()).isZero(); // the second form went with its matrix
    }

    private Map<String, double[]> results(Backend backend) throws IOException {
        Map<String, double[]> results = new LinkedHashMap<>();
        try (Model model = TestModels.open(MODEL, leaks.watched(backend), 0);
                Run run = model.run(TOKENS)) {
            results.put("logits", run.logits());
            results.put(
                    "sensitivity",
                    run.sensitivity(Observable.logitDifference(3, 1)).field().toArray());
            results.put("map", run.responseMap().exact().compute().frobenius());
        }
        return results;
    }

    @Test
    void resultsOfAModelAreOffByTheRoundingOfFactors() throws IOException {
        Map<String, double[]> exact = results(Backends.REFERENCE.open());
        Map<String, double[]> rounded = results(RoundedFactors.bf16(Backends.single()));
        results(CudaBackend.open(Precision.BF16)).forEach((name, values) -> {
            double expected = Yardstick.distance(rounded.get(name), exact.get(name));
            double magnitude = Yardstick.magnitude(exact.get(name));
            assertThat(expected).as(name).isBetween(1e-4 * magnitude, 0.05 * magnitude);
            double error = Yardstick.distance(values, exact.get(name));
            assertThat(error).as(name).isBetween(0.1 * expected, 3 * expected);
        });
    }

    @Test
    void weightsInOneOrderOrBothGiveTheSame() throws IOException {
        Map<String, double[]> exact = results(Backends.REFERENCE.open());
        Map<String, double[]> single = results(Backends.single());
        for (String weights : List.of("nn", "tn")) {
            System.setProperty("greenfield.cuda.weights", weights);
            CudaBackend backend = CudaBackend.open(Precision.FP32);
            assertThat(backend.factorBytes()).isEqualTo(weights.equals("tn") ? 4 : 0);
            results(backend)
                    .forEach((name, values) ->
                            Yardstick.check(weights + " " + name, values, exact.get(name), single.get(name)));
        }
    }

    @Test
    void exactMapsInBf16AreMadeWithAWarning() throws IOException, InterruptedException {
        String[] map = {"map", "--model", "random:1,1,8,9,4", "--tokens", "1,2", "--backend", "cuda", "--exact"};
        for (String precision : List.of("tf32", "bf16")) {
            String[] command = Stream.concat(Arrays.stream(map), Stream.of("--precision", precision))
                    .toArray(String[]::new);
            ChildJvm.Finished done = ChildJvm.run(Map.of(), List.of(), "dev.greenfield.cli.Main", command);
            assertThat(done.exit()).as(done.err()).isZero();
            assertThat(done.err().contains("warning: an exact map in bf16")).isEqualTo(precision.equals("bf16"));
        }
    }

    @Test
    void aSizeThatMakesNoSenseIsNamed() {
        System.setProperty("greenfield.cuda.weights", "nt");
        assertThatThrownBy(CudaTuning::fromProperties)
                .isInstanceOf(BackendException.class)
                .hasMessageContaining("-Dgreenfield.cuda.weights=nt: expected nn");
        System.setProperty("greenfield.cuda.weights", "tn");
        System.setProperty("greenfield.cuda.staging", "-3");
        assertThatThrownBy(CudaTuning::fromProperties)
                .hasMessageContaining("-Dgreenfield.cuda.staging=-3: expected a whole number from 1");
        System.clearProperty("greenfield.cuda.staging");
        assertThat(CudaTuning.fromProperties().lines())
                .contains(
                        "-Dgreenfield.cuda.weights=tn (tn: weights also kept transposed; auto: where there is much room)");
    }

    /** Both forms of the weights may take half of the room; a model that fits once is not refused because it does not fit twice. */
    @Test
    void weightsAreKeptInBothOrdersWhereThereIsRoom() {
        CudaBackend backend = leaks.closing(CudaBackend.open(Precision.FP32));
        try (Buffer buffer = backend.allocate("weights", 64 * 64)) {
            Matrix matrix = Matrix.of(buffer, 64, 64);
            backend.keepWithin(1 << 24);
            backend.expectFactors(1 << 22); // 32 MiB in both orders
            backend.keepAsFactor(matrix);
            assertThat(backend.keptTranspose(matrix)).isNull();
            backend.expectFactors(1 << 19); // 4 MiB
            backend.keepAsFactor(matrix);
            assertThat(backend.keptTranspose(matrix)).isNotNull();
        }
        assertThat(backend.factorBytes()).isZero();
        assertThat(backend.ledger().openCount()).isZero();
    }
}
