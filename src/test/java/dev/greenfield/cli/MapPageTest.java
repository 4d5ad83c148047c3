package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of the map command in a real browser: what it shows is what the tensors hold. */
@Tag("slow")
class MapPageTest {
    private static final int LEVELS = 5;
    private static final int TOKENS = 6;

    private static final String STEPS = """
            open(); note('opened');
            click(1, 2, 0); note('clicked');
            click(3, 4, 1); note('clicked a target');
            send(3, 4, 1, ['mousemove']); steps['clicked a target'].tip = plot.lastChild.textContent;
            press('ArrowUp'); press('ArrowRight'); note('pressed');
            button('range').click(); note('shared'); button('range').click(); note('own again');
            button('colours').click(); note('linear');
            button('SVG').click(); button('PNG').click();
            """;

    @TempDir
    private Path temporary;

    private JsonNode drive(String fragment, String... more) throws IOException, InterruptedException {
        Path out = temporary.resolve("out");
        Cli.done(Cli.with(
                new String[] {
                    "map",
                    "--prompt",
                    "<|endoftext|> The capital of Korea is",
                    "--probes",
                    "4",
                    "--threads",
                    "1",
                    "--out",
                    out.toString()
                },
                more));
        String html = Files.readString(out.resolve("report.html"));
        return PageDriver.drive(html, fragment, STEPS, temporary);
    }

    private double[] tensor() throws IOException {
        return Cli.tensor(temporary.resolve("out"), "map.frobenius", DType.F32, LEVELS, TOKENS, LEVELS, TOKENS);
    }

    private void assertShows(JsonNode step, int level, int token) throws IOException {
        assertThat(step.path("source").asText()).isEqualTo(level + "," + token);
        double[] all = tensor();
        int shown = 0;
        for (int l = 0; l < LEVELS; l++) {
            for (int t = 0; t < TOKENS; t++) {
                double expected = all[((level * TOKENS + token) * LEVELS + l) * TOKENS + t];
                JsonNode cell = step.path("values").path(l).path(t);
                if (expected == 0 || Double.isNaN(expected)) {
                    assertThat(cell.isNull()).as("level %d, token %d", l, t).isTrue();
                } else {
                    assertThat(cell.asDouble()).isEqualTo(expected, within(1e-6 * expected));
                    shown++;
                }
            }
        }
        assertThat(shown).isGreaterThan(1);
    }

    private static String fourDigits(double value) {
        return new BigDecimal(value).round(new MathContext(4)).toPlainString();
    }

    private static String texts(JsonNode step) {
        return step.path("texts").toString();
    }

    @Test
    void thePageShowsTheTensorsOfTheSelectedSource() throws Exception {
        JsonNode driven = drive("#figure-1.source=2,3");
        JsonNode steps = driven.path("steps");
        assertShows(steps.path("opened"), 2, 3);
        assertThat(texts(steps.path("opened")))
                .contains("Response to depth 2, token 3 of", "Sources: reach to depth 4");

        assertShows(steps.path("clicked"), 1, 2);
        assertThat(texts(steps.path("clicked"))).contains("Response to depth 1, token 2 capital");
        assertThat(steps.path("clicked").path("hash").asText()).isEqualTo("#figure-1.source=1,2");
        assertThat(steps.path("clicked a target").path("source").asText()).isEqualTo("1,2");

        double value = tensor()[((TOKENS + 2) * LEVELS + 3) * TOKENS + 4];
        assertThat(steps.path("clicked a target").path("tip").asText())
                .contains("4 Korea", "depth 3", "from depth 1, token 2 capital")
                .containsPattern("\\|G\\|: " + Pattern.quote(fourDigits(value)));

        assertShows(steps.path("pressed"), 2, 3);
        assertThat(texts(steps.path("linear"))).isNotEqualTo(texts(steps.path("pressed")));

        // Cells show the same numbers; the ticks of the colour bar are those of a longer range.
        assertThat(texts(steps.path("shared"))).isNotEqualTo(texts(steps.path("pressed")));
        assertThat(texts(steps.path("own again"))).isEqualTo(texts(steps.path("pressed")));

        JsonNode saved = driven.path("saved");
        String svg = URLDecoder.decode(
                saved.path("greenfield-map-response-from-2-3.svg").asText().replace("+", "%2B"),
                StandardCharsets.UTF_8);
        assertThat(svg).startsWith("data:image/svg+xml").contains("Response to depth 2, token 3 of");
        String png = saved.path("greenfield-map-response-from-2-3.png").asText();
        assertThat(png).startsWith("data:image/png;base64,").hasSizeGreaterThan(5000);
    }

    @Test
    void onlySourcesThatWereAskedForCanBeSelected() throws Exception {
        JsonNode steps = drive("#figure-1.source=2,3", "--sites", "0:1,2:1", "--targets", "3:*")
                .path("steps");
        double[] all = tensor();
        double[] reach = new double[2];
        for (int i = 0; i < 2; i++) {
            for (int t = 0; t < TOKENS; t++) {
                reach[i] += Math.pow(all[((2 * i * TOKENS + 1) * LEVELS + 3) * TOKENS + t], 2);
            }
        }
        // The address asks for a source that is not there: the farthest-reaching one stays.
        int first = reach[0] > reach[1] ? 0 : 2;
        assertShows(steps.path("opened"), first, 1);
        assertThat(texts(steps.path("opened"))).contains("Sources: reach to depth 3");
        assertThat(steps.path("clicked").path("source").asText()).isEqualTo(first + ",1");
        // Up over depth 1; nothing is to the right.
        assertShows(steps.path("pressed"), 2, 1);
    }
}
