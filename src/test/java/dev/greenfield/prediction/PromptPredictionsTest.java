package dev.greenfield.prediction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Predicted and measured interventions on prompts of the trained demo model, which differ at token 4 of 6. */
@Tag("slow")
class PromptPredictionsTest {
    private static final String KOREA = "<|endoftext|> The capital of Korea is";
    private static final String NORWAY = "<|endoftext|> The capital of Norway is";
    private static final Observable F = Observable.logitDifference("Seoul", "Oslo");
    private static final int TOKENS = 6;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    private static double error(PromptPredictions.Case one, PredictionMethod method) {
        return PredictionQuality.of(one.activePredicted(method), one.activeMeasured())
                .relativeError();
    }

    private static PredictionPlan plan(String... kinds) {
        return new PredictionPlan(
                Arrays.stream(kinds).map(InterventionKind::parse).toList(),
                List.of(Component.values()),
                List.of(PredictionMethod.values()),
                PredictionPlan.STEPS,
                7);
    }

    @Test
    void inTheLinearRegimeAllMethodsAgreeWithWhatIsMeasured() throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(KOREA);
            Run donor = model.run(NORWAY);
            PromptPredictions found = run.predictions(donor, F, plan("scaled:1e-4", "random:1e-5", "sensitivity:1e-5"));
            assertThat(found.cases()).hasSize(12);
            for (PromptPredictions.Case one : found.cases()) {
                boolean path = one.kind().needsDonor();
                assertThat(one.predicted().containsKey(PredictionMethod.PATH)).isEqualTo(path);
                for (PredictionMethod method : one.predicted().keySet()) {
                    PredictionQuality q = PredictionQuality.of(one.activePredicted(method), one.activeMeasured());
                    String name = one.kind().label() + " " + one.component() + " " + method;
                    assertThat(q.count()).as(name).isGreaterThan(5);
                    assertThat(q.pearson()).as(name).isGreaterThan(0.999999);
                    assertThat(q.rSquared()).as(name).isGreaterThan(0.9999);
                    assertThat(q.signAgreement()).as(name).isEqualTo(1);
                }
                // What first order lacks here is the second derivative.
                double first = error(one, PredictionMethod.FIRST);
                assertThat(error(one, PredictionMethod.SECOND)).isLessThan(0.1 * first);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void whatChangesNothingIsCounted(Backends kind) throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(kind.open()))) {
            Run run = model.run(KOREA);
            Run donor = model.run(NORWAY);
            PromptPredictions found = run.predictions(donor, F, plan("noise", "denoise", "zero"));
            for (PromptPredictions.Case one : found.cases()) {
                boolean patch = one.kind().needsDonor();
                // Below the top, F sees all tokens as long as an attention is above; patches find tokens 4 and 5 alone.
                int active = switch (one.component()) {
                    case RESIDUAL -> patch ? 1 + 3 * 2 + 1 : 4 * TOKENS + 1;
                    case ATTENTION -> patch ? 3 * 2 + 1 : 3 * TOKENS + 1;
                    case MLP -> patch ? 3 * 2 + 1 : 3 * TOKENS + 1;
                    case HEAD -> 4 * (patch ? 3 * 2 + 1 : 3 * TOKENS + 1);
                };
                String name = one.kind().label() + " " + one.component();
                assertThat(one.measured().length - one.idles()).as(name).isEqualTo(active);
                assertThat(one.activeMeasured()).hasSize(active);
                for (int i = 0; i < one.idle().length; i++) {
                    if (one.idle()[i]) {
                        assertThat(one.measured()[i]).isZero();
                        assertThat(one.predicted().get(PredictionMethod.FIRST)[i])
                                .isZero();
                    }
                }
            }
        }
    }

    @Test
    void denoisingIsDoneToTheOtherRun() throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(KOREA);
            Run donor = model.run(NORWAY);
            PromptPredictions both = run.predictions(donor, F, plan("noise", "denoise"));
            PromptPredictions.Case noise = both.cases().get(0);
            PromptPredictions.Case denoise = both.cases().get(4);
            double[][] noised = run.patchSweep(donor, F).measured();
            PatchSweep denoised = donor.patchSweep(run, F);
            for (int i = 0; i < noise.measured().length; i++) {
                int depth = i / TOKENS;
                int token = i % TOKENS;
                assertThat(noise.measured()[i]).isCloseTo(noised[depth][token], within(1e-9));
                assertThat(denoise.measured()[i]).isCloseTo(denoised.measured()[depth][token], within(1e-9));
                assertThat(denoise.predicted().get(PredictionMethod.FIRST)[i])
                        .isCloseTo(denoised.predicted()[depth][token], within(1e-9));
                // One path, walked from both ends.
                assertThat(denoise.predicted().get(PredictionMethod.PATH)[i])
                        .isCloseTo(-noise.predicted().get(PredictionMethod.PATH)[i], within(1e-9));
            }
        }
    }

    @Test
    void scaledDisplacementsHaveAPathOfTheirLength() throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(KOREA);
            Run donor = model.run(NORWAY);
            PredictionPlan many = new PredictionPlan(
                    List.of(InterventionKind.parse("scaled:0.3")),
                    List.of(Component.RESIDUAL),
                    List.of(PredictionMethod.PATH),
                    64,
                    0);
            PromptPredictions.Case one = run.predictions(donor, F, many).cases().get(0);
            // The prompts differ in one embedding, so that its path is the patch's own, and the method exact there.
            assertThat(one.predicted().get(PredictionMethod.PATH)[4])
                    .isCloseTo(one.measured()[4], within(1e-3 * Math.abs(one.measured()[4])));
        }
    }

    @Test
    void studiesJoinPromptsAndRepeatThemselves() throws IOException {
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            PredictionTable study = new PredictionTable();
            PredictionTable again = new PredictionTable();
            long interventions = 0;
            String[][] pairs = {
                {"Korea", "Norway"},
                {"China", "Brazil"},
                {"Norway", "Korea"},
                {"Brazil", "China"},
                {"Norway", "China"}, // of fewer than five prompts there is no interval
            };
            for (String[] pair : pairs) {
                try (Run run = model.run("<|endoftext|> The capital of " + pair[0] + " is");
                        Run donor = model.run("<|endoftext|> The capital of " + pair[1] + " is")) {
                    PromptPredictions found = run.predictions(donor, F, plan("noise", "mean"));
                    study.add(found);
                    again.add(found);
                    interventions += found.cases().get(3).measured().length;
                }
            }
            List<PredictionTable.Row> rows = study.rows(new Bootstrap(100, 3));
            assertThat(rows).hasSize(12 + 8).isEqualTo(again.rows(new Bootstrap(100, 3)));
            PredictionTable.Row heads = rows.stream()
                    .filter(r -> r.component() == Component.HEAD && r.method() == PredictionMethod.PATH)
                    .findFirst()
                    .orElseThrow();
            assertThat(heads.interventions()).isEqualTo(interventions).isEqualTo(5 * 16 * 6);
            assertThat(heads.summary().prompts()).isEqualTo(5);
            assertThat(heads.summary().sites()).isEqualTo(heads.interventions() - heads.idle());
            assertThat(heads.summary().spearman().hasInterval()).isTrue();
        }
    }

    @Test
    void plansAndKindsThatAreNoneAreRefused() throws IOException {
        for (String wrong : List.of("noisy", "noise:2", "scaled:", "scaled:x", "scaled:0", "random:Infinity", "")) {
            assertThatThrownBy(() -> InterventionKind.parse(wrong))
                    .as(wrong)
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("expected");
        }
        assertThat(InterventionKind.parse("random").label()).isEqualTo("random:0.1");
        assertThat(InterventionKind.parse(" scaled:-0.5").size()).isEqualTo(-0.5);
        assertThatThrownBy(() -> plan("noise", "noise")).hasMessageContaining("twice");
        assertThatThrownBy(() -> plan()).hasMessageContaining("no kind");
        try (Model model = TestModels.open("demo", leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(KOREA);
            assertThatThrownBy(() -> run.predictions(null, F, plan("noise"))).hasMessageContaining("second run");
            assertThat(run.predictions(null, F, plan("zero")).cases()).hasSize(4);
            Run longer = model.run("<|endoftext|> Alice lives in Sofia so Alice speaks");
            assertThatThrownBy(() -> run.predictions(longer, F, plan("noise"))).hasMessageContaining("6 and 8 tokens");
        }
    }
}
