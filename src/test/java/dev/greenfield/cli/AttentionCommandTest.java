package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Attention of a run in files and on pages, and how pages answer to the mouse. */
class AttentionCommandTest {
    @TempDir
    private Path temporary;

    private static String[] prompt(String command, String... more) {
        return Cli.with(
                new String[] {command, "--model", Cli.SMALL, "--tokens", "3,1,4,1,5", "--backend", "reference"}, more);
    }

    @Test
    void fieldAndMapWriteTheLibrarys() throws IOException {
        Path field = temporary.resolve("field");
        Cli cli = Cli.done(prompt("field", "--attention", "--out", field.toString()));
        assertThat(cli.out()).contains("attention: the heads that look elsewhere");
        Path map = temporary.resolve("map");
        Cli.done(prompt("map", "--attention", "--probes", "2", "--out", map.toString()));
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            Run run = model.run(3, 1, 4, 1, 5);
            double[] expected = new double[2 * 2 * 25];
            System.arraycopy(run.attention(0), 0, expected, 0, 50);
            System.arraycopy(run.attention(1), 0, expected, 50, 50);
            for (Path out : new Path[] {field, map}) {
                assertThat(Cli.tensor(out, "attention", DType.F64, 2, 2, 5, 5)).containsExactly(expected);
                assertThat(Files.readString(out.resolve("report.html"))).contains("Attention of every head");
            }
            JsonNode head = Cli.result(field).path("results").path("attention").get(3); // block 1, head 1
            double first = 0;
            double distance = 0;
            for (int i = 1; i < 5; i++) {
                first += expected[75 + 5 * i] / 4;
                for (int j = 0; j < i; j++) {
                    distance += (i - j) * expected[75 + 5 * i + j] / 4;
                }
            }
            assertThat(head.path("block").asInt()).isEqualTo(1);
            assertThat(head.path("first").asDouble()).isCloseTo(first, within(1e-12));
            assertThat(head.path("distance").asDouble()).isCloseTo(distance, within(1e-12));
        }
    }

    @Test
    void oneTokenHasNothingBeforeIt() throws IOException {
        Path out = temporary.resolve("one");
        Cli.done("field", "--model", Cli.SMALL, "--tokens", "3", "--attention", "--out", out.toString());
        assertThat(Cli.tensor(out, "attention", DType.F32, 2, 2, 1, 1)).containsOnly(1);
        assertThat(Cli.result(out)
                        .path("results")
                        .path("attention")
                        .get(0)
                        .path("first")
                        .isNull())
                .isTrue();
    }

    @Test
    void aSuiteHasNoPictures() {
        Cli cli = Cli.run("map", "--suite", "docs/examples/suite.json", "--attention", "--out", "x");
        assertThat(cli.exit()).isEqualTo(2);
        assertThat(cli.err()).contains("both --suite and --attention are given");
    }

    /** A page whose policy takes scripts of the test. */
    private Path driven(Path page, String script) throws IOException {
        String html = Files.readString(page).replaceFirst("<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "");
        int end = html.lastIndexOf("</body>"); // the chart library has that text too
        return Files.writeString(
                page.resolveSibling("driven.html"),
                html.substring(0, end) + "<script>" + script + "</script></body></html>");
    }

    @Test
    @Tag("slow")
    void pagesAnswerToTheMouse() throws Exception {
        Path lens = temporary.resolve("lens");
        Cli.done(prompt("lens", "--out", lens.toString()));
        Path field = temporary.resolve("field");
        Cli.done(prompt("field", "--attention", "--out", field.toString()));
        double[] attention = Cli.tensor(field, "attention", DType.F64, 2, 2, 5, 5);
        // Both figures on one page, so that one browser does.
        String figure = Files.readString(field.resolve("report.html"));
        figure = figure.substring(figure.indexOf("<figure id=\"figure-2\""), figure.lastIndexOf("</figure>") + 9)
                .replace("figure-2", "figure-9");
        Path page = lens.resolve("report.html");
        Files.writeString(page, Files.readString(page).replace("</main>", figure + "</main>"));
        String seen = Browser.document(driven(page, """
                        var grid = document.querySelector('figure.words'), heads = document.querySelector('figure.heads');
                        var cell = grid.querySelectorAll('tbody tr')[1].cells[3];
                        cell.click();
                        var before = grid.querySelector('.grid-detail').textContent;
                        grid.querySelector('.grid-box').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }));
                        heads.querySelectorAll('button[data-place]')[1].click();
                        var large = heads.querySelector('.large canvas'), at = large.getBoundingClientRect();
                        var cellWidth = 28, room = at.width - 6 - 5 * cellWidth;
                        large.dispatchEvent(new MouseEvent('mousemove', { clientX: at.left + room + 1.5 * cellWidth,
                          clientY: at.top + 3.5 * cellWidth }));
                        document.title = [before.split(': ')[0], grid.querySelector('td.shown').title.split('\\n')[0],
                          heads.querySelector('.grid-detail').textContent].join('|');
                        """), "", temporary);
        Matcher title = Pattern.compile("<title>([^<]*)</title>").matcher(seen);
        assertThat(title.find()).isTrue();
        // The second button is head 1 of the last block.
        String looks = String.format(Locale.ROOT, "%.4f", attention[75 + 3 * 5 + 1]);
        assertThat(title.group(1))
                .isEqualTo("depth 1, 2 #4|depth 1, 1 #1|Block 1, head 1: 3 #1 looks at 1 #1 with " + looks);
    }
}
