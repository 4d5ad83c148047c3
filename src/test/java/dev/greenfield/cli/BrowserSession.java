package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One Chromium without a window for many pages, widths and colour schemes, told what to do by the DevTools protocol. Pages run under
 * their own content security policy; what is evaluated in them does not.
 */
final class BrowserSession implements AutoCloseable {
    private static final long SECONDS = 60;
    private static final Pattern ADDRESS = Pattern.compile("DevTools listening on (ws://\\S+)");

    private final ObjectMapper json = new ObjectMapper();
    private final Map<Integer, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();
    private final Process process;
    private final WebSocket socket;
    private final String session;
    private volatile CompletableFuture<Void> loaded = new CompletableFuture<>();
    private int calls;

    /** Skips the calling test, and says why, where no browser is installed. */
    static BrowserSession start(Path temporary) throws Exception {
        List<String> command = new ArrayList<>(List.of(Browser.program().toString()));
        command.addAll(Browser.OPTIONS);
        command.addAll(
                List.of("--remote-debugging-port=0", "--user-data-dir=" + temporary.resolve("profile"), "about:blank"));
        return new BrowserSession(new ProcessBuilder(command).start());
    }

    private BrowserSession(Process process) throws Exception {
        this.process = process;
        BufferedReader said = process.errorReader();
        String address = null;
        for (String line = said.readLine(); line != null && address == null; line = said.readLine()) {
            Matcher matcher = ADDRESS.matcher(line);
            address = matcher.find() ? matcher.group(1) : null;
        }
        assertThat(address).as("the browser's address").isNotNull();
        // Nobody waits for a browser whose pipe is full.
        Thread drain = new Thread(() -> said.lines().forEach(line -> {}), "browser's messages");
        drain.setDaemon(true);
        drain.start();
        socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(URI.create(address), new Answers())
                .get(SECONDS, TimeUnit.SECONDS);
        String target = call(null, "Target.createTarget", Map.of("url", "about:blank"))
                .path("targetId")
                .asText();
        session = call(null, "Target.attachToTarget", Map.of("targetId", target, "flatten", true))
                .path("sessionId")
                .asText();
        call("Page.enable", Map.of());
    }

    private final class Answers implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                take(text.toString());
                text.setLength(0);
            }
            from.request(1);
            return null;
        }
    }

    private void take(String message) {
        try {
            JsonNode answer = json.readTree(message);
            if (answer.has("id")) {
                pending.remove(answer.get("id").asInt()).complete(answer);
            } else if (answer.path("method").asText().equals("Page.loadEventFired")) {
                loaded.complete(null);
            }
        } catch (IOException malformed) {
            throw new AssertionError(malformed);
        }
    }

    private JsonNode call(String method, Map<String, Object> parameters) throws Exception {
        return call(session, method, parameters);
    }

    private JsonNode call(String of, String method, Map<String, Object> parameters) throws Exception {
        int id = ++calls;
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        pending.put(id, answer);
        Map<String, Object> message = new HashMap<>(Map.of("id", id, "method", method, "params", parameters));
        if (of != null) {
            message.put("sessionId", of);
        }
        socket.sendText(json.writeValueAsString(message), true).get(SECONDS, TimeUnit.SECONDS);
        JsonNode node = answer.get(SECONDS, TimeUnit.SECONDS);
        assertThat(node.has("error")).as("%s: %s", method, node.path("error")).isFalse();
        return node.path("result");
    }

    /** How wide the window is in pixels and whether the reader's system is dark; a page that is open is laid out anew. */
    void show(int width, boolean dark) throws Exception {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", false));
        call(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    }

    /** Opens a page and waits until its scripts have run. */
    void open(Path page, String fragment) throws Exception {
        // The same page at another fragment would only be scrolled.
        navigate("about:blank");
        navigate(page.toUri() + fragment);
    }

    private void navigate(String address) throws Exception {
        loaded = new CompletableFuture<>();
        call("Page.navigate", Map.of("url", address));
        loaded.get(SECONDS, TimeUnit.SECONDS);
    }

    /** What an expression is in the page; of a promise, what it comes to. */
    JsonNode evaluate(String expression) throws Exception {
        JsonNode result =
                call("Runtime.evaluate", Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
        assertThat(result.has("exceptionDetails"))
                .as("%s", result.path("exceptionDetails"))
                .isFalse();
        return result.path("result").path("value");
    }

    /** Ends the browser and all its processes, which would still write to its folder. */
    @Override
    public void close() throws Exception {
        List<ProcessHandle> all = process.descendants().toList();
        call(null, "Browser.close", Map.of());
        socket.abort();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        for (ProcessHandle one : all) {
            one.onExit().get(10, TimeUnit.SECONDS);
        }
    }
}
