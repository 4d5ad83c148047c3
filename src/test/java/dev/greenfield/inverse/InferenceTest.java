package dev.greenfield.inverse;

import static dev.greenfield.testing.Vectors.dot;
import static dev.greenfield.testing.Vectors.norm;
import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Inferred sources against closed forms and dense linear algebra, and against the runs that they change. */
class InferenceTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final int[] DONOR = {3, 5, 9, 1, 22};
    private static final int WIDTH = 16;
    private static final Observable F = Observable.linear(normal(77, WIDTH));
    private static final Observable G = Observable.linear(normal(78, WIDTH)).at(3);

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private Model reference() throws IOException {
        return TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()));
    }

    /** S at every site below the last depth that F sees, in one vector, in the order of the source's sites. */
    private static double[] sensitivity(Run run, Observable f, List<Site> sites) {
        SensitivityField s = run.sensitivity(f);
        return Vectors.concat(sites.stream().map(s::at).toArray(double[][]::new));
    }

    @Test
    void theShortestSourceOfOneChange() throws IOException {
        try (Model model = reference()) {
            Run run = model.run(PROMPT);
            Inference found = run.infer().change(F, 0.3).steps(1).solve();
            assertThat(found.sites()).hasSize(15).contains(Site.of(0, 0)).doesNotContain(Site.of(3, 4));
            double[] s = sensitivity(run, F, found.sites());
            double[] closed = Arrays.stream(s).map(x -> 0.3 * x / dot(s, s)).toArray();
            assertThat(Errors.relative(Vectors.concat(found.vectors()), closed)).isLessThan(1e-12);
            assertThat(found.predicted()[0]).isCloseTo(0.3, within(1e-12));
            assertThat(found.achieved()[0])
                    .isCloseTo(run.effects(List.of(found.source()), F)[0], within(1e-12))
                    .isNotCloseTo(0.3, within(1e-5));
            assertThat(found.end()).isEqualTo(Inference.End.STEPS);
        }
    }

    @Test
    void theShortestSourceOfTwoChanges() throws IOException {
        try (Model model = reference()) {
            Run run = model.run(PROMPT);
            Inference found =
                    run.infer().change(F, 0.2).change(G, -0.1).steps(1).solve();
            double[] source = Vectors.concat(found.vectors());
            double[] sf = sensitivity(run, F, found.sites());
            double[] sg = sensitivity(run, G, found.sites());
            assertThat(dot(sf, source)).isCloseTo(0.2, within(1e-12));
            assertThat(dot(sg, source)).isCloseTo(-0.1, within(1e-12));
            // Whatever fulfils both and is shorter would have less in the span of the two: there is nothing outside.
            double[] rest = source.clone();
            double ff = dot(sf, sf);
            double gg = dot(sg, sg);
            double fg = dot(sf, sg);
            double det = ff * gg - fg * fg;
            double a = (gg * dot(sf, source) - fg * dot(sg, source)) / det;
            double b = (ff * dot(sg, source) - fg * dot(sf, source)) / det;
            rest = Vectors.plus(Vectors.plus(rest, -a, sf), -b, sg);
            assertThat(norm(rest)).isLessThan(1e-12 * norm(source));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void largeChangesAreReached(Backends kind) throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(kind.open()))) {
            Run run = model.run(PROMPT);
            double value = run.value(F);
            Inference both = run.infer().change(F, 6).change(G, -4).solve();
            assertThat(both.end()).isEqualTo(Inference.End.REACHED);
            assertThat(both.misfit()).isLessThan(1e-3);
            assertThat(both.steps().get(0).misfit()).isGreaterThan(0.01);
            assertThat(run.with(both.source()).value(F)).isCloseTo(value + 6, within(0.01));
            Inference few = run.infer().changeByFraction(F, -0.5).sparse(2).solve();
            assertThat(few.sites()).hasSize(2);
            assertThat(few.achieved()[0]).isCloseTo(-0.5 * value, within(2e-3 * Math.abs(value)));
        }
    }

    /** The length of S is all that counts for one change: the best few sites are those where it is longest. */
    @Test
    void fewSitesForOneChangeAreTheMostSensitive() throws IOException {
        try (Model model = reference()) {
            Run run = model.run(PROMPT);
            SensitivityField s = run.sensitivity(F);
            List<Site> sites =
                    new ArrayList<>(run.infer().change(F, 0.1).steps(1).solve().sites());
            sites.sort((x, y) -> Double.compare(norm(s.at(y)), norm(s.at(x))));
            Inference found = run.infer().change(F, 0.1).sparse(3).steps(1).solve();
            assertThat(found.sites()).isEqualTo(sites.subList(0, 3));
        }
    }

    /** A wanted displacement of the last two tokens of depth 2, small enough for first order. */
    private static Source displacement() {
        return Source.of(Map.of(Site.of(2, 3), normal(1, WIDTH), Site.of(2, 4), normal(2, WIDTH)))
                .times(1e-3);
    }

    @Test
    void ridgeSolvesTheNormalEquations() throws IOException {
        try (Model model = reference()) {
            Run run = model.run(PROMPT);
            List<Site> among = List.of(Site.of(0, 1), Site.of(1, 3), Site.of(0, 3));
            double lambda = 0.01;
            Source wish = displacement();
            Inference found = run.infer()
                    .displacement(wish)
                    .among(among)
                    .ridge()
                    .lambda(lambda)
                    .tolerance(1e-9)
                    .steps(1)
                    .solve();
            List<Site> targets = new ArrayList<>(wish.vectors().keySet());
            double largest =
                    run.green(among).to(targets.toArray(Site[]::new)).svd(1, 0).s()[0];
            DMatrixRMaj a = DMatrixRMaj.wrap(
                    32, 48, run.green(among).to(targets.toArray(Site[]::new)).materialize());
            DMatrixRMaj normal = new DMatrixRMaj(48, 48);
            CommonOps_DDRM.multTransA(a, a, normal);
            for (int i = 0; i < 48; i++) {
                normal.add(i, i, lambda * largest * largest);
            }
            DMatrixRMaj right = new DMatrixRMaj(48, 1);
            double[] b =
                    Vectors.concat(targets.stream().map(wish.vectors()::get).toArray(double[][]::new));
            CommonOps_DDRM.multTransA(a, DMatrixRMaj.wrap(32, 1, b), right);
            DMatrixRMaj dense = new DMatrixRMaj(48, 1);
            CommonOps_DDRM.solve(normal, right, dense);
            // The penalty's unit comes from power steps, which stop short of the largest singular value.
            assertThat(Errors.relative(Vectors.concat(found.vectors()), dense.data))
                    .isLessThan(0.02);
            assertThat(found.lambda()).isEqualTo(lambda);
            LeastSquares.Solution exact = new Tangent.Green(run.green(among).to(targets.toArray(Site[]::new)))
                    .solve(b, lambda * largest * largest, new LeastSquares.Stop(0, 1e-13, 200));
            assertThat(Errors.relative(exact.x(), dense.data)).isLessThan(1e-10);
            // Without a penalty: the shortest of all that come closest.
            LeastSquares.Solution shortest = new Tangent.Green(run.green(among).to(targets.toArray(Site[]::new)))
                    .solve(b, 0, new LeastSquares.Stop(0, 1e-14, 400));
            DMatrixRMaj inverse = new DMatrixRMaj(48, 32);
            CommonOps_DDRM.pinv(a, inverse);
            DMatrixRMaj least = new DMatrixRMaj(48, 1);
            CommonOps_DDRM.mult(inverse, DMatrixRMaj.wrap(32, 1, b), least);
            assertThat(Errors.relative(shortest.x(), least.data)).isLessThan(1e-6);
        }
    }

    @Test
    void iterationsStopAtTheStatedNoise() throws IOException {
        try (Model model = reference()) {
            Run run = model.run(PROMPT);
            Tangent a =
                    new Tangent.Green(run.green(Site.of(0, 1), Site.of(0, 4)).to(2));
            double[] b = normal(3, 80);
            LeastSquares.Solution solution = a.solve(b, 0, new LeastSquares.Stop(0.9, 0, 50));
            assertThat(solution.misfit()).isLessThanOrEqualTo(0.9);
            assertThat(solution.misfits()[solution.iterations() - 1]).isGreaterThan(0.9);
            assertThat(a.solve(b, 0, new LeastSquares.Stop(0, 0, 3)).iterations())
                    .isEqualTo(3);
        }
    }

    /** The first site is the one whose own penalized solution is best, found here by solving for each. */
    @Test
    void pursuitTakesTheSiteThatExplainsMost() throws IOException {
        try (Model model = reference()) {
            Run run = model.run(PROMPT);
            List<Site> sites = new ArrayList<>();
            for (int l = 0; l < 3; l++) {
                for (int t = 0; t < 5; t++) {
                    sites.add(Site.of(l, t));
                }
            }
            Tangent a = new Tangent.Green(run.green(sites).to(3));
            double lambda = 1e-3 * a.largestSquare();
            LeastSquares.Stop exact = new LeastSquares.Stop(0, 1e-12, 500);
            double[] b = Vectors.plus(
                    run.green(Site.of(1, 2)).to(3).apply(normal(8, WIDTH)),
                    1,
                    run.green(Site.of(0, 0)).to(3).apply(normal(9, WIDTH)));
            List<Integer> chosen = new GroupPursuit(a, b, lambda).choose(2, exact);
            double[] objective = new double[15];
            for (int i = 0; i < 15; i++) {
                double[] x = a.at(List.of(i)).solve(b, lambda, exact).x();
                double[] rest = Vectors.minus(b, a.at(List.of(i)).apply(x));
                objective[i] = dot(rest, rest) + lambda * dot(x, x);
            }
            int best = 0;
            for (int i = 1; i < 15; i++) {
                best = objective[i] < objective[best] ? i : best;
            }
            assertThat(chosen.get(0)).isEqualTo(best);
            assertThat(chosen).hasSize(2).doesNotHaveDuplicates();
            // Enough is enough: a misfit that one site reaches ends it.
            assertThat(new GroupPursuit(a, b, lambda).choose(9, new LeastSquares.Stop(0.99, 1e-12, 500)))
                    .hasSize(1);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void theStreamMovesToTheDonors(Backends kind) throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(kind.open()))) {
            Run run = model.run(PROMPT);
            Run donor = model.run(DONOR);
            Site target = Site.of(3, 4);
            Source wish = Source.of(target, donor.field().minus(run.field()).vector(3, 4));
            Inference found = run.infer().displacement(wish).solve();
            assertThat(found.method()).isEqualTo(Inference.Method.RIDGE);
            assertThat(found.misfit()).isLessThan(0.01);
            double[] moved = run.with(found.source()).field().minus(run.field()).vector(3, 4);
            assertThat(Errors.relative(found.achieved(), moved)).isLessThan(1e-4);
            assertThat(found.along(found.achieved())).isCloseTo(wish.norm(), within(0.01 * wish.norm()));
            Inference few = run.infer().displacement(wish).sparse(1).solve();
            assertThat(few.sites()).hasSize(1);
        }
    }

    @Test
    void impossibleWishesAreRefused() throws IOException {
        try (Model model = reference()) {
            Run run = model.run(PROMPT);
            assertThatThrownBy(() -> run.infer().solve())
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("nothing is wanted");
            assertThatThrownBy(() -> run.infer().change(F, 0).solve()).hasMessageContaining("wanted change is 0");
            assertThatThrownBy(() -> run.infer().change(F, Double.NaN)).hasMessageContaining("finite");
            assertThatThrownBy(() -> run.infer()
                            .change(G, 1)
                            .among(List.of(Site.of(1, 4)))
                            .solve())
                    .hasMessageContaining("none of the 1 allowed sites");
            assertThatThrownBy(() -> run.infer().among(List.of(Site.of(4, 0)))).hasMessageContaining("at most 3");
            assertThatThrownBy(() -> run.infer().change(F, 1).displacement(displacement()))
                    .hasMessageContaining("both a displacement");
            assertThatThrownBy(() -> run.infer().sparse(0)).hasMessageContaining("at least 1");
            assertThatThrownBy(() -> run.infer().lambda(-1)).hasMessageContaining("lambda -1");
            assertThatThrownBy(() -> run.infer().tolerance(1)).hasMessageContaining("tolerance 1");
            assertThatThrownBy(
                            () -> run.infer().change(F, 1).leastNorm().lambda(1).solve())
                    .hasMessageContaining("penalty");
        }
    }
}
