package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.ReportPage;
import dev.greenfield.safetensors.Safetensors;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pages of all commands in one browser: their layout on phones and screens, light and dark, and their numbers against the tensors. */
@Tag("slow")
class PagesTest {
    private static final List<Look> FEW_LOOKS = List.of(new Look(390, true), new Look(1400, false));
    private static final List<Look> LOOKS = List.of(
            new Look(390, false),
            new Look(390, true),
            new Look(800, true),
            new Look(800, false),
            new Look(1400, false),
            new Look(1400, true));

    /** Pages that have, together, every kind of figure and part; of the others a narrow dark look and a wide light one do. */
    private static final Set<String> IN_EVERY_LOOK = Set.of("map", "study", "lens", "field");

    private record Look(int width, boolean dark) {}

    /** Opens all that is folded up, tables of figures too, and waits for what follows. */
    private static final String UNFOLD =
            "(async () => { document.querySelectorAll('details').forEach(d => d.open = true);"
                    + " await new Promise(done => setTimeout(done, 30)); })()";

    /** Waits until the drawings have followed a change of size or colours. */
    private static final String SETTLE =
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))";

    @TempDir
    private static Path temporary;

    private static BrowserSession browser;
    private static Map<String, Path> pages;

    @BeforeAll
    static void start() throws Exception {
        browser = BrowserSession.start(temporary);
        pages = SamplePages.make(temporary.resolve("pages"));
        pages.put("bars", bars(temporary.resolve("bars")));
    }

    @AfterAll
    static void stop() throws Exception {
        if (browser != null) {
            browser.close();
        }
    }

    /** On a narrow screen, light, as pages of the other tests are not. */
    private static void open(String name, String fragment) throws Exception {
        browser.show(LOOKS.get(0).width(), LOOKS.get(0).dark());
        browser.open(pages.get(name).resolve("report.html"), fragment);
    }

    @Test
    void nothingIsCutOffOrPaleAtAnyWidthInLightAndDark() throws Exception {
        String checks = checks();
        List<String> wrong = new ArrayList<>();
        for (String name : pages.keySet()) {
            open(name, "");
            browser.evaluate(UNFOLD);
            for (Look look : IN_EVERY_LOOK.contains(name) ? LOOKS : FEW_LOOKS) {
                browser.show(look.width(), look.dark());
                browser.evaluate(SETTLE);
                browser.evaluate(checks).forEach(found -> wrong.add(name + ", " + look + ": " + found.asText()));
            }
        }
        assertThat(wrong).isEmpty();
    }

    private static String checks() throws Exception {
        try (InputStream in = PagesTest.class.getResourceAsStream("page-checks.js")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The checks above are worth something only if they see what is wrong. */
    @Test
    void theChecksSeeFaultsThatAreMade() throws Exception {
        open("patch", "");
        browser.evaluate(SETTLE);
        Map<String, String> faults = Map.of(
                "document.querySelector('figcaption').style.width = '700px'",
                "beyond the page",
                "document.querySelector('h1').style.color = '#cccccc'",
                "pale: ",
                "document.querySelector('.plot svg text').setAttribute('transform', 'translate(-20 40)')",
                "clipped in figure-1",
                "document.querySelectorAll('#figure-3 svg text').forEach(t => t.setAttribute('transform', 'translate(60 40)'))",
                "over \"",
                "document.querySelector('h3').style.flex = '0 0 18px'",
                "a few letters a line",
                "document.querySelector('#figure-5 svg text').setAttribute('fill', '#dddddd')",
                "pale in a drawing");
        assertThat(browser.evaluate(checks())).isEmpty();
        for (String fault : faults.keySet()) {
            browser.evaluate(fault);
        }
        String found = browser.evaluate(checks()).toString().replace("\\", "");
        assertThat(found).contains(faults.values());
    }

    /** A page of maps that are hard to draw: narrow ranges, long names, many columns. */
    private static Path bars(Path folder) throws Exception {
        List<String> columns = IntStream.range(0, 40)
                .mapToObj(t -> t + " a rather long token " + t)
                .toList();
        double[][] many = {columns.stream().mapToDouble(String::length).toArray()};
        ReportPage page = new ReportPage("Bars", "")
                .chart("narrow", narrow(0.99998, 1.00002, HeatMap.Scale.SEQUENTIAL))
                .chart("narrow-log", narrow(0.99998, 1.00002, HeatMap.Scale.LOG))
                .chart("narrower", narrow(1, 1 + 3e-12, HeatMap.Scale.SEQUENTIAL))
                .chart("small", narrow(-3e-9, 2e-9, HeatMap.Scale.DIVERGING))
                .chart(
                        "many",
                        new HeatMap(
                                "Many",
                                "",
                                List.of("row"),
                                columns,
                                many,
                                HeatMap.Scale.SEQUENTIAL,
                                "a name of several words"));
        return Files.writeString(Files.createDirectory(folder).resolve("report.html"), page.html())
                .getParent();
    }

    private static HeatMap narrow(double low, double high, HeatMap.Scale scale) {
        double[][] values = {{low, high}};
        return new HeatMap("From " + low, "", List.of("r"), List.of("low", "high"), values, scale, "value");
    }

    @Test
    void barsOfNarrowRangesHaveTheDigitsThatTellTheirTicksApart() throws Exception {
        open("bars", "");
        JsonNode texts = browser.evaluate(
                "[...document.querySelectorAll('.plot svg')].map(s => [...s.querySelectorAll('text')].map(t => t.textContent))");
        assertThat(texts.get(0).toString()).contains("\"0.99999\"", "\"1.00000\"", "\"1.00001\"");
        assertThat(texts.get(1).toString()).contains("\"0.99999\"", "\"1.00000\"", "\"1.00001\"");
        // More than eight digits are told as a difference.
        assertThat(texts.get(2).toString()).contains("\"value \u2212 1\"", "\"10\u207b\u00b9\u00b2\"");
        assertThat(texts.get(3).toString()).contains("\"2\u00d710\u207b\u2079\"");
    }

    /** Heat maps by the names of their files, and the tensors that they show. */
    private static final Map<String, Map<String, String>> SHOWN = Map.of(
            "sensitivity", Map.of("norm", "sensitivity.norm"),
            "patch",
                    Map.of(
                            "measured", "patch.measured",
                            "first-order", "patch.predicted",
                            "second-order", "patch.second_order"),
            "patch-head", Map.of("measured", "patch.measured", "first-order", "patch.predicted"),
            "propagate", Map.of("first-order", "response.norm", "untrained", "control.norm"),
            "infer", Map.of("source", "source.norm"),
            "scale", Map.of("sensitivity-a", "scale.a.sensitivity.1", "sensitivity-b", "scale.b.sensitivity.1"));

    /** The rows of the table below a figure, from the bottom up, and the file that its button saves. */
    private static final String NUMBERS = """
            (async () => {
              const figure = [...document.querySelectorAll('figure.chart')].find(f =>
                JSON.parse(f.querySelector('script').textContent).file.endsWith('-%1$s'));
              const details = figure.querySelector('details'), found = {};
              details.open = true;
              details.dispatchEvent(new Event('toggle'));
              found.table = [...details.querySelectorAll('tbody tr')].reverse()
                .map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent));
              let blob;
              URL.createObjectURL = b => { blob = b; return 'blob:none'; };
              HTMLAnchorElement.prototype.click = function () { found.name = this.download; };
              [...figure.querySelectorAll('button')].find(b => b.textContent === 'CSV').click();
              found.csv = await blob.text();
              return found;
            })()
            """;

    @Test
    void tablesAndFilesHoldTheTensors() throws Exception {
        for (Map.Entry<String, Map<String, String>> page : SHOWN.entrySet()) {
            Path folder = pages.get(page.getKey());
            open(page.getKey(), "");
            try (Safetensors tensors = Safetensors.open(folder.resolve("tensors.safetensors"))) {
                for (Map.Entry<String, String> one : page.getValue().entrySet()) {
                    double[] expected = tensors.tensor(one.getValue()).toDoubles();
                    JsonNode shown = browser.evaluate(NUMBERS.formatted(one.getKey()));
                    assertThat(shown.path("name").asText())
                            .isEqualTo("greenfield-" + page.getKey().replaceFirst("-.*", "") + "-" + one.getKey()
                                    + ".csv");
                    List<String> cells = new ArrayList<>();
                    shown.path("table").forEach(row -> row.forEach(cell -> cells.add(cell.asText())));
                    List<String> saved = shown.path("csv")
                            .asText()
                            .lines()
                            .skip(1)
                            .flatMap(line -> Stream.of(line.split(",", -1)).skip(1))
                            .toList();
                    assertThat(cells).as(one.getValue()).hasSameSizeAs(expected);
                    assertThat(saved).as(one.getValue()).hasSize(expected.length);
                    for (int i = 0; i < expected.length; i++) {
                        // Tables leave cells blank that are zero by structure.
                        double cell = cells.get(i).isEmpty() ? 0 : Double.parseDouble(cells.get(i));
                        double whole = saved.get(i).isEmpty() ? 0 : Double.parseDouble(saved.get(i));
                        assertThat(cell)
                                .as(one.getValue())
                                .isCloseTo(expected[i], within(1e-6 * Math.abs(expected[i])));
                        assertThat((float) whole).as(one.getValue()).isEqualTo((float) expected[i]);
                    }
                }
            }
        }
    }

    /** The ends of the colours of a figure's cells are those of its bar: what the bar's least and largest label say. */
    private static final String BARS = """
            [1, 2, 4].map(n => [...document.querySelectorAll('#figure-' + n + ' .plot svg text')]
              .map(t => t.textContent).filter(t => /^\\u2212?\\d+$/.test(t)).map(t => Number(t.replace('\\u2212', '-'))).sort((a, b) => a - b).join())
            """;

    @Test
    void mapsToBeComparedShareTheirColoursAndAnAddressBringsBackWhatWasSeen() throws Exception {
        open("patch", "");
        JsonNode shared = browser.evaluate(BARS);
        assertThat(shared.get(1)).isEqualTo(shared.get(0));
        assertThat(shared.get(0).asText()).contains(",");
        assertThat(shared.get(2)).isEqualTo(shared.get(0));
        browser.evaluate(
                "[...document.querySelectorAll('#figure-2 button')].find(b => b.textContent === 'range: shared').click()");
        JsonNode own = browser.evaluate(BARS);
        assertThat(own.get(1)).isNotEqualTo(own.get(2));
        assertThat(browser.evaluate("location.hash").asText()).isEqualTo("#figure-1.range=own");

        // Two figures of one page, neither of which loses what the other says.
        String both = "#figure-1.cell=3,7&figure-1.range=own&figure-3.point=2";
        open("patch", both);
        assertThat(browser.evaluate(BARS)).isEqualTo(own);
        String selected = browser.evaluate(
                        "[...document.querySelectorAll('.selection')].map(p => p.textContent).join('|')")
                .asText();
        double[] measured = tensor("patch", "patch.measured");
        assertThat(selected).contains("Selected: depth 3, 7 speaks, change of F \u2212" + round(-measured[3 * 8 + 7]));
        assertThat(selected.split("Selected: depth 3, 7 speaks", -1))
                .as("in all maps to be compared")
                .hasSize(4);
        assertThat(selected).contains("predicted change of F");
        browser.evaluate(
                "[...document.querySelectorAll('#figure-1 button')].find(b => b.textContent === 'range: own').click()");
        assertThat(browser.evaluate("location.hash").asText()).isEqualTo("#figure-1.cell=3,7&figure-3.point=2");
        assertThat(browser.evaluate(BARS)).isEqualTo(shared);

        // A place alone, such as one of the list of contents, leaves everything as it is.
        browser.evaluate("location.hash = 'figure-4'");
        browser.evaluate(SETTLE);
        assertThat(browser.evaluate(BARS)).isEqualTo(shared);
    }

    /** The numbers of a figure as its button saves them, and the name of the file. */
    private static final String SAVED = """
            (async () => {
              const figure = document.getElementById('%1$s'), found = {};
              const create = URL.createObjectURL, click = HTMLAnchorElement.prototype.click;
              let blob;
              URL.createObjectURL = b => { blob = b; return 'blob:none'; };
              HTMLAnchorElement.prototype.click = function () { found.name = this.download; found.address = this.href; };
              [...figure.querySelectorAll('.tools button')].find(b => b.textContent === '%2$s').click();
              URL.createObjectURL = create;
              HTMLAnchorElement.prototype.click = click;
              found.csv = blob ? await blob.text() : '';
              figure.querySelectorAll('details').forEach(d => d.open = true);
              await new Promise(done => setTimeout(done, 30));
              found.table = [...figure.querySelectorAll('details tbody tr')].map(row => [...row.cells].map(cell => cell.textContent));
              return found;
            })()
            """;

    private static JsonNode saved(String figure, String type) throws Exception {
        return browser.evaluate(SAVED.formatted(figure, type));
    }

    private static final int TOKENS = 8;

    @Test
    void aGridOfWordsKeepsItsNumbersAndItsSelection() throws Exception {
        open("lens", "#figure-2.cell=6,7&figure-9.cell=1,1&figure-2.cell=99,0");
        double[] ranks = tensor("lens", "lens.logit.rank");
        double[] probabilities = tensor("lens", "lens.logit.probability");
        String detail = "document.querySelector('.grid-detail').textContent";
        assertThat(browser.evaluate(detail).asText())
                .startsWith("depth 3, 7 speaks: 0.9")
                .contains("\u00a0Bulgarian | ")
                .endsWith("rank of Bulgarian: " + Math.round(ranks[6 * TOKENS + 7]));
        browser.evaluate("document.querySelector('.grid-box').dispatchEvent("
                + "new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }))");
        assertThat(browser.evaluate("location.hash").asText()).isEqualTo("#figure-2.cell=5,7");
        assertThat(browser.evaluate(detail).asText())
                .startsWith("depth 2.5, 7 speaks: ")
                .endsWith("rank of Bulgarian: " + Math.round(ranks[5 * TOKENS + 7]));

        JsonNode saved = saved("figure-2", "CSV");
        assertThat(saved.path("name").asText()).isEqualTo("greenfield-lens-logit-lens.csv");
        List<String> lines = saved.path("csv").asText().lines().toList();
        assertThat(lines.get(0))
                .startsWith("depth,token,text,probability,detail 1,")
                .endsWith(",detail 6");
        assertThat(lines).hasSize(1 + ranks.length);
        assertThat(saved.path("table")).hasSize(ranks.length);
        // Bulgarian is the most probable token at the last two depths, so that its probability is the cell's.
        for (int row : new int[] {6, 8}) {
            int at = row * TOKENS + 7;
            assertThat(ranks[at]).isEqualTo(1);
            String[] cells = lines.get(1 + at).split(",", -1);
            assertThat(List.of(cells).subList(0, 3)).containsExactly("depth " + row / 2, "7 speaks", "Bulgarian");
            assertThat(Double.parseDouble(cells[3])).isCloseTo(probabilities[at], within(1e-5));
            assertThat(cells[cells.length - 1]).isEqualTo("rank of Bulgarian: 1");
        }
        // What is chosen again is let go.
        browser.evaluate("document.querySelector('td.shown').click()");
        assertThat(browser.evaluate("location.hash").asText()).isEmpty();
        assertThat(browser.evaluate(detail).asText()).startsWith("Select a word");
    }

    @Test
    void theSelectedHeadIsSavedAndInTheAddress() throws Exception {
        open("field", "#figure-1.cell=2,3&figure-2.head=2,3");
        double[] attention = tensor("field", "attention");
        JsonNode saved = saved("figure-2", "CSV");
        assertThat(saved.path("name").asText())
                .isEqualTo("greenfield-field-attention-of-every-head-block-2-head-3.csv");
        List<String> lines = saved.path("csv").asText().lines().toList();
        assertThat(lines).hasSize(1 + TOKENS);
        assertThat(lines.get(0)).startsWith("query,0 <|endoftext|>,1 Alice,");
        for (int i = 0; i < TOKENS; i++) {
            String[] cells = lines.get(1 + i).split(",", -1);
            for (int j = 0; j < TOKENS; j++) {
                String shown = saved.path("table").get(i).get(1 + j).asText();
                assertThat(shown).isEqualTo(cells[1 + j]);
                if (j > i) {
                    assertThat(shown).as("a key after its query").isEmpty();
                } else {
                    double expected = attention[((2 * 4 + 3) * TOKENS + i) * TOKENS + j];
                    assertThat(Double.parseDouble(shown)).isCloseTo(expected, within(1e-5));
                }
            }
        }
        assertThat(saved("figure-2", "PNG").path("address").asText()).startsWith("data:image/png;base64,");

        browser.evaluate("document.querySelector('button[aria-label=\"Block 1, head 0\"]').click()");
        assertThat(browser.evaluate("location.hash").asText()).isEqualTo("#figure-1.cell=2,3&figure-2.head=1,0");
        double expected = attention[(4 * TOKENS + 7) * TOKENS + 4];
        String cell = saved("figure-2", "CSV").path("table").get(7).get(5).asText();
        assertThat(Double.parseDouble(cell)).isCloseTo(expected, within(1e-5));
        // A head that is not there changes nothing; the first is what the page opens with.
        browser.evaluate("location.hash = '#figure-2.head=9,9'");
        browser.evaluate(SETTLE);
        assertThat(browser.evaluate("document.getElementById('figure-2').dataset.head")
                        .asText())
                .isEqualTo("1,0");
        browser.evaluate("document.querySelector('button[data-place=\"0\"]').click()");
        assertThat(browser.evaluate("location.hash").asText()).isEqualTo("#figure-1.cell=2,3");
    }

    private static double[] tensor(String page, String name) throws Exception {
        try (Safetensors tensors = Safetensors.open(pages.get(page).resolve("tensors.safetensors"))) {
            return tensors.tensor(name).toDoubles();
        }
    }

    private static BigDecimal round(double value) {
        return new BigDecimal(value).round(new MathContext(6));
    }
}
