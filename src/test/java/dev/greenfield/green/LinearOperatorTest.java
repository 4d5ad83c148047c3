package dev.greenfield.green;

import static dev.greenfield.testing.Vectors.dot;
import static dev.greenfield.testing.Vectors.norm;
import static dev.greenfield.testing.Vectors.normal;
import static dev.greenfield.testing.Vectors.plus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.Site;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compositions, slices and restrictions of Green operators against dense products of their matrices. */
class LinearOperatorTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final int WIDTH = 16;
    private static final int LAYERS = 3;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private Model open(Backends kind) throws IOException {
        return TestModels.open(MODEL, leaks.watched(kind.open()));
    }

    private static double bound(Backends kind) {
        return kind == Backends.REFERENCE ? 1e-10 : 1e-4;
    }

    private static Site at(int halfDepth, int token) {
        return new Site(halfDepth / 2, halfDepth % 2 == 1, token);
    }

    private static List<Site> all(int halfDepth) {
        return IntStream.range(0, PROMPT.length).mapToObj(t -> at(halfDepth, t)).toList();
    }

    private static GreenOperator green(Run run, List<Site> sources, List<Site> targets) {
        return run.green(sources).to(targets.toArray(Site[]::new));
    }

    private static double[][] vectors(long seed, int count, int length) {
        return IntStream.range(0, count).mapToObj(i -> normal(seed + i, length)).toArray(double[][]::new);
    }

    private static DMatrixRMaj matrix(LinearOperator a) {
        return DMatrixRMaj.wrap(a.outputs(), a.inputs(), a.materialize());
    }

    private static DMatrixRMaj product(DMatrixRMaj... factors) {
        DMatrixRMaj product = factors[0];
        for (int i = 1; i < factors.length; i++) {
            product = CommonOps_DDRM.mult(product, factors[i], null);
        }
        return product;
    }

    private static DMatrixRMaj transposed(double[][] rows) {
        return CommonOps_DDRM.transpose(new DMatrixRMaj(rows), null);
    }

    /** Everything an operator does, against its matrix. */
    private static void check(String name, LinearOperator a, DMatrixRMaj expected, double bound) {
        assertThat(a.outputs()).as(name).isEqualTo(expected.numRows);
        assertThat(a.inputs()).as(name).isEqualTo(expected.numCols);
        assertThat(a.materializedBytes()).as(name).isEqualTo(8L * expected.numRows * expected.numCols);
        assertThat(norm(expected.data)).as(name + " is something").isPositive();
        assertThat(Errors.relative(a.materialize(), expected.data))
                .as(name + " materialized")
                .isLessThan(bound);
        double[][] u = vectors(11, 3, a.inputs());
        double[][] v = vectors(21, 3, a.outputs());
        double[][] forward = a.applyAll(u);
        double[][] back = a.adjointAll(v);
        for (int i = 0; i < u.length; i++) {
            double[] image = product(expected, transposed(new double[][] {u[i]})).data;
            double[] adjoint = product(new DMatrixRMaj(new double[][] {v[i]}), expected).data;
            assertThat(Errors.relative(forward[i], image)).as(name + " applied").isLessThan(bound);
            assertThat(Errors.relative(back[i], adjoint)).as(name + " adjoint").isLessThan(bound);
            assertThat(Math.abs(dot(v[i], forward[i]) - dot(back[i], u[i])))
                    .as(name + ": <v, A u> = <A'v, u>")
                    .isLessThan(bound * norm(v[i]) * norm(forward[i]));
        }
        assertThat(a.apply(u[0])).as(name).hasSize(a.outputs());
        assertThat(a.adjoint(v[0])).as(name).hasSize(a.inputs());
        double squared = dot(expected.data, expected.data);
        assertThat(a.squaredFrobenius()).as(name).isCloseTo(squared, within(bound * squared));
        assertThat(a.frobenius()).as(name).isCloseTo(Math.sqrt(squared), within(bound * Math.sqrt(squared)));
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void throughAllTokensOfADepthGoesEverything(Backends kind) throws IOException {
        try (Model model = open(kind)) {
            Run run = model.run(PROMPT);
            int top = 2 * LAYERS;
            List<List<Site>> sources = List.of(List.of(at(0, 1)), List.of(at(1, 0), at(0, 3)));
            List<List<Site>> targets = List.of(all(top), List.of(at(top - 1, 4), at(top, 2)));
            for (List<Site> from : sources) {
                for (List<Site> to : targets) {
                    DMatrixRMaj direct = matrix(green(run, from, to));
                    for (int between = 1; between < top; between++) {
                        GreenOperator lower = green(run, from, all(between));
                        LinearOperator through = lower.then(green(run, lower.targets(), to));
                        assertThat(through.sources()).isEqualTo(from);
                        assertThat(through.targets()).isEqualTo(to);
                        check(from + " to " + to + " through " + between, through, direct, bound(kind));
                    }
                }
            }
            LinearOperator stepwise = green(run, all(0), all(1));
            for (int h = 1; h < top; h++) {
                stepwise = stepwise.then(green(run, all(h), all(h + 1)));
            }
            check("half depth by half depth", stepwise, matrix(green(run, all(0), all(top))), bound(kind));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void throughSomeSitesGoOnlyThePathsThere(Backends kind) throws IOException {
        try (Model model = open(kind)) {
            Run run = model.run(PROMPT);
            List<Site> from = List.of(at(0, 1));
            for (List<Site> between :
                    List.of(List.of(at(2, 2)), List.of(at(3, 4), at(3, 1)), List.of(at(2, 3), at(3, 1)))) {
                GreenOperator lower = green(run, from, between);
                GreenOperator upper = green(run, between, all(2 * LAYERS));
                LinearOperator paths = lower.then(upper);
                check("through " + between, paths, product(matrix(upper), matrix(lower)), bound(kind));
                double[] direct = green(run, from, all(2 * LAYERS)).materialize();
                assertThat(Errors.relative(paths.materialize(), direct))
                        .as("paths beside " + between)
                        .isGreaterThan(0.01);
            }
        }
    }

    /** Rows and columns of the sites kept. */
    private static DMatrixRMaj blocks(DMatrixRMaj matrix, int[] targets, int[] sources) {
        DMatrixRMaj kept = new DMatrixRMaj(targets.length * WIDTH, sources.length * WIDTH);
        for (int i = 0; i < kept.numRows; i++) {
            for (int j = 0; j < kept.numCols; j++) {
                kept.set(
                        i,
                        j,
                        matrix.get(targets[i / WIDTH] * WIDTH + i % WIDTH, sources[j / WIDTH] * WIDTH + j % WIDTH));
            }
        }
        return kept;
    }

    private static List<Site> pick(List<Site> sites, int... which) {
        return Arrays.stream(which).mapToObj(sites::get).toList();
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void slicesAreSubmatricesAndDirectionsAreProducts(Backends kind) throws IOException {
        try (Model model = open(kind)) {
            Run run = model.run(PROMPT);
            List<Site> from = List.of(at(0, 0), at(1, 2), at(2, 1));
            List<Site> to = List.of(at(5, 4), at(6, 3), at(6, 4), at(2, 1));
            GreenOperator direct = green(run, from, to);
            Map<String, LinearOperator> operators = new LinkedHashMap<>();
            operators.put("direct", direct);
            operators.put("composed", green(run, from, all(4)).then(green(run, all(4), to.subList(0, 3))));
            operators.forEach((name, a) -> checkSlices(name, a, bound(kind)));
        }
    }

    private static void checkSlices(String name, LinearOperator a, double bound) {
        DMatrixRMaj whole = matrix(a);
        int[] columns = {2, 0};
        int[] rows = {2, 0, 1};
        List<Site> sources = pick(a.sources(), columns);
        List<Site> targets = pick(a.targets(), rows);
        LinearOperator slice = a.slice(sources, targets);
        assertThat(slice.sources()).isEqualTo(sources);
        assertThat(slice.targets()).isEqualTo(targets);
        DMatrixRMaj part = blocks(whole, rows, columns);
        check(name + " sliced", slice, part, bound);
        check(
                name + " sliced again",
                slice.slice(sources, pick(targets, 1)),
                blocks(part, new int[] {1}, new int[] {0, 1}),
                bound);

        double[][] in = vectors(31, 3, slice.inputs());
        double[][] out = vectors(41, 2, slice.outputs());
        DMatrixRMaj onInputs = product(part, transposed(in));
        check(name + " on inputs", slice.onInputs(in), onInputs, bound);
        check(name + " on outputs", slice.onOutputs(out), product(new DMatrixRMaj(out), part), bound);
        LinearOperator both = slice.onInputs(in).onOutputs(out);
        check(name + " on both", both, product(new DMatrixRMaj(out), onInputs), bound);
        assertThat(both.sources()).isEqualTo(sources);
        assertThat(both.targets()).isEqualTo(targets);
        double[][] again = vectors(51, 2, 3);
        check(
                name + " on directions among directions",
                both.onInputs(again),
                product(new DMatrixRMaj(out), onInputs, transposed(again)),
                bound);
        check(
                name + " on inputs, then sliced",
                slice.onInputs(in).slice(sources, pick(targets, 2)),
                product(blocks(part, new int[] {2}, new int[] {0, 1}), transposed(in)),
                bound);
    }

    /** Through directions go the paths in their span: H B'B G for orthonormal B. */
    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void operatorsChainThroughDirections(Backends kind) throws IOException {
        try (Model model = open(kind)) {
            Run run = model.run(PROMPT);
            GreenOperator lower = green(run, List.of(at(0, 1)), all(3));
            GreenOperator upper = green(run, all(3), List.of(at(6, 4)));
            double[][] basis = vectors(61, 4, lower.outputs());
            LinearOperator through = lower.onOutputs(basis).then(upper.onInputs(basis));
            DMatrixRMaj b = new DMatrixRMaj(basis);
            check(
                    "through directions",
                    through,
                    product(matrix(upper), transposed(basis), b, matrix(lower)),
                    bound(kind));
            double[][] in = vectors(71, 2, lower.inputs());
            check(
                    "directions, then sites",
                    lower.onInputs(in).then(upper),
                    product(matrix(upper), matrix(lower), transposed(in)),
                    bound(kind));
            // The caller's numbers may change afterwards.
            double before = through.frobenius();
            basis[0][0] += 1;
            assertThat(through.frobenius()).isEqualTo(before);
        }
    }

    @Test
    void singularValuesOfSlicesAndCompositionsAreThoseOfTheirMatrices() throws IOException {
        try (Model model = open(Backends.REFERENCE)) {
            Run run = model.run(PROMPT);
            GreenOperator green = green(run, all(0), all(6));
            GreenOperator lower = green(run, List.of(at(0, 1)), List.of(at(3, 2), at(3, 4)));
            Map<String, LinearOperator> operators = new LinkedHashMap<>();
            operators.put("slice", green.slice(List.of(at(0, 1), at(0, 2)), List.of(at(6, 4), at(6, 2))));
            operators.put("on inputs", green.onInputs(vectors(1, 7, green.inputs())));
            operators.put("on outputs", green.onOutputs(vectors(1, 7, green.outputs())));
            operators.put("composition", lower.then(green(run, lower.targets(), all(6))));
            operators.forEach((name, a) -> {
                DMatrixRMaj dense = matrix(a);
                SingularValueDecomposition_F64<DMatrixRMaj> svd =
                        DecompositionFactory_DDRM.svd(dense.numRows, dense.numCols, false, false, false);
                assertThat(svd.decompose(dense)).isTrue();
                double[] values = Arrays.stream(svd.getSingularValues())
                        .boxed()
                        .sorted((x, y) -> Double.compare(y, x))
                        .mapToDouble(x -> x)
                        .toArray();
                LowRank low = a.svd(5, 9);
                double squared = Arrays.stream(values).map(s -> s * s).sum();
                assertThat(low.squaredFrobenius()).as(name).isCloseTo(squared, within(1e-9 * squared));
                for (int k = 0; k < 5; k++) {
                    assertThat(low.s()[k]).as(name + " " + k).isCloseTo(values[k], within(1e-8 * values[0]));
                    double[] image = a.apply(column(low.v(), k, 5));
                    assertThat(norm(plus(image, -low.s()[k], column(low.u(), k, 5))))
                            .as(name + ": A v = s u for triple " + k)
                            .isLessThan(1e-4 * values[0]);
                }
            });
        }
    }

    private static double[] column(double[] matrix, int k, int rank) {
        return IntStream.range(0, matrix.length / rank)
                .mapToDouble(i -> matrix[i * rank + k])
                .toArray();
    }
}
