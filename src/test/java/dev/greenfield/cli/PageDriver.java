package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Works the first figure of a map's page with events as a mouse and a keyboard send them. A script of steps can call
 *
 * <ul>
 *   <li>{@code note(step)}: writes down the selected source, the address, the texts of the drawing and the numbers of the table
 *   <li>{@code click(level, token, grid)}, {@code send(level, token, grid, types)}: the mouse on a cell of the left (0) or right (1) map
 *   <li>{@code press(key)}, {@code button(text)}: a key; the button whose text has this in it
 *   <li>{@code pixel(level, token, grid)}, {@code picture()}: the colour of a cell's middle on a canvas; a checksum of the whole canvas
 * </ul>
 *
 * and put what it finds into {@code steps}. Downloads are not made but kept in {@code saved}, by name.
 */
final class PageDriver {
    private static final String BEFORE = """
            <script>
            (function () {
              var figure = document.getElementById('figure-1'), plot = figure.querySelector('.plot'), steps = {}, saved = {};
              function note(step) {
                var rows = Array.from(figure.querySelectorAll('details tbody tr')).reverse();
                steps[step] = { source: figure.dataset.source, hash: location.hash,
                  texts: Array.from(plot.querySelectorAll('text')).map(function (t) { return t.textContent; }),
                  values: rows.map(function (row) { return Array.from(row.querySelectorAll('td')).map(function (cell) {
                    return cell.textContent === '' ? null : Number(cell.textContent); }); }) };
              }
              function open() {
                var details = figure.querySelector('details');
                details.open = true;
                // The browser's own comes only after this task.
                details.dispatchEvent(new Event('toggle'));
              }
              function middle(level, token, grid) {
                return echarts.getInstanceByDom(plot).convertToPixel({ xAxisIndex: grid, yAxisIndex: grid }, [token, level]);
              }
              function click(level, token, grid) { send(level, token, grid, ['mousemove', 'mousedown', 'mouseup', 'click']); }
              function send(level, token, grid, types) {
                plot.scrollIntoView();
                var box = plot.getBoundingClientRect(), at = middle(level, token, grid);
                var x = box.left + at[0], y = box.top + at[1], target = document.elementFromPoint(x, y);
                types.forEach(function (type) {
                  target.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, view: window, button: 0,
                    clientX: x, clientY: y }));
                });
              }
              function press(key) { plot.dispatchEvent(new KeyboardEvent('keydown', { key: key, bubbles: true, cancelable: true })); }
              function button(text) {
                return Array.from(figure.querySelectorAll('button')).find(function (b) { return b.textContent.indexOf(text) >= 0; });
              }
              function pixel(level, token, grid) {
                var canvas = plot.querySelector('canvas'), ratio = canvas.width / canvas.clientWidth, at = middle(level, token, grid);
                return Array.from(canvas.getContext('2d').getImageData(Math.floor(at[0] * ratio), Math.floor(at[1] * ratio), 1, 1).data);
              }
              function picture() {
                var canvas = plot.querySelector('canvas'), sum = 0;
                var data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                for (var i = 0; i < data.length; i++) { sum = (31 * sum + data[i]) | 0; }
                return sum;
              }
              HTMLAnchorElement.prototype.click = function () { saved[this.download] = this.href; };
              window.addEventListener('load', function () {
            """;

    private static final String AFTER = """
                var out = document.createElement('pre');
                out.id = 'driven';
                out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify({ steps: steps, saved: saved }))));
                document.body.appendChild(out);
              });
            })();
            </script>
            </body>
            """;

    private PageDriver() {}

    /** Opens the page at a fragment of its address, runs the steps after it has loaded, and returns {@code steps} and {@code saved}. */
    static JsonNode drive(String html, String fragment, String steps, Path temporary)
            throws IOException, InterruptedException {
        Path page = Files.createTempFile(temporary, "driven", ".html");
        String driver = BEFORE + steps + AFTER;
        // The page runs its own scripts alone: this one is let in beside them, as they are.
        assertThat(html).contains("script-src 'sha256-").doesNotContain("unsafe-inline");
        Files.writeString(
                page,
                html.replaceFirst("script-src ", "script-src 'sha256-" + sha256(script(driver)) + "' ")
                        .replace("</body>\n", driver));
        Matcher matcher = Pattern.compile("<pre id=\"driven\">([^<]*)</pre>")
                .matcher(Browser.document(page, fragment, temporary));
        assertThat(matcher.find()).as("the driver came to its end").isTrue();
        return new ObjectMapper().readTree(Base64.getDecoder().decode(matcher.group(1)));
    }

    private static String script(String element) {
        int from = element.indexOf("<script>") + "<script>".length();
        return element.substring(from, element.indexOf("</script>"));
    }

    private static String sha256(String text) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder().encodeToString(sum);
        } catch (NoSuchAlgorithmException absent) {
            throw new AssertionError(absent);
        }
    }
}
