package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ResponseMapChart;
import dev.greenfield.safetensors.DType;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pages of maps that are too large for an element a cell and are drawn on a canvas, in a real browser. */
@Tag("slow")
class LargeMapPageTest {
    /** A redraw takes 0.04 to 0.2 s on a core that is free; a machine that is busy otherwise gets more than ten times that. */
    private static final double SLOWEST_REDRAW_MS = 2000;

    private static final double SLOWEST_LOAD_MS = 20_000;

    /** The ends of the sequential palette. */
    private static final int[] LEAST = {0x44, 0x01, 0x54};

    private static final int[] MOST = {0xfd, 0xe7, 0x25};

    @TempDir
    private Path temporary;

    private record Map(int levels, int tokens, double[] values) {
        double value(int level, int token, int toLevel, int toToken) {
            return values[((level * tokens + token) * levels + toLevel) * tokens + toToken];
        }

        /** The target of the largest, or of the least positive, response to a source: level, token. */
        int[] extreme(int level, int token, boolean largest) {
            int[] best = {level, token};
            for (int l = level; l < levels; l++) {
                for (int t = token; t < tokens; t++) {
                    double v = value(level, token, l, t);
                    double found = value(level, token, best[0], best[1]);
                    if (v > 0 && (largest ? v > found : v < found)) {
                        best = new int[] {l, t};
                    }
                }
            }
            return best;
        }
    }

    /** Selects a source by a click, walks on by keys, changes the range, and saves. */
    private static String steps(Map map, int level, int token) {
        int[] most = map.extreme(level, token, true);
        int[] least = map.extreme(level, token, false);
        return """
                var times = [], key;
                function timed(step) { var start = performance.now(); step(); times.push(performance.now() - start); }
                steps.loaded = performance.now();
                steps.pictures = [picture()];
                timed(function () { click(%1$d, %2$d, 0); });
                steps.pictures.push(picture());
                steps.most = pixel(%3$d, %4$d, 1);
                steps.least = pixel(%5$d, %6$d, 1);
                open();
                note('clicked');
                figure.querySelector('details').open = false;
                send(%3$d, %4$d, 1, ['mousemove']);
                steps.tip = plot.lastChild.textContent;
                button('range').click();
                steps.pictures.push(picture());
                steps.mostOfAll = pixel(%3$d, %4$d, 1);
                button('range').click();
                for (key = 0; key < 6; key++) { timed(function () { press(key %% 2 ? 'ArrowUp' : 'ArrowRight'); }); }
                steps.pictures.push(picture());
                open();
                note('walked');
                steps.times = times;
                button('PNG').click();
                """.formatted(level, token, most[0], most[1], least[0], least[1]);
    }

