package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.dot;
import static dev.greenfield.testing.Vectors.minus;
import static dev.greenfield.testing.Vectors.normal;
import static dev.greenfield.testing.Vectors.plus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.ModelSource;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.FlopCounter;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What a half block promises, part by part and in float64: its derivatives are those of its own value, and it costs what it says.
 * Sweeps only chain parts, so that a new kind of part is right when this is.
 */
class BlockPartTest {
    private static final String MODEL = "random:2,2,16,19,12,seed=4";
    private static final int[] TOKENS = {3, 17, 9, 4, 11};
    private static final int WIDTH = 16;
    private static final int SIZE = TOKENS.length * WIDTH;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** Works on the rows x [T, D] of one sequence, and where they have them on second derivatives ddx [T, D]. */
    private interface Work {
        void on(BlockPart part, BlockPrimal primal, Matrix x, Matrix ddx, RaggedRows rows, Workspace w, Workspace w2);
    }

    /** What becomes of x and ddx, each [T D], when a part works on them. */
    private static double[][] done(Linearization run, HalfDepth level, double[] x, double[] ddx, Work work) {
        Backend backend = run.model().backend();
        int tokens = TOKENS.length;
        try (Buffer first = backend.allocate("x", SIZE);
                Buffer second = backend.allocate("ddx", SIZE);
                Workspace w = Workspace.ofForward(backend, run.model().config(), tokens);
                Workspace w2 =
                        Workspace.ofSecondDerivatives(backend, run.model().config(), tokens, tokens)) {
            backend.upload(x, 0, first, 0, SIZE);
            backend.upload(ddx, 0, second, 0, SIZE);
            work.on(
                    run.model().part(level),
                    run.block(level),
                    Matrix.of(first, tokens, WIDTH),
                    Matrix.of(second, tokens, WIDTH),
                    RaggedRows.sequence(tokens),
                    w,
                    w2);
            double[][] results = new double[2][SIZE];
            backend.download(first, 0, results[0], 0, SIZE);
            backend.download(second, 0, results[1], 0, SIZE);
            return results;
        }
    }

    private static double[] value(Linearization run, HalfDepth level, double[] x) {
        return done(run, level, x, x, (part, base, rows, no, batch, w, w2) -> part.value(rows, batch, base, 0, w))[0];
    }

    private static double[] tangent(Linearization run, HalfDepth level, double[] dx) {
        return done(run, level, dx, dx, (part, at, rows, no, batch, w, w2) -> part.tangent(rows, batch, at, 0, w))[0];
    }

    private static double[] adjoint(Linearization run, HalfDepth level, double[] g) {
        return done(run, level, g, g, (part, at, rows, no, batch, w, w2) -> part.adjoint(rows, batch, at, 0, w))[0];
    }

    private static double[][] curvature(Linearization run, HalfDepth level, double[] dx, double[] ddx) {
        return done(
                run,
                level,
                dx,
                ddx,
                (part, at, rows, dd, batch, w, w2) -> part.curvature(rows, dd, batch, at, 0, w, w2));
    }

    private static double[] stream(Linearization run, HalfDepth level) {
        double[] x = new double[SIZE];
        Matrix at = run.at(level);
        run.model().backend().download(at.buffer(), at.offset(), x, 0, SIZE);
        return x;
    }

    @Test
    void derivativesAreThoseOfTheValue() throws IOException {
        try (ModelSource source = ModelSource.open(MODEL);
                DeviceModel model = new DeviceModel(source, leaks.closing(Backends.REFERENCE.open()));
                Linearization run = new Linearization(model, TOKENS)) {
            List<HalfDepth> levels = HalfDepth.levels(2, true);
            for (HalfDepth level : levels.subList(0, levels.size() - 1)) {
                double[] x = stream(run, level);
                double[] u = normal(level.index() + 1, SIZE);
                double[] v = normal(level.index() + 10, SIZE);
                double[] uu = normal(level.index() + 20, SIZE);
                double[] here = value(run, level, x);
                assertThat(here).as("value at " + level).isEqualTo(stream(run, level.above()));

                double h = 1e-4 * Math.sqrt(dot(x, x) / dot(u, u));
                double[] up = value(run, level, plus(x, h, u));
                double[] down = value(run, level, plus(x, -h, u));
                double[] slope = plus(new double[SIZE], 1 / (2 * h), minus(up, down));
                double[] du = tangent(run, level, u);
                assertThat(Errors.relative(du, slope)).as("tangent at " + level).isLessThan(1e-6);

                assertThat(dot(v, du))
                        .as("adjoint at " + level)
                        .isCloseTo(dot(adjoint(run, level, v), u), within(1e-12 * Math.sqrt(dot(v, v) * dot(du, du))));

                // f'uu + f''[u, u]: along a straight line and, since f' is linear, for the bend uu on top.
                double[] bend = plus(plus(up, -2, here), 1, down);
                double[] expected = plus(tangent(run, level, uu), 1 / (h * h), bend);
                double[][] both = curvature(run, level, u, uu);
                assertThat(Errors.relative(both[0], du)).as("first at " + level).isLessThan(1e-14);
                assertThat(Errors.relative(both[1], expected))
                        .as("curvature at " + level)
                        .isLessThan(1e-5);
                assertThat(Errors.relative(both[1], tangent(run, level, uu)))
                        .as("bend at " + level)
                        .isGreaterThan(1e-3);
            }
        }
    }

    @Test
    void costsAreWhatIsDone() throws IOException {
        FlopCounter counter = new FlopCounter(leaks.closing(Backends.REFERENCE.open()));
        Backend backend = counter.backend();
        try (ModelSource source = ModelSource.open(MODEL);
                DeviceModel model = new DeviceModel(source, backend)) {
            long before = backend.ledger().bytes();
            try (Linearization run = new Linearization(model, TOKENS)) {
                assertThat(backend.ledger().bytes() - before)
                        .isEqualTo(Linearization.bytes(model, TOKENS.length))
                        .isPositive();
                for (boolean forward : new boolean[] {true, false}) {
                    Seeds seeds = new Seeds();
                    for (int c = 0;
                            c < 20;
                            c++) { // some tokens get more rows than make a map worth forming, others fewer
                        HalfDepth level = new HalfDepth(forward ? c % 3 : 4 - c % 3);
                        int column = seeds.column(level, c % TOKENS.length, normal(c, WIDTH));
                        seeds.add(column, level, c % TOKENS.length, normal(c + 40, WIDTH)); // none waits in a nursery
                    }
                    double[] done = new double[1];
                    double[] said = new double[1];
                    double[] seen = new double[1];
                    counter.taken();
                    Visitor visitor = (level, rows, columns, x) -> {
                        done[0] += counter.taken();
                        assertThat(done[0]).as("below or above " + level).isEqualTo(said[0]);
                        said[0] += HalfBlockFlops.of(model, level, forward, rows);
                        seen[0]++;
                    };
                    if (forward) {
                        new Sweep(run).tangents(seeds, model.top(), 0, TOKENS.length - 1, visitor);
                    } else {
                        new Sweep(run).cotangents(seeds, HalfDepth.ofDepth(0), 0, visitor);
                    }
                    assertThat(seen[0]).isEqualTo(5);
                    assertThat(done[0]).isEqualTo(said[0]).isPositive();
                }
            }
        }
    }
}
