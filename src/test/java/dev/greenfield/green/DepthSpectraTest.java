package dev.greenfield.green;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.MapRequest;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Singular values between depths against the full factorization of each materialized operator. */
@Tag("slow")
class DepthSpectraTest {
    private static final String MODEL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};
    private static final int RANK = 7;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static double[] full(GreenOperator green) {
        SingularValueDecomposition_F64<DMatrixRMaj> svd =
                DecompositionFactory_DDRM.svd(green.outputs(), green.inputs(), false, false, true);
        assertThat(svd.decompose(DMatrixRMaj.wrap(green.outputs(), green.inputs(), green.materialize())))
                .isTrue();
        double[] values = svd.getSingularValues();
        return Arrays.stream(values)
                .boxed()
                .sorted(Comparator.reverseOrder())
                .mapToDouble(Double::doubleValue)
                .toArray();
    }

    private static List<Site> tokens(int level, boolean halfDepths, List<Integer> tokens) {
        int halfDepth = halfDepths ? level : 2 * level;
        return tokens.stream()
                .map(t -> new Site(halfDepth / 2, halfDepth % 2 == 1, t))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void valuesAreThoseOfTheMaterializedOperators(Backends kind) throws IOException {
        double bound = kind == Backends.REFERENCE ? 1e-9 : 1e-6;
        List<Integer> all = List.of(0, 1, 2, 3, 4);
        try (Model model = TestModels.open(MODEL, leaks.watched(kind.open()))) {
            Run run = model.run(PROMPT);
            for (boolean halfDepths : new boolean[] {false, true}) {
                MapRequest request = run.responseMap();
                DepthSpectra spectra = (halfDepths ? request.halfDepths() : request).spectra(RANK);
                assertThat(spectra.levels()).isEqualTo(halfDepths ? 7 : 4);
                assertThat(spectra.rank()).isEqualTo(RANK);
                for (int from = 0; from < spectra.levels(); from++) {
                    for (int to = 0; to < spectra.levels(); to++) {
                        double[] found = spectra.from(from, to);
                        assertThat(Arrays.copyOfRange(
                                        spectra.all(),
                                        (from * spectra.levels() + to) * RANK,
                                        (from * spectra.levels() + to + 1) * RANK))
                                .containsExactly(found);
                        if (to < from) {
                            assertThat(found).containsOnly(0.0);
                        } else {
                            double[] expected = full(run.green(tokens(from, halfDepths, all))
                                    .to(tokens(to, halfDepths, all).toArray(Site[]::new)));
                            for (int k = 0; k < RANK; k++) {
                                assertThat(Math.abs(found[k] - expected[k]))
                                        .as("value " + k + " from " + from + " to " + to)
                                        .isLessThan(bound * expected[0]);
                            }
                        }
                    }
                }
            }
        }
    }

    @Test
    void onlyTheSitesThatWereAskedForTakePart() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            List<Site> sources = new ArrayList<>(tokens(0, false, List.of(1, 3)));
            sources.addAll(tokens(1, false, List.of(4)));
            List<Site> targets = new ArrayList<>(tokens(1, false, List.of(4, 0)));
            targets.addAll(tokens(3, false, List.of(2)));
            MapRequest request =
                    run.responseMap().sources(sources).targets(targets).seed(3);
            assertThat(request.mostSingularValues()).isEqualTo(16);
            DepthSpectra spectra = request.spectra(16);
            double[] expected = full(run.green(tokens(0, false, List.of(1, 3))).to(Site.of(1, 4), Site.of(1, 0)));
            for (int k = 0; k < 16; k++) {
                assertThat(Math.abs(spectra.from(0, 1)[k] - expected[k])).isLessThan(1e-8 * expected[0]);
            }
            assertThat(spectra.from(1, 1))
                    .as("one site in common: the identity")
                    .containsOnly(1.0);
            assertThat(spectra.from(1, 3)).as("token 4 does not reach token 2").containsOnly(0.0);
            assertThat(spectra.from(2, 3)).containsOnly(Double.NaN);
            assertThat(spectra.from(0, 2)).containsOnly(Double.NaN);
            assertThat(request.spectra(16).all()).as("same seed").containsExactly(spectra.all());
        }
    }

    @Test
    void budgetsCutTheSweepsOrRefuse() throws IOException {
        double[] whole;
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            whole = model.run(PROMPT).responseMap().spectra(2).all();
        }
        Backend backend = leaks.watched(Backends.REFERENCE.open());
        try (Model model = TestModels.open(MODEL, backend, 200 << 10)) {
            double[] cut = model.run(PROMPT).responseMap().spectra(2).all();
            assertThat(backend.ledger().peakBytes()).isLessThanOrEqualTo(200 << 10);
            for (int i = 0; i < whole.length; i++) {
                assertThat(cut[i]).isCloseTo(whole[i], within(1e-7));
            }
            assertThatThrownBy(() -> model.run(PROMPT).responseMap().spectra(70))
                    .isInstanceOf(MemoryBudgetException.class);
        }
    }

    @Test
    void ranksAndLevelsThatAreNotThereAreRefused() throws IOException {
        try (Model model = TestModels.open(MODEL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            for (int rank : new int[] {0, 81}) {
                assertThatThrownBy(() -> run.responseMap().spectra(rank))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("spectra of rank " + rank + ": expected 1 to 80");
            }
            DepthSpectra spectra = run.responseMap().spectra(1);
            assertThatThrownBy(() -> spectra.from(0, 4))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("expected 0 to 3");
        }
    }
}
