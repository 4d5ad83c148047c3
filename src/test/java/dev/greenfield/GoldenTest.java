package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Backends;
import dev.greenfield.backend.Precision;
import dev.greenfield.lattice.Field;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.Golden;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
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
     * Factors keep 10 bits of mantissa: each product is off by up to 1e-3 of its terms, and a run has dozens in a row. Found on the host
     * stand-in, which cuts factors off where a device rounds them: at most BOUNDS_FOUND.
     */
    private static final Bounds TF32 = new Bounds(1e-2, 3e-2, 1e-1);

    static Stream<Arguments> cases() {
        return Golden.names().stream().flatMap(name -> Backends.here().stream()
                .map(kind -> kind.toString().toLowerCase(Locale.ROOT))
                .filter(BackendChoice.NAMES::contains)
                .flatMap(backend -> precisions(backend).map(precision -> Arguments.of(name, backend, precision))));
    }

    private static Stream<String> precisions(String backend) {
        return switch (backend) {
            case "reference" -> Stream.of("fp64");
            case "cuda" -> Stream.of("fp32", "tf32");
            default -> Stream.of("fp32");
        };
    }

    @ParameterizedTest(name = "{0} on {1}, {2}")
    @MethodSource("cases")
    void agreesWithGoldenAnswers(String name, String backend, String precision) throws IOException {
        if (Backends.onCuda()) {
            Backends.CUDA.open().close(); // skips where there is nothing to test
        }
        Bounds bounds = Bounds.of(precision);
        Options options =
                Options.defaults().backend(backend).precision(Precision.valueOf(precision.toUpperCase(Locale.ROOT)));
        try (Golden golden = Golden.open(name);
                Model model = Greenfield.load(golden.model(), options);
                Run run = model.run(golden.tokens());
                Run corrupt = model.run(golden.corruptTokens())) {
            leaks.watched(model.backend().backend());
            assertThat(Errors.relative(run.field().toArray(), golden.values("field")))
                    .as("field")
                    .isLessThan(bounds.forward());
            assertThat(Errors.relative(run.logits(), golden.values("logits")))
                    .as("logits")
                    .isLessThan(bounds.forward());

            SensitivityField sensitivity = run.sensitivity(golden.observable());
            double expected = Double.parseDouble(golden.text("logit_difference"));
            assertThat(Math.abs(sensitivity.value() - expected) / Math.abs(expected))
                    .as("logit difference")
                    .isLessThan(bounds.forward());
            assertThat(Errors.relative(sensitivity.field().toArray(), golden.values("sensitivity")))
                    .as("sensitivity")
                    .isLessThan(bounds.derivative());

            double[] green =
                    run.green(golden.source()).to(golden.number("target_depth")).materialize();
            assertThat(Errors.relative(green, golden.values("green")))
                    .as("green")
                    .isLessThan(bounds.derivative());

            PatchSweep sweep = run.patchSweep(corrupt, golden.observable());
            assertThat(Errors.relative(Errors.flat(sweep.measured()), golden.values("patch.measured")))
                    .as("patch.measured")
                    .isLessThan(bounds.patch());
            Field displacement = golden.field("field.corrupt").minus(golden.field("field"));
            double[] inner = Errors.flat(golden.field("sensitivity").dots(displacement));
            assertThat(Errors.relative(inner, golden.values("patch.predicted")))
                    .as("the file's own <S, displacement>")
                    .isLessThan(1e-9);
            assertThat(Errors.relative(Errors.flat(sweep.predicted()), inner))
                    .as("patch.predicted")
                    .isLessThan(bounds.derivative());

            checkResponse(golden, run, sensitivity.field().vector(golden.source()), bounds);
        }
    }

    /** The golden response is measured, at the first epsilon, along the unit sensitivity at the source. */
    private static void checkResponse(Golden golden, Run run, double[] direction, Bounds bounds) throws IOException {
        double norm = Math.sqrt(Arrays.stream(direction).map(x -> x * x).sum());
        double[] unit = Arrays.stream(direction).map(x -> x / norm).toArray();
        double epsilon = golden.values("sweep.epsilon")[0];
        double[] expected = golden.values("response");
        if (bounds.forward() < 1e-8) {
            // The difference of two runs keeps about seven digits less than the runs have: only float64 has them to
            // give.
            Field measured = run.measuredResponse(golden.source(), unit, epsilon);
            assertThat(Errors.relative(measured.toArray(), expected))
                    .as("measured response")
                    .isLessThan(bounds.forward());
        }
        double[] first = run.response(golden.source(), unit).toArray();
        for (int i = 0; i < first.length; i++) {
            first[i] *= epsilon;
        }
        // What is left is second order in epsilon = 1e-4; the responses' curvature is of order 1 to 10.
        assertThat(Errors.relative(first, expected)).as("tangent").isLessThan(1e-3);
    }
}
