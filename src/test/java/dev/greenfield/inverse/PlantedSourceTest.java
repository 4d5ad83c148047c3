package dev.greenfield.inverse;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Hidden sources are found again, in trained models and with noise. */
@Tag("slow")
class PlantedSourceTest {
    private static final double[] NOISES = {0, 0.01, 0.1};
    private static final double NEEDED = 0.95; // of the right sites in first place, without noise
    private static final String SMALL = "random:3,2,16,30,12,seed=4";
    private static final int[] PROMPT = {3, 17, 9, 4, 22};

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    /** Recoveries of several prompts, joined by noise level. */
    private static List<PlantedSources.Recovery> recoveries(
            Model model, List<int[]> prompts, int casesEach, double amplitude) {
        List<List<PlantedSources.Case>> cases = new ArrayList<>();
        for (int n = 0; n < NOISES.length; n++) {
            cases.add(new ArrayList<>());
        }
        for (int p = 0; p < prompts.size(); p++) {
            try (Run run = model.run(prompts.get(p))) {
                List<PlantedSources.Recovery> found =
                        PlantedSources.measure(run.sourceLocator(), casesEach, NOISES, amplitude, p);
                for (int n = 0; n < NOISES.length; n++) {
                    cases.get(n).addAll(found.get(n).cases());
                }
            }
        }
        List<PlantedSources.Recovery> joined = new ArrayList<>();
        for (int n = 0; n < NOISES.length; n++) {
            joined.add(new PlantedSources.Recovery(NOISES[n], cases.get(n)));
        }
        return joined;
    }

    private static void report(String what, List<PlantedSources.Recovery> recoveries) {
        for (PlantedSources.Recovery r : recoveries) {
            System.out.printf(
                    "%s, noise %.2f: %d cases, first %.3f, neighbouring depth %.3f, other token %.3f, cosine %.4f%n",
                    what,
                    r.noise(),
                    r.cases().size(),
                    r.first(),
                    r.neighbouringDepth(),
                    r.otherToken(),
                    r.meanCosine());
        }
    }

    private static void requireFound(String what, List<PlantedSources.Recovery> recoveries) {
        report(what, recoveries);
        assertThat(recoveries.get(0).cases()).hasSize(200);
        assertThat(recoveries.get(0).first()).isGreaterThanOrEqualTo(NEEDED);
        assertThat(recoveries.get(0).meanCosine()).isGreaterThan(0.99);
        assertThat(recoveries.get(1).first()).isGreaterThan(0.9);
        assertThat(recoveries.get(2).first()).isGreaterThan(0.9);
    }

    @Test
    void inTheFactsModel() throws IOException {
        try (Model model = Greenfield.load("demo", Options.defaults())) {
            List<int[]> prompts = new ArrayList<>();
            for (String text : List.of(
                    "<|endoftext|> The capital of Korea is",
                    "<|endoftext|> The language of Bulgaria is",
                    "<|endoftext|> Alice lives in Sofia so Alice speaks",
                    "<|endoftext|> The capital of Norway is")) {
                prompts.add(model.tokenizer().encode(text));
            }
            requireFound("facts-4l", recoveries(model, prompts, 50, 0));
            List<PlantedSources.Recovery> measured = recoveries(model, prompts.subList(0, 1), 50, 0.01);
            report("facts-4l, measured at 1 % of the stream", measured);
            assertThat(measured.get(0).first()).isGreaterThan(0.8);
        }
    }

    @Test
    void inAChatModel() throws IOException {
        try (Model model = Greenfield.load(TestData.model("craftgpt"))) {
            int[] prompt = {0, 79, 5, 33, 54, 18, 49, 25, 1}; // "hello, how are you today?"
            requireFound("craftgpt", recoveries(model, List.of(prompt), 200, 0));
        }
    }

    /** The evidence of a small case against the density of a normal distribution, computed the long way. */
    @Test
    void theEvidenceIsThatOfANormalDistribution() throws IOException {
        try (Model model = TestModels.open(SMALL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            SourceLocator locator = run.sourceLocator();
            Site hidden = Site.of(1, 2);
            Field response = run.response(hidden, normal(5, 16));
            double[] last = new double[5 * 16];
            for (int t = 0; t < 5; t++) {
                System.arraycopy(response.vector(3, t), 0, last, t * 16, 16);
            }
            double[] noisy = last.clone();
            LeastSquares.add(noisy, 0.1 * LeastSquares.norm(last) / Math.sqrt(80), normal(6, 80));
            List<SourceLocator.Candidate> ranked = locator.rank(noisy, 0.1);
            double[] evidence = new double[2];
            for (int i = 0; i < 2; i++) {
                SourceLocator.Candidate candidate = ranked.get(i);
                evidence[i] = DenseEvidence.best(
                        run.green(candidate.site()).to(3).materialize(),
                        80,
                        16,
                        noisy,
                        0.1 * LeastSquares.norm(noisy) / Math.sqrt(80));
            }
            assertThat(ranked.get(0).logEvidence() - ranked.get(1).logEvidence())
                    .isCloseTo(evidence[0] - evidence[1], within(1e-4));
            List<SourceLocator.Candidate> clean = locator.rank(last, 0);
            assertThat(clean.get(0).site()).isEqualTo(hidden);
            assertThat(clean.get(0).misfit()).isLessThan(1e-10);
            assertThat(clean.get(0).source()).usingComparatorWithPrecision(1e-6).containsExactly(normal(5, 16));
        }
    }

    @Test
    void candidatesMayBeChosenAndHalfDepthsAreSites() throws IOException {
        try (Model model = TestModels.open(SMALL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            Site hidden = Site.mid(1, 1);
            // Not (2, 1): what half depth 1.5 does to later tokens goes by way of it, so that both reach the same
            // responses.
            SourceLocator locator = run.sourceLocator(List.of(Site.of(0, 1), Site.of(1, 1), hidden));
            List<PlantedSources.Recovery> found = PlantedSources.measure(locator, 20, new double[] {0}, 0, 1);
            assertThat(found.get(0).first()).isEqualTo(1);
            assertThat(found.get(0).cases()).anyMatch(c -> c.hidden().equals(hidden));
        }
    }

    @Test
    void wrongQuestionsAreRefused() throws IOException {
        try (Model model = TestModels.open(SMALL, leaks.watched(Backends.REFERENCE.open()))) {
            Run run = model.run(PROMPT);
            SourceLocator locator = run.sourceLocator(List.of(Site.of(0, 1)));
            assertThatThrownBy(() -> locator.rank(new double[3], 0))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("expected 80");
            assertThatThrownBy(() -> locator.rank(new double[80], 0)).hasMessageContaining("zero");
            assertThatThrownBy(() -> locator.rank(normal(1, 80), 2)).hasMessageContaining("noise 2");
            assertThatThrownBy(() -> run.sourceLocator(List.of(Site.of(3, 0)))).hasMessageContaining("below 3");
        }
        try (Model model = TestModels.open(SMALL, leaks.watched(Backends.REFERENCE.open()), 200_000)) {
            Run run = model.run(PROMPT);
            assertThatThrownBy(run::sourceLocator)
                    .isInstanceOf(MemoryBudgetException.class)
                    .hasMessageContaining("fewer candidate sites");
        }
    }
}
