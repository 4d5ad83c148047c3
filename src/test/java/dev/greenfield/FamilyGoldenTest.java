package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.Field;
import dev.greenfield.model.Precision;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.Golden;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every family and variant against float64 answers of an independent implementation, which transformers agrees with to 5e-14. The models
 * have random weights of standard deviation 0.25: they are stiffer than trained ones.
 */
class FamilyGoldenTest {
    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /**
     * The largest error over the largest magnitude that there may be. On the host stand-in, which cuts the factors of tf32 off where a
     * device rounds them, all files are off by at most 9e-3 in tf32, and by 5e-6 in float32.
     *
     * @param difference of what is a difference of two runs
     */
    private record Bounds(double answer, double difference) {
        static Bounds of(String precision) {
            return switch (precision) {
                case "fp64" -> new Bounds(1e-9, 1e-6);
                case "fp32" -> new Bounds(3e-4, 3e-3);
                case "tf32" -> new Bounds(3e-2, 3e-2);
                default -> throw new IllegalArgumentException("no bounds for " + precision);
            };
        }
    }

    static Stream<Arguments> cases() {
        Stream<List<String>> computed = Backends.onCuda()
                ? Stream.of(List.of("cuda", "fp32"), List.of("cuda", "tf32"))
                : Stream.of(List.of("reference", "fp64"), List.of("cpu", "fp32"));
        List<List<String>> all = computed.toList();
        return Golden.families().stream()
                .flatMap(name -> all.stream().map(by -> Arguments.of(name, by.get(0), by.get(1))));
    }

    @ParameterizedTest(name = "{0} on {1}, {2}")
    @MethodSource("cases")
    void agreesWithGoldenAnswers(String name, String backend, String precision, TestReporter reporter)
            throws IOException {
        if (Backends.onCuda()) {
            Backends.CUDA.open().close(); // skips where there is nothing to test
        }
        Bounds bounds = Bounds.of(precision);
        double bound = bounds.answer();
        List<String> figures = new ArrayList<>();
        List<Executable> checks = new ArrayList<>();
        Options options =
                Options.defaults().backend(backend).precision(Precision.valueOf(precision.toUpperCase(Locale.ROOT)));
        try (Golden golden = Golden.open(name);
                Model model = Greenfield.load(golden.model(), options);
                Run run = model.run(golden.tokens());
                Run corrupt = model.run(golden.corruptTokens())) {
            leaks.watched(model.backend().backend());
            SensitivityField sensitivity = run.sensitivity(golden.observable());
            PatchSweep sweep = run.patchSweep(corrupt, golden.observable());
            double expected = Double.parseDouble(golden.text("logit_difference"));
            double[] field = run.field().toArray();
            figures.add(check(checks, "field", field, golden.values("field"), bound));
            figures.add(check(checks, "logits", run.logits(), golden.values("logits"), bound));
            figures.add(
                    check(checks, "difference", new double[] {sensitivity.value()}, new double[] {expected}, bound));
            double[] gradient = sensitivity.field().toArray();
            figures.add(check(checks, "sensitivity", gradient, golden.values("sensitivity"), bound));
            double[] measured = Errors.flat(sweep.measured());
            figures.add(check(checks, "patch", measured, golden.values("patch.measured"), bounds.difference()));
            Field displacement = golden.field("field.corrupt").minus(golden.field("field"));
            double[] inner = Errors.flat(golden.field("sensitivity").dots(displacement));
            figures.add(check(checks, "predicted", Errors.flat(sweep.predicted()), inner, bound));
            if (golden.has("green")) {
                double[] green = run.green(golden.source())
                        .to(golden.number("target_depth"))
                        .materialize();
                figures.add(check(checks, "green", green, golden.values("green"), bound));
                assertZerosStay(golden.values("green"), green);
            }
        }
        reporter.publishEntry("errors", String.join(", ", figures));
        Assertions.assertAll(checks);
    }

    private static String check(List<Executable> checks, String what, double[] found, double[] expected, double bound) {
        double error = Errors.relative(found, expected);
        checks.add(() -> assertThat(error).as(what).isLessThan(bound));
        return String.format(Locale.ROOT, "%s %.1e", what, error);
    }

    /** What causality and windows make zero is zero to the bit. */
    private static void assertZerosStay(double[] golden, double[] found) {
        assertThat(Arrays.stream(golden).filter(x -> x == 0).count()).isPositive();
        for (int i = 0; i < golden.length; i++) {
            if (golden[i] == 0) {
                assertThat(found[i]).isZero();
            }
        }
    }
}
