package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.failure.GreenfieldException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.NativeLibraryException;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.green.LowRank;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.model.Beginning;
import dev.greenfield.model.WeightPlacement;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.propagation.SourcePropagation;
import dev.greenfield.regime.RegimeGrid;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SiteVectors;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What results look like, that nobody can change them, and what the façade says to null. */
class LibraryResultsTest {
    private static final Observable ANSWER = Observable.logitDifference("Seoul", "Oslo");

    private static Model model;
    private static Run run;
    private static Run donor;

    @BeforeAll
    static void load() throws IOException {
        model = Greenfield.load("demo", Options.defaults().backend("cpu"));
        run = model.run("<|endoftext|> The capital of Korea is");
        donor = model.run("<|endoftext|> The capital of Norway is");
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void everyFailureHasOneBase() {
        assertThat(List.of(
                        InputException.class,
                        BackendException.class,
                        NativeLibraryException.class,
                        MemoryBudgetException.class,
                        DeviceMemoryException.class,
                        CancelledException.class))
                .allMatch(GreenfieldException.class::isAssignableFrom);
        assertThat(RuntimeException.class).isAssignableFrom(GreenfieldException.class);
    }

    @Test
    void sitesGiveSingleNumbers() {
        SensitivityField s = run.sensitivity(ANSWER);
        PatchSweep sweep = run.patchSweep(donor, ANSWER);
        for (Site site : List.of(Site.of(0, 4), Site.of(2, 5))) {
            assertThat(s.norm(site)).isEqualTo(s.norms()[site.depth()][site.token()]);
            assertThat(sweep.measured(site)).isEqualTo(sweep.measured()[site.depth()][site.token()]);
            assertThat(sweep.predicted(site)).isEqualTo(sweep.predicted()[site.depth()][site.token()]);
            assertThat(run.field().norm(site)).isEqualTo(run.field().norms()[site.depth()][site.token()]);
        }
        assertThat(s.norm(Site.mid(1, 5))).isEqualTo(s.middleField().norm(1, 5));
        assertThatThrownBy(() -> sweep.measured(Site.mid(0, 0))).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> sweep.predicted(Site.of(9, 0))).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> run.field().norm(Site.mid(0, 0))).isInstanceOf(InputException.class);
    }

    @Test
    void nobodyChangesALowRankPart() {
        LowRank part = run.green(Site.of(1, 4)).to(4).svd(3);
        double largest = part.s()[0];
        for (double[] handedOut : List.of(part.s(), part.u(), part.v(), part.left(0), part.right(2))) {
            handedOut[0] = Double.NaN;
        }
        assertThat(part.s()[0]).isEqualTo(largest);
        assertThat(part.u()).doesNotContain(Double.NaN);
        assertThat(part.v()).doesNotContain(Double.NaN);
        assertThat(part.left(1)[7]).isEqualTo(part.u()[7 * 3 + 1]);
        assertThat(part.right(2)[5]).isEqualTo(part.v()[5 * 3 + 2]);
        assertThatThrownBy(() -> part.left(3)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(run.green(Site.of(1, 4)).to(4).svd(3).s())
                .isEqualTo(run.green(Site.of(1, 4)).to(4).svd(3, 0).s());
    }

    @Test
    void resultsSayWhatTheyAre() {
        double[] along = new double[model.config().width()];
        along[0] = 1;
        Source source = Source.of(Site.of(1, 4), along);
        Map<Object, String> texts = new HashMap<>();
        texts.put(model, "model demo (4 layers, width 128, vocabulary 291) on the cpu backend");
        texts.put(run, "run of 6 tokens on the model demo, ");
        texts.put(ANSWER, "logit(Seoul) - logit(Oslo)");
        texts.put(run.field(), "field of 5 depths, 6 tokens and width 128");
        texts.put(source, "source of length 1.000 at (depth 1, token 4)");
        texts.put(run.sensitivity(ANSWER), "sensitivity of F = 1");
        texts.put(run.patchSweep(donor, ANSWER), "patch sweep of 5 depths and 6 tokens, F = 1");
        texts.put(run.responseMap().compute(), "estimated response map of 5 levels and 6 tokens, whole depths");
        texts.put(run.green(Site.of(1, 4)).to(4), "Green operator from (depth 1, token 4) to 6 sites, [768, 128]");
        texts.put(run.green(Site.of(1, 4)).to(4).svd(2), "rank 2 of an operator [768, 128], singular values ");
        texts.put(
                run.linearRegimes(List.of(source), ANSWER, RegimeGrid.standard())
                        .get(0),
                "source of length 1.000 at (depth 1, token 4): F' = ");
        texts.put(run.secondOrder(List.of(source), ANSWER), "first and second derivatives along 1 source");
        texts.put(run.infer().change(ANSWER, 0.1).solve(), "source of length ");
        texts.forEach(
                (result, text) -> assertThat(result.toString()).startsWith(text).doesNotContain("@"));
    }

    @Test
    void resultsShowNumbersInTextsAndTables() {
        ResponseMap map = run.responseMap()
                .probes(2)
                .sources(List.of(Site.of(1, 4), Site.of(0, 2)))
                .compute();
        double[][] reach = map.reach();
        assertThat(reach[0][0]).isNaN();
        double sum = 0;
        for (int t = 0; t < 6; t++) {
            sum += Math.pow(map.frobenius(Site.of(1, 4), Site.of(4, t)), 2);
        }
        assertThat(reach[1][4]).isCloseTo(Math.sqrt(sum), within(1e-9));
        String shown = String.format(Locale.ROOT, "%.3g", reach[1][4]);
        assertThat(map.toString()).contains("\ndepth 4 ", shown);
        assertThat(map.toHtml()).contains("depth 1, token 4\">" + shown + "<").doesNotContain("Korea");
        assertThat(map.toHtml(run.tokenText())).contains("4<br/>Korea", "&lt;|endoftext|&gt;");
        SensitivityField s = run.sensitivity(ANSWER);
        String length = String.format(Locale.ROOT, "%.3g", s.norm(Site.of(0, 4)));
        assertThat(s.toString()).contains("\ndepth 0 ", length);
        assertThat(s.toHtml()).contains("sensitivity of F = ", length);
        assertThat(s.toHtml(run.tokenText())).contains("4<br/>Korea");
        LowRank part = run.green(Site.of(1, 4)).to(4).svd(9);
        assertThat(part.toString().lines()).hasSize(10).last().isEqualTo(" ...");
        assertThat(part.toHtml().split("<tr>", -1)).hasSize(11);
        assertThat(run.green(Site.of(1, 4)).to(4).toHtml())
                .contains("Green operator", "(depth 1, token 4)", "6 sites", "[768, 128]");
    }

    @Test
    void aReportIsWrittenWhole(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("report.html");
        run.report(file, ANSWER);
        assertThat(Files.readString(file))
                .startsWith("<!DOCTYPE html>")
                .contains("Norm of the sensitivity", "Response map", "logit(Seoul) - logit(Oslo)", "capital of Korea");
        run.report(file);
        assertThat(Files.readString(file)).contains("Response map").doesNotContain("Norm of the sensitivity");
        assertThat(directory.toFile().list()).containsExactly("report.html");
        assertThatThrownBy(() -> run.report(directory.resolve("missing").resolve("report.html")))
                .isInstanceOf(IOException.class);
    }

    /** Each argument of each public method in turn is null: it is refused by its name. */
    @Test
    void nullIsRefusedByName() throws ReflectiveOperationException {
        Map<Class<?>, Object> samples = samples();
        int refused = 0;
        for (Object of : List.of(run, model, run.green(Site.of(0, 0)), Options.defaults(), Greenfield.class)) {
            Class<?> type = of instanceof Class<?> statics ? statics : of.getClass();
            for (Method method : type.getDeclaredMethods()) {
                boolean callable = Modifier.isPublic(method.getModifiers())
                        && !method.isSynthetic()
                        && !Set.of("equals", "precision").contains(method.getName()); // null is the backend's own
                for (int i = 0; callable && i < method.getParameterCount(); i++) {
                    Class<?> parameter = method.getParameterTypes()[i];
                    if (parameter.isPrimitive() || method.getName().equals("predictions") && parameter == Run.class) {
                        continue; // a donor that no kind of intervention needs
                    }
                    Object[] arguments = new Object[method.getParameterCount()];
                    for (int j = 0; j < arguments.length; j++) {
                        Class<?> other = method.getParameterTypes()[j];
                        assertThat(samples).as("a sample for " + method).containsKey(other);
                        arguments[j] = j == i ? null : samples.get(other);
                    }
                    assertThatThrownBy(() -> invoke(method, of, arguments))
                            .as("argument " + i + " of " + method)
                            .isInstanceOf(NullPointerException.class)
                            .hasMessageMatching("[a-z]+[A-Za-z]*");
                    refused++;
                }
            }
        }
        assertThat(refused).isGreaterThan(40);
    }

    private static Map<Class<?>, Object> samples() {
        double[] along = new double[model.config().width()];
        Site site = Site.of(1, 4);
        Map<Class<?>, Object> samples = new HashMap<>();
        samples.put(Beginning.class, Beginning.AUTO);
        samples.put(WeightPlacement.class, WeightPlacement.AUTO);
        samples.put(Observable.class, ANSWER);
        samples.put(Run.class, donor);
        samples.put(PatchSweep.class, run.patchSweep(donor, ANSWER));
        samples.put(Site.class, site);
        samples.put(Site[].class, new Site[] {site});
        samples.put(List.class, List.of(Source.of(site, along)));
        samples.put(Source.class, Source.of(site, along));
        samples.put(double[].class, along);
        samples.put(int[].class, new int[] {1});
        samples.put(RegimeGrid.class, RegimeGrid.standard());
        samples.put(SiteVectors.class, SiteVectors.of(run.field()));
        samples.put(SourcePropagation.Settings.class, SourcePropagation.Settings.seeded(1));
        samples.put(PredictionPlan.class, PredictionPlan.defaults());
        samples.put(Path.class, Path.of("none"));
        samples.put(Options.class, Options.defaults());
        samples.put(String.class, "demo");
        samples.put(int.class, 1);
        samples.put(long.class, 1L);
        samples.put(double.class, 0.1);
        samples.put(AverageJacobian.class, model.averageJacobian(0));
        return samples;
    }

    private static void invoke(Method method, Object of, Object... arguments) throws Throwable {
        try {
            method.invoke(of, arguments);
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }
}