    private static int[] numbers(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    private static void assertShows(Map map, JsonNode step, int level, int token) {
        assertThat(step.path("source").asText()).isEqualTo(level + "," + token);
        for (int l = 0; l < map.levels(); l++) {
            for (int t = 0; t < map.tokens(); t++) {
                double expected = map.value(level, token, l, t);
                JsonNode cell = step.path("values").path(l).path(t);
                if (expected == 0) {
                    assertThat(cell.isNull()).as("level %d, token %d", l, t).isTrue();
                } else {
                    assertThat(cell.asDouble()).isEqualTo(expected, within(1e-6 * expected));
                }
            }
        }
    }

    private void assertWorks(Map map, String html, int level, int token) throws Exception {
        JsonNode driven = PageDriver.drive(html, "", steps(map, level, token), temporary);
        JsonNode steps = driven.path("steps");
        assertShows(map, steps.path("clicked"), level, token);
        // Keys pass over sources whose response the page does not hold.
        int[] walked = Arrays.stream(
                        steps.path("walked").path("source").asText().split(","))
                .mapToInt(Integer::parseInt)
                .toArray();
        assertThat(walked[0]).isBetween(level + 3, map.levels() - 1);
        assertThat(walked[1]).isBetween(token + 3, map.tokens() - 1);
        assertShows(map, steps.path("walked"), walked[0], walked[1]);
        assertThat(steps.path("clicked").path("texts")).as("texts of an SVG").isEmpty();
        assertThat(steps.path("tip").asText()).contains("|G|: ", "from depth " + level);

        // Every selection and every range is another picture, in which the ends of the scale have the ends of the
        // palette.
        Set<Integer> pictures =
                IntStream.of(numbers(steps.path("pictures"))).boxed().collect(HashSet::new, Set::add, Set::addAll);
        assertThat(pictures).hasSize(4);
        assertThat(numbers(steps.path("most"))).startsWith(MOST);
        assertThat(numbers(steps.path("least"))).startsWith(LEAST);
        assertThat(numbers(steps.path("mostOfAll"))).isNotEqualTo(numbers(steps.path("most")));

        double[] times = StreamSupport.stream(steps.path("times").spliterator(), false)
                .mapToDouble(JsonNode::asDouble)
                .toArray();
        System.out.printf(
                "page of %d levels and %d tokens, %.1f MB: loaded in %.0f ms, selections drawn in %s ms%n",
                map.levels(),
                map.tokens(),
                html.length() / 1e6,
                steps.path("loaded").asDouble(),
                Arrays.toString(Arrays.stream(times).map(Math::round).toArray()));
        assertThat(times).hasSize(7);
        assertThat(Arrays.stream(times).max().orElseThrow()).isLessThan(SLOWEST_REDRAW_MS);
        assertThat(steps.path("loaded").asDouble()).isLessThan(SLOWEST_LOAD_MS);

        String png = driven.path("saved").elements().next().asText();
        assertThat(png).startsWith("data:image/png;base64,");
        byte[] bytes = Base64.getDecoder().decode(png.substring(png.indexOf(',') + 1));
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(bytes));
        Set<Integer> colours = new HashSet<>();
        for (int y = 0; y < image.getHeight(); y += 3) {
            for (int x = 0; x < image.getWidth(); x += 3) {
                colours.add(image.getRGB(x, y));
            }
        }
        assertThat(colours).as("colours of the saved picture").hasSizeGreaterThan(100);
    }

    @Test
    void aMapOf200000PairsFromTheCommandLine() throws Exception {
        int levels = 13;
        int tokens = 66;
        String ids = String.join(
                ",",
                IntStream.range(0, tokens).mapToObj(i -> "" + (7 * i + 3) % 40).toList());
        Path out = temporary.resolve("out");
        Cli.done("map", "--model", "random:12,2,16,40,66", "--tokens", ids, "--probes", "2", "--out", out.toString());
        double[] values = Cli.tensor(out, "map.frobenius", DType.F32, levels, tokens, levels, tokens);
        Map map = new Map(levels, tokens, values);
        assertThat(Arrays.stream(values).filter(v -> v > 0).count()).isGreaterThan(150_000);
        assertWorks(map, Files.readString(out.resolve("report.html")), 5, 20);
    }

    /** As many sites as a page is likely to see: of 15.7 million pairs, 4.1 million can respond, and the page keeps half of them. */
    @Test
    void aMapOf4000Sites() throws Exception {
        int levels = 33;
        int tokens = 120;
        double[] values = new double[levels * tokens * levels * tokens];
        for (int i = 0; i < values.length; i++) {
            int up = i / tokens % levels - i / tokens / levels / tokens;
            int on = i % tokens - i / tokens / levels % tokens;
            boolean reached = up > 0 && on >= 0 || up == 0 && on == 0;
            // The farther the less, and no two alike; later levels of the source are louder.
            values[i] =
                    reached ? Math.exp(0.1 * up - 0.05 * on + Math.sin(i) + 0.1 * (i / tokens / levels / tokens)) : 0;
        }
        Map map = new Map(levels, tokens, values);
        List<String> depths =
                IntStream.range(0, levels).mapToObj(l -> "depth " + l).toList();
        List<String> labels =
                IntStream.range(0, tokens).mapToObj(t -> t + " word").toList();
        ReportPage page = new ReportPage("A large map", "")
                .chart(new ResponseMapChart("Every site to every site", "", depths, labels, values, "|G|"));
        assertWorks(map, page.html(), 12, 40);
    }
}
