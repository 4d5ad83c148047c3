package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.minus;
import static dev.greenfield.testing.Vectors.norm;
import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.testing.Differences;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Yardstick;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The identities of the theory, on every kind of model: exact on the oracle, as near as float32 goes elsewhere. */
class IdentityTest {
    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    Path directory;

    private Model open(ModelCase which, Backend backend) {
        return which.open(directory, leaks.watched(backend));
    }

    private Map<String, Identities.Sides> sides(ModelCase which, Backend backend) {
        try (Model model = open(which, backend)) {
            return new Identities(model.run(which.tokens(model, 1)), model.run(which.tokens(model, 2))).sides();
        }
    }

    @ParameterizedTest
    @EnumSource
    void holdOnTheOracle(ModelCase which) {
        sides(which, Backends.REFERENCE.open()).forEach((identity, sides) -> {
            assertThat(sides.defect()).as(identity).isLessThan(1e-10);
            assertThat(norm(sides.right())).as(identity + " compares something").isGreaterThan(1e-3);
        });
    }

    /** Both sides are off by what float32 makes of them, so they may differ by as much as the two together. */
    @ParameterizedTest
    @EnumSource
    void holdInFloat32(ModelCase which) {
        Map<String, Identities.Sides> oracle = sides(which, Backends.REFERENCE.open());
        Map<String, Identities.Sides> single = sides(which, Backends.single());
        for (Backends kind : Backends.tested()) {
            sides(which, kind.open()).forEach((identity, sides) -> {
                Identities.Sides exact = oracle.get(identity);
                double left = norm(minus(single.get(identity).left(), exact.left()));
                double right = norm(minus(single.get(identity).right(), exact.right()));
                Yardstick.check(
                        kind + " " + identity + ": " + which, sides.defect(), left + right, norm(exact.right()));
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void measuredResponsesConvergeToTheResponse(ModelCase which) {
        try (Model model = open(which, Backends.REFERENCE.open())) {
            Run run = model.run(which.tokens(model, 1));
            int width = model.config().width();
            double size = run.field().norm(1, 0) / Math.sqrt(width);
            for (Site site :
                    new Site[] {Site.of(0, 0), ModelCase.middle(run, 1, run.tokens().length / 2), Site.of(1, 0)}) {
                double[] source = normal(7, width);
                // ReLU has kinks: steps must be small enough not to cross one.
                double step = size * (which == ModelCase.RELU_UNTIED ? 0x1p-13 : 0x1p-9);
                Differences.check(
                        "response at " + site,
                        h -> run.measuredResponse(site, source, h).toArray(),
                        run.response(site, source).toArray(),
                        step);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatCausalityForbidsIsZeroToTheBit(ModelCase which) {
        for (Backends kind : Backends.here()) {
            try (Model model = open(which, kind.open())) {
                Run run = model.run(which.tokens(model, 1));
                int tokens = run.tokens().length;
                int top = model.config().layers();
                int token = tokens / 2;
                double[] source = normal(8, model.config().width());
                requireZeroOutsideTheCone(run.response(Site.of(1, token), source), 1, token);
                requireZeroOutsideTheCone(run.measuredResponse(Site.of(1, token), source, 0.5), 1, token);
                requireZeroOutsideTheCone(run.response(ModelCase.middle(run, 0, token), source), 1, token);
                for (int t = 0; t < token; t++) {
                    assertThat(run.green(Site.of(0, token)).to(Site.of(top, t)).apply(source))
                            .containsOnly(0.0);
                    assertThat(run.green(Site.of(0, token)).to(Site.of(top, t)).adjoint(source))
                            .containsOnly(0.0);
                }
                assertThat(run.green(Site.of(1, 0))
                                .to(ModelCase.middle(run, 0, token))
                                .apply(source))
                        .containsOnly(0.0);
                Observable early = Observable.logit("#2").at(token);
                Field s = run.sensitivity(early).field();
                PatchSweep sweep = run.patchSweep(model.run(which.tokens(model, 2)), early);
                for (int l = 0; l <= top; l++) {
                    for (int t = token + 1; t < tokens; t++) {
                        assertThat(s.vector(l, t)).containsOnly(0.0);
                        assertThat(sweep.measured()[l][t]).isEqualTo(0.0);
                        assertThat(sweep.predicted()[l][t]).isEqualTo(0.0);
                    }
                    assertThat(l == top && token > 0 ? s.norm(l, token - 1) : 0).isEqualTo(0.0);
                    assertThat(s.norm(l, token)).isPositive();
                }
            }
        }
    }

    private static void requireZeroOutsideTheCone(Field response, int depth, int token) {
        for (int l = 0; l < response.depths(); l++) {
            for (int t = 0; t < response.tokens(); t++) {
                if (l < depth || t < token) {
                    assertThat(response.vector(l, t))
                            .as("depth " + l + " token " + t)
                            .containsOnly(0.0);
                }
            }
        }
        assertThat(response.norm(depth, token)).isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void greenOperatorAtItsSourceIsTheIdentity(ModelCase which) {
        for (Backends kind : Backends.here()) {
            try (Model model = open(which, kind.open())) {
                Run run = model.run(which.tokens(model, 1));
                int width = model.config().width();
                Site site = ModelCase.middle(run, 0, run.tokens().length - 1);
                double[] identity = run.green(site).to(site).materialize();
                for (int i = 0; i < width * width; i++) {
                    assertThat(identity[i]).isEqualTo(i % (width + 1) == 0 ? 1.0 : 0.0);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void patchingTheSameRunInChangesNothing(ModelCase which) {
        for (Backends kind : Backends.here()) {
            try (Model model = open(which, kind.open())) {
                Run run = model.run(which.tokens(model, 1));
                PatchSweep sweep = run.patchSweep(model.run(which.tokens(model, 1)), Observable.logit("#2"));
                assertThat(sweep.changesNothing()).isTrue();
                for (double[] row : sweep.measured()) {
                    assertThat(row).containsOnly(0.0);
                }
                double[] none = new double[model.config().width()];
                double[] response = run.measuredResponse(Site.of(0, 0), none, 1).toArray();
                double rounding = kind == Backends.REFERENCE ? 1e-13 : 1e-5;
                assertThat(Yardstick.magnitude(response))
                        .isLessThanOrEqualTo(
                                rounding * Yardstick.magnitude(run.field().toArray()));
            }
        }
    }
}
