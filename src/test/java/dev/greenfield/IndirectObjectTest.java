package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;
import org.apache.commons.math3.stat.descriptive.rank.Median;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What the response map says of a trained model that is known from elsewhere: the sites that patching finds in "When Leo and Kate
 * went to the park , Leo gave a key to". The map and the gain come from one prompt alone; the patch has a second prompt to compare with.
 *
 * <p>Compared are the sites where a patch puts something else in, below the last depth (there F sees one token only): depth 0 at the
 * second name, depths 1 to L - 1 from the second name to the last token.
 */
@Tag("slow")
class IndirectObjectTest {
    private static final int FIRST_NAME = 2;
    private static final int OTHER_NAME = 4; // the answer
    private static final int SECOND_NAME = 10; // the first name again; another in the corrupt prompt
    private static final int LAST = 14;

    /** How much larger than all others the largest must be, at least: of patches, responses and gains. */
    private static final double[] MARGINS = {5, 3, 1.5};

    /** What the median over the prompts must exceed. */
    private static final double RANK_CORRELATION = 0.7;

    private record Prompt(String[] words, String corrupt, Observable observable) {
        String clean() {
            return String.join(" ", words);
        }
    }

    /** One prompt's numbers, each [L+1][T]. */
    private record Found(double[][] gain, double[][] response, double[][] patched, double[][] displaced) {}

    private static List<Prompt> prompts() {
        List<Prompt> prompts = new ArrayList<>();
        for (JsonNode p : TestData.facts()) {
            if (p.path("task").asText().equals("indirect_object")) {
                prompts.add(new Prompt(
                        p.path("clean").asText().split(" "),
                        p.path("corrupt").asText(),
                        Observable.logitDifference(
                                p.path("answer").asText(), p.path("foil").asText())));
            }
        }
        assertThat(prompts).hasSize(40);
        return prompts;
    }

    private static Model model(String name) throws IOException {
        return Greenfield.load(TestData.model(name), Options.defaults().backend("cpu"));
    }

    /** The response of the last token of the last depth, the gain, and what patching with another prompt does. */
    private static Found find(Model model, Prompt prompt, String corrupt) {
        try (Run run = model.run(prompt.clean());
                Run other = model.run(corrupt)) {
            int layers = model.config().layers();
            Site end = Site.of(layers, LAST);
            ResponseMap map = run.responseMap().exact().targets(List.of(end)).compute();
            PatchSweep sweep = run.patchSweep(other, prompt.observable());
            double[][] response = new double[layers + 1][LAST + 1];
            double[][] displaced = new double[layers + 1][LAST + 1];
            double[][] patched = sweep.measured();
            for (int l = 0; l <= layers; l++) {
                for (int t = 0; t <= LAST; t++) {
                    response[l][t] = map.frobenius(Site.of(l, t), end);
                    displaced[l][t] = sweep.displacement().norm(l, t);
                    patched[l][t] = Math.abs(patched[l][t]);
                }
            }
            return new Found(run.sensitivity(prompt.observable()).norms(), response, patched, displaced);
        }
    }

    /** The sites that are compared. */
    private static List<Site> compared(Found found) {
        List<Site> sites = new ArrayList<>();
        for (int l = 0; l < found.displaced().length - 1; l++) {
            for (int t = 0; t <= LAST; t++) {
                if (found.displaced()[l][t] > 0) {
                    sites.add(Site.of(l, t));
                }
            }
        }
        return sites;
    }

    private static double at(double[][] values, Site site) {
        return values[site.depth()][site.token()];
    }

    private static List<Site> ranked(List<Site> sites, double[][] values) {
        return sites.stream()
                .sorted(Comparator.comparingDouble((Site s) -> -at(values, s)))
                .toList();
    }

    /** How many times the k-th largest is larger than the next. */
    private static double margin(List<Site> sites, double[][] values, int k) {
        List<Site> order = ranked(sites, values);
        return at(values, order.get(k - 1)) / at(values, order.get(k));
    }

    private static double rankCorrelation(List<Site> sites, double[][] a, double[][] b) {
        return new SpearmansCorrelation()
                .correlation(
                        sites.stream().mapToDouble(s -> at(a, s)).toArray(),
                        sites.stream().mapToDouble(s -> at(b, s)).toArray());
    }

    /** The second name at depth 0, then the last token. */
    private static Set<Site> path(int layers) {
        Set<Site> sites = new LinkedHashSet<>(List.of(Site.of(0, SECOND_NAME)));
        for (int l = 1; l < layers; l++) {
            sites.add(Site.of(l, LAST));
        }
        return sites;
    }

