package dev.greenfield.backend;

import static dev.greenfield.testing.Vectors.dot;
import static dev.greenfield.testing.Vectors.minus;
import static dev.greenfield.testing.Vectors.norm;
import static dev.greenfield.testing.Vectors.normal;
import static dev.greenfield.testing.Vectors.plus;
import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.model.Precision;
import dev.greenfield.testing.Differences;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Yardstick;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs the table of {@link OperationCases}: the oracle against definitions, every other backend against the oracle. */
class OperationTest {
    private static final double EXACT = 1e-10;

    /** Tests of the oracle alone, which the run on the stand-in leaves out: they have passed before. */
    private static final String ORACLE = "oracle";

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    static List<OperationCase> cases() {
        return OperationCases.all();
    }

    static List<OperationCase> withTangent() {
        return cases().stream().filter(c -> c.tangent() != null).toList();
    }

    @ParameterizedTest
    @MethodSource("cases")
    @Tag(ORACLE)
    void oracleAgreesWithTheDefinition(OperationCase test) {
        Backend oracle = leaks.closing(Backends.REFERENCE.open());
        for (boolean padded : new boolean[] {false, true}) {
            double[] y = test.run(test.value(), oracle, padded, test.point());
            if (test.naive() == null) {
                assertThat(Yardstick.magnitude(y)).isFinite();
                continue;
            }
            double[] expected = test.naive().apply(test.point());
            assertThat(norm(minus(y, expected))).isLessThanOrEqualTo(EXACT * norm(expected));
        }
    }

    @ParameterizedTest
    @MethodSource("withTangent")
    @Tag(ORACLE)
    void differencesOfTheOracleConvergeToItsTangent(OperationCase test) {
        Backend oracle = leaks.closing(Backends.REFERENCE.open());
        double[] direction = direction(31, test);
        Differences.check(
                test.name(),
                h -> test.run(test.value(), oracle, false, plus(test.point(), h, direction)),
                test.run(test.tangent(), oracle, false, direction));
    }

    private static double[] direction(long seed, OperationCase test) {
        return Arrays.stream(normal(seed, test.point().length))
                .map(x -> test.reach() * x)
                .toArray();
    }

    static List<OperationCase> withCurvature() {
        return cases().stream().filter(c -> c.curvature() != null).toList();
    }

    @ParameterizedTest
    @MethodSource("withCurvature")
    @Tag(ORACLE)
    void secondDifferencesOfTheOracleConvergeToItsCurvature(OperationCase test) {
        Backend oracle = leaks.closing(Backends.REFERENCE.open());
        double[] direction = direction(37, test);
        Differences.checkSecond(
                test.name(),
                h -> test.run(test.value(), oracle, false, plus(test.point(), h, direction)),
                test.run(test.curvature(), oracle, true, direction));
    }

    @ParameterizedTest
    @MethodSource("withTangent")
    @Tag(ORACLE)
    void adjointOfTheOracleIsThatOfItsTangent(OperationCase test) {
        Backend oracle = leaks.closing(Backends.REFERENCE.open());
        double[] u = normal(32, test.point().length);
        double[] forward = test.run(test.tangent(), oracle, true, u);
        double[] v = normal(33, forward.length);
        double[] back = test.run(test.adjoint(), oracle, true, v);
        assertThat(Math.abs(dot(v, forward) - dot(back, u))).isLessThanOrEqualTo(EXACT * norm(v) * norm(forward));
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void cornersOfTheBatchAgree(Backends kind) {
        // An empty batch and an empty product are no work, not an error.
        Backend backend = leaks.closing(kind.open());
        try (Workbench bench = new Workbench(backend, true)) {
            Matrix none = bench.poison(0, 4);
            backend.multiply(1, none, false, bench.matrix(normal(1, 12), 4, 3), false, 0, bench.poison(0, 3));
            backend.layerNorm(none, 1e-5, none, null);
            backend.addBias(none, bench.vector(normal(2, 4)));
            backend.squaredNorms(none, new double[0], 0);
            backend.inject(none, new int[0], none, 1);
            AttentionShape shape = new AttentionShape(1, 4, 0.5);
            AttentionPrimal primal = AttentionCases.primal(bench, shape, normal(3, 24));
            RaggedRows rows = RaggedRows.of(2, new int[0], new int[0]);
            backend.attention(shape, bench.poison(0, 12), rows, null, 0, none, null);
            backend.attentionTangent(primal, bench.poison(0, 12), rows, 0, none);
            backend.attentionAdjoint(primal, none, rows, 0, bench.poison(0, 12));
            backend.attentionCurvature(primal, bench.poison(0, 12), rows, 0, none);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void otherBackendsAgreeWithTheOracle(OperationCase test) {
        for (Precision precision : new Precision[] {Precision.FP32, Precision.TF32}) {
            List<Backend> backends = Backends.tested(precision).stream()
                    .map(kind -> leaks.closing(kind.open()))
                    .toList();
            if (!backends.isEmpty()) {
                OperationCheck.of(test, precision).forEach(check -> backends.forEach(check::verify));
            }
        }
    }

    @Test
    void casesHaveDifferentNames() {
        assertThat(cases().stream().map(OperationCase::name)).doesNotHaveDuplicates();
    }
}
