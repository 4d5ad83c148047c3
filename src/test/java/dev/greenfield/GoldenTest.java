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

/** Every backend against float64 answers of an independent implementation, on trained models. */
class GoldenTest {
    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** The bounds a backend is held to: largest error over largest magnitude. */
    private record Bounds(double forward, double derivative, double patch) {
        static Bounds of(String precision) {
            return switch (precision) {
                case "fp64" -> new Bounds(1e-9, 1e-9, 1e-9);
                case "fp32" -> new Bounds(2e-5, 1e-4, 1e-3);
                case "tf32" -> TF32;
                default -> throw new IllegalArgumentException("no bounds for " + precision);
            };
        }
    }

    /**
     * Factors of products keep 10 bits of mantissa, and a run has dozens of products in a row. On the host stand-in, which cuts factors off
     * where a device rounds them, the five files are off by at most 4e-4, 8e-3 (ReLU's kinks in the chat model) and 9e-4.
     */
    private static final Bounds TF32 = new Bounds(2e-3, 3e-2, 1e-2);

    static Stream<Arguments> cases() {
        return Golden.names().stream()
                .flatMap(name -> Backends.here().stream()
                        .map(kind -> kind.toString().toLowerCase(Locale.ROOT))
                        .filter(BackendChoice.NAMES::contains)
                        .flatMap(backend ->
                                precisions(backend).map(precision -> Arguments.of(name, backend, precision))));
    }

    private static Stream<String> precisions(String backend) {
        return switch (backend) {
            case "reference" -> Stream.of("fp64");
            case "cuda" -> Stream.of("fp32", "tf32");
            default -> Stream.of("fp32");
        };
    }

    /** How far off each thing was, beside what it may be: all of it is reported, also when one of them is too far. */
    private static final class Figures {
        private final List<String> lines = new ArrayList<>();
        private final List<Executable> checks = new ArrayList<>();

        void add(String what, double error, double bound) {
            lines.add(String.format(Locale.ROOT, "%s %.1e (%.0e)", what, error, bound));
            checks.add(() -> assertThat(error).as(what).isLessThan(bound));
        }

        void check(TestReporter reporter) {
            reporter.publishEntry("errors and bounds", String.join(", ", lines));
            Assertions.assertAll(checks);
        }
    }

    @ParameterizedTest(name = "{0} on {1}, {2}")
    @MethodSource("cases")
    void agreesWithGoldenAnswers(String name, String backend, String precision, TestReporter reporter)
            throws IOException {
        if (Backends.onCuda()) {
            Backends.CUDA.open().close(); // skips where there is nothing to test
        }
        Bounds bounds = Bounds.of(precision);
        Figures figures = new Figures();
        Options options =
                Options.defaults().backend(backend).precision(Precision.valueOf(precision.toUpperCase(Locale.ROOT)));
        try (Golden golden = Golden.open(name);
                Model model = Greenfield.load(golden.model(), options);
                Run run = model.run(golden.tokens());
                Run corrupt = model.run(golden.corruptTokens())) {
            leaks.watched(model.backend().backend());
            figures.add("field", Errors.relative(run.field().toArray(), golden.values("field")), bounds.forward());
            figures.add("logits", Errors.relative(run.logits(), golden.values("logits")), bounds.forward());

            SensitivityField sensitivity = run.sensitivity(golden.observable());
            double expected = Double.parseDouble(golden.text("logit_difference"));
            double difference = Math.abs(sensitivity.value() - expected) / Math.abs(expected);
            figures.add("logit difference", difference, bounds.forward());
            double[] field = sensitivity.field().toArray();
            figures.add("sensitivity", Errors.relative(field, golden.values("sensitivity")), bounds.derivative());

            double[] green =
                    run.green(golden.source()).to(golden.number("target_depth")).materialize();
            figures.add("green", Errors.relative(green, golden.values("green")), bounds.derivative());

            PatchSweep sweep = run.patchSweep(corrupt, golden.observable());
            double[] measured = Errors.flat(sweep.measured());
            figures.add("patch.measured", Errors.relative(measured, golden.values("patch.measured")), bounds.patch());
            Field displacement = golden.field("field.corrupt").minus(golden.field("field"));
            double[] inner = Errors.flat(golden.field("sensitivity").dots(displacement));
            figures.add(
                    "the file's own <S, displacement>", Errors.relative(inner, golden.values("patch.predicted")), 1e-9);
            double[] predicted = Errors.flat(sweep.predicted());
            figures.add("patch.predicted", Errors.relative(predicted, inner), bounds.derivative());

            addResponse(figures, golden, run, sensitivity.field().vector(golden.source()), bounds);
        }
        figures.check(reporter);
    }

    /** The golden response is measured, at the first epsilon, along the unit sensitivity at the source. */
    private static void addResponse(Figures figures, Golden golden, Run run, double[] direction, Bounds bounds)
            throws IOException {
        double norm = Math.sqrt(Arrays.stream(direction).map(x -> x * x).sum());
        double[] unit = Arrays.stream(direction).map(x -> x / norm).toArray();
        double epsilon = golden.values("sweep.epsilon")[0];
        double[] expected = golden.values("response");
        if (bounds.forward() < 1e-8) {
            // The difference of two runs keeps about seven digits less than the runs have: only float64 has them to
            // give.
            Field measured = run.measuredResponse(golden.source(), unit, epsilon);
            figures.add("measured response", Errors.relative(measured.toArray(), expected), bounds.forward());
        }
        double[] first = run.response(golden.source(), unit).toArray();
        for (int i = 0; i < first.length; i++) {
            first[i] *= epsilon;
        }
        // What is left is second order in epsilon = 1e-4; the responses' curvature is of order 1 to 10.
        figures.add("tangent", Errors.relative(first, expected), Math.max(1e-3, bounds.derivative()));
    }
}