    private static void theLargestAreThoseThatPatchingFinds(String name, int wanted) throws IOException {
        List<double[]> numbers = new ArrayList<>();
        try (Model model = model(name)) {
            for (Prompt prompt : prompts()) {
                Found found = find(model, prompt, prompt.corrupt());
                List<Site> sites = compared(found);
                assertThat(sites).hasSize(wanted);
                Set<Site> path = path(model.config().layers());
                int k = path.size();
                double[] row = new double[5];
                List<double[][]> all = List.of(found.patched(), found.response(), found.gain());
                for (int i = 0; i < all.size(); i++) {
                    assertThat(ranked(sites, all.get(i)).subList(0, k))
                            .as(prompt.clean())
                            .containsExactlyInAnyOrderElementsOf(path);
                    row[i] = margin(sites, all.get(i), k);
                }
                row[3] = rankCorrelation(sites, found.response(), found.patched());
                row[4] = rankCorrelation(sites, found.gain(), found.patched());
                numbers.add(row);
            }
        }
        for (int i = 0; i < 5; i++) {
            int column = i;
            double[] values = numbers.stream().mapToDouble(row -> row[column]).toArray();
            double least = Arrays.stream(values).min().orElseThrow();
            if (i < MARGINS.length) {
                assertThat(least).as("%s: margin %d", name, i).isGreaterThan(MARGINS[i]);
            } else {
                assertThat(new Median().evaluate(values)).as(name).isGreaterThan(RANK_CORRELATION);
            }
        }
    }

    @Test
    void theFourLargestOfTheSmallModelAreThoseThatPatchingFinds() throws IOException {
        theLargestAreThoseThatPatchingFinds("facts-4l", 16);
    }

    @Test
    void theEightLargestOfTheLargeModelAreThoseThatPatchingFinds() throws IOException {
        theLargestAreThoseThatPatchingFinds("facts-8l", 36);
    }

    /**
     * The corrupt prompt has the same two names at the beginning, so that its patches cannot find that the model reads them. The map
     * does, from the one prompt; patches with another name there confirm it.
     */
    @Test
    void theMapAlsoSeesTheNamesThatThisPatchCannotFind() throws IOException {
        List<Prompt> prompts = prompts();
        try (Model model = model("facts-4l")) {
            for (int i = 0; i < prompts.size(); i++) {
                Prompt prompt = prompts.get(i);
                Found found = find(model, prompt, prompt.corrupt());
                List<Site> before = new ArrayList<>();
                for (int t = 0; t < SECOND_NAME; t++) {
                    before.add(Site.of(2, t));
                    for (int l = 0; l < 4; l++) {
                        assertThat(found.patched()[l][t]).isZero();
                    }
                }
                for (double[][] values : List.of(found.response(), found.gain())) {
                    assertThat(ranked(before, values).subList(0, 2))
                            .as(prompt.clean())
                            .containsExactlyInAnyOrder(Site.of(2, FIRST_NAME), Site.of(2, OTHER_NAME));
                }
                String[] words = prompt.words().clone();
                words[OTHER_NAME] = another(prompts, i);
                Found named = find(model, prompt, String.join(" ", words));
                List<Site> sites = compared(named);
                assertThat(ranked(sites, named.patched()).subList(0, 4))
                        .as(prompt.clean())
                        .containsExactlyInAnyOrder(
                                Site.of(0, OTHER_NAME),
                                Site.of(1, OTHER_NAME),
                                Site.of(2, OTHER_NAME),
                                Site.of(3, LAST));
                assertThat(margin(sites, named.patched(), 4)).isGreaterThan(1.1);
                // A large gain is not yet a large effect: what comes from this name passes the last token at depth 3
                // only.
                Site early = Site.of(1, LAST);
                Site name = Site.of(1, OTHER_NAME);
                assertThat(at(named.gain(), early)).isGreaterThan(1.2 * at(named.gain(), name));
                assertThat(at(named.patched(), early)).isLessThan(0.2 * at(named.patched(), name));
            }
        }
    }

    /** A name from one of the next prompts that is not in this one. */
    private static String another(List<Prompt> prompts, int i) {
        List<String> own = List.of(prompts.get(i).words());
        for (int j = 1; j < prompts.size(); j++) {
            String name = prompts.get((i + j) % prompts.size()).words()[FIRST_NAME];
            if (!own.contains(name)) {
                return name;
            }
        }
        throw new AssertionError("all prompts have the same names");
    }

    /** Every pair that causality forbids is zero to the bit, and every other below the last depth is not. */
    @Test
    void causalityIsExact() throws IOException {
        int forbidden = 0;
        try (Model model = model("facts-4l")) {
            for (Prompt prompt : prompts()) {
                try (Run run = model.run(prompt.clean())) {
                    double[] norms = run.responseMap().probes(2).compute().frobenius();
                    for (int i = 0; i < norms.length; i++) {
                        int source = i / (5 * 15);
                        int target = i % (5 * 15);
                        boolean after = target / 15 > source / 15 && target % 15 >= source % 15;
                        assertThat(norms[i] != 0).isEqualTo(after || source == target);
                        forbidden += after || source == target ? 0 : 1;
                    }
                }
            }
        }
        assertThat(forbidden).isEqualTo(40 * (75 * 75 - 10 * 120 - 75));
    }
}
