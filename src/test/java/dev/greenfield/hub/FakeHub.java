package dev.greenfield.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.greenfield.text.Digest;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * A server that answers as the Hugging Face hub does: listings, small files by itself, large ones by a redirection to another server, its
 * statuses and headers. It notes what it is asked, and can be made to misbehave.
 */
public final class FakeHub implements AutoCloseable {
    /** A commit of any model here. */
    public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    /** Leads out of a folder. */
    public static final String UP = "../";

    private static final String CDN = "/cdn/";

    /**
     * What was asked.
     *
     * @param token what it was said who asks; null for nobody
     */
    public record Asked(boolean cdn, String method, String path, String token, String range) {}

    private final HttpServer hub = server();
    private final HttpServer cdn = server();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, Map<String, byte[]>> models = new ConcurrentHashMap<>();
    private final Map<String, String> moved = new ConcurrentHashMap<>(); // old names
    private final Map<String, String> refusals = new ConcurrentHashMap<>(); // by model: status and code
    private final Map<String, String> tokens = new ConcurrentHashMap<>(); // that a model wants
    private final Map<String, byte[]> forged = new ConcurrentHashMap<>(); // sent in the place of files
    private final Set<String> revisions = ConcurrentHashMap.newKeySet();
    private final List<Asked> asked = Collections.synchronizedList(new ArrayList<>());
    private volatile int cuts; // transfers of the other server that will break off
    private volatile int cutAfter; // bytes
    private volatile int failures; // answers 503 to come
    private volatile int refused; // status of the other server for all that it is asked; 0 for none
    private volatile boolean ranges = true;
    private volatile boolean describes = true; // whether listings have sizes and digests
    private volatile long delayMillis; // before each piece of a large file
    private volatile String listing; // in the place of the true one

    /** Starts it. */
    public FakeHub() throws IOException {
        revisions.addAll(List.of("main", COMMIT, "refs/pr/1", "v1.0"));
        for (HttpServer server : List.of(hub, cdn)) {
            server.createContext("/", exchange -> {
                try (exchange) {
                    note(exchange, server == cdn);
                    if (server == cdn) {
                        large(exchange);
                    } else {
                        answer(exchange);
                    }
                }
            });
            server.setExecutor(threads);
            server.start();
        }
    }

    private static HttpServer server() {
        try {
            return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    public String endpoint() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    /** A model of these files. */
    public FakeHub model(String name, Map<String, byte[]> files) {
        models.put(name, new LinkedHashMap<>(files));
        return this;
    }

    /** A model of the files of a directory. */
    public FakeHub model(String name, Path directory) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path entry : entries.sorted().toList()) {
                files.put(entry.getFileName().toString(), Files.readAllBytes(entry));
            }
        }
        return model(name, files);
    }

    /** An old name leads to a new one. */
    public FakeHub moved(String old, String name) {
        moved.put(old, name);
        return this;
    }

    /** Everything of the model is refused, to whoever asks. */
    public FakeHub refuse(String name, int status, String code) {
        refusals.put(name, status + " " + code);
        return this;
    }

    /** The model is shown to those who have the token. */
    public FakeHub wants(String name, String token) {
        tokens.put(name, "Bearer " + token);
        return this;
    }

    /** Other bytes are sent than those that the listing names. */
    public FakeHub forge(String file, byte[] bytes) {
        forged.put(file, bytes);
        return this;
    }

    /** The next so many transfers of large files break off after so many bytes. */
    public FakeHub cut(int times, int bytes) {
        cuts = times;
        cutAfter = bytes;
        return this;
    }

    public FakeHub fail(int times) {
        failures = times;
        return this;
    }

    /** The other server refuses all. */
    public FakeHub refuseTransfers(int status) {
        refused = status;
        return this;
    }

    public FakeHub withoutRanges() {
        ranges = false;
        return this;
    }

    public FakeHub withoutSizes() {
        describes = false;
        return this;
    }

    public FakeHub slow(long millis) {
        delayMillis = millis;
        return this;
    }

    public FakeHub listing(String json) {
        listing = json;
        return this;
    }

    /** All that was asked so far. */
    public List<Asked> asked() {
        return List.copyOf(asked);
    }

    /** Which large files were sent, in whole or in part. */
    public List<Asked> transfers() {
        return asked().stream().filter(Asked::cdn).toList();
    }

    /** A hub that stands for this server, with its cache in a folder and more variables. */
    public Hub hub(Path cache, String... variables) {
        return Hub.of(environment(cache, variables)).hasty(Duration.ofSeconds(5), Duration.ofMillis(1));
    }

    /** The variables of such a hub. */
    public Map<String, String> environment(Path cache, String... variables) {
        Map<String, String> all = new HashMap<>();
        all.put("HF_HOME", cache.resolveSibling("home").toString());
        all.put("HF_HUB_CACHE", cache.toString());
        all.put("HF_ENDPOINT", endpoint());
        for (int v = 0; v < variables.length; v += 2) {
            all.put(variables[v], variables[v + 1]);
        }
        return all;
    }

    private void note(HttpExchange exchange, boolean other) {
        asked.add(new Asked(
                other,
                exchange.getRequestMethod(),
                exchange.getRequestURI().toString(),
                exchange.getRequestHeaders().getFirst("Authorization"),
                exchange.getRequestHeaders().getFirst("Range")));
    }

    private void answer(HttpExchange exchange) throws IOException {
        if (failures > 0) {
            failures--;
            send(exchange, 503, new byte[0]);
            return;
        }
        String path = exchange.getRequestURI().getRawPath();
        boolean api = path.startsWith("/api/models/");
        String rest = api ? path.substring("/api/models/".length()) : path.substring(1);
        int end = rest.indexOf(api ? "/revision/" : "/resolve/");
        String name = rest.substring(0, end);
        if (moved.containsKey(name)) {
            exchange.getResponseHeaders()
                    .set("Location", exchange.getRequestURI().toString().replace(name, moved.get(name)));
            send(exchange, 307, new byte[0]);
            return;
        }
        Map<String, byte[]> files = models.get(name);
        String token = exchange.getRequestHeaders().getFirst("Authorization");
        if (refusals.containsKey(name)) {
            String[] refusal = refusals.get(name).split(" ");
            refuse(exchange, Integer.parseInt(refusal[0]), refusal.length > 1 ? refusal[1] : "");
        } else if (files == null
                || (tokens.containsKey(name) && !tokens.get(name).equals(token))) {
            refuse(exchange, token == null || tokens.containsKey(name) ? 401 : 404, "RepoNotFound");
        } else if (api) {
            list(exchange, decoded(rest.substring(end + "/revision/".length())), files);
        } else {
            String state = rest.substring(end + "/resolve/".length());
            file(exchange, files, state.substring(state.indexOf('/') + 1));
        }
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private void list(HttpExchange exchange, String revision, Map<String, byte[]> files) throws IOException {
        if (!revisions.contains(revision)) {
            refuse(exchange, 404, "RevisionNotFound");
            return;
        }
        List<String> siblings = new ArrayList<>();
        files.forEach((file, bytes) -> siblings.add("{\"rfilename\": \"" + file + "\""
                + (!describes
                        ? ""
                        : large(file)
                                ? ", \"size\": " + bytes.length + ", \"blobId\": \"" + "0".repeat(40)
                                        + "\", \"lfs\": {\"sha256\": \"" + Digest.sha256(bytes) + "\", \"size\": "
                                        + bytes.length + ", \"pointerSize\": 134}"
                                : ", \"size\": " + bytes.length + ", \"blobId\": \"" + etag(file, bytes) + "\"")
                + "}"));
        String json = listing != null
                ? listing
                : "{\"id\": \"x\", \"sha\": \"" + COMMIT + "\", \"siblings\": [" + String.join(", ", siblings) + "]}";
        send(exchange, 200, json.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean large(String file) {
        return file.endsWith(".safetensors") || file.endsWith(".bin");
    }

    /** What the hub names the bytes by. */
    public static String etag(String file, byte[] bytes) {
        if (large(file)) {
            return Digest.sha256(bytes);
        }
        Digest digest = Digest.gitBlob(bytes.length);
        digest.write(bytes);
        return digest.hex();
    }

    private void file(HttpExchange exchange, Map<String, byte[]> files, String name) throws IOException {
        byte[] bytes = files.get(decoded(name));
        exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
        if (bytes == null) {
            refuse(exchange, 404, "EntryNotFound");
        } else if (large(name)) {
            exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + etag(name, bytes) + "\"");
            exchange.getResponseHeaders().set("X-Linked-Size", Integer.toString(bytes.length));
            exchange.getResponseHeaders()
                    .set("Location", "http://localhost:" + cdn.getAddress().getPort() + CDN + name + "?signature=1");
            send(exchange, 302, new byte[0]);
        } else {
            exchange.getResponseHeaders().set("ETag", "\"" + etag(name, bytes) + "\"");
            send(exchange, 200, forged.getOrDefault(name, bytes));
        }
    }

    private void large(HttpExchange exchange) throws IOException {
        String name = exchange.getRequestURI().getPath().substring(CDN.length());
        byte[] all = forged.getOrDefault(
                name,
                models.values().stream()
                        .map(files -> files.get(name))
                        .filter(Objects::nonNull)
                        .findFirst()
                        .orElseThrow());
        if (refused > 0) {
            send(exchange, refused, new byte[0]);
            return;
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null || !ranges ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
        if (from >= all.length && from > 0) {
            send(exchange, 416, new byte[0]);
            return;
        }
        if (from > 0) {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes " + from + "-" + (all.length - 1) + "/" + all.length);
        }
        byte[] rest = Arrays.copyOfRange(all, from, all.length);
        exchange.getResponseHeaders().set("ETag", "\"another-etag-of-the-other-server\"");
        exchange.sendResponseHeaders(from > 0 ? 206 : 200, rest.length);
        boolean cut = cuts > 0;
        cuts -= cut ? 1 : 0;
        int end = cut ? Math.min(cutAfter, rest.length) : rest.length;
        OutputStream body = exchange.getResponseBody();
        for (int at = 0; at < end; at += 1 << 14) {
            pause();
            body.write(rest, at, Math.min(1 << 14, end - at));
            body.flush();
        }
        if (!cut) {
            body.close();
        }
    }

    private void pause() throws IOException {
        try {
            Thread.sleep(delayMillis);
        } catch (InterruptedException interrupted) {
            throw new IOException(interrupted);
        }
    }

    private static void refuse(HttpExchange exchange, int status, String code) throws IOException {
        if (!code.isEmpty()) {
            exchange.getResponseHeaders().set("X-Error-Code", code);
        }
        send(exchange, status, "no".getBytes(StandardCharsets.UTF_8));
    }

    private static void send(HttpExchange exchange, int status, byte[] bytes) throws IOException {
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (head) {
            exchange.getResponseHeaders().set("Content-Length", Integer.toString(bytes.length));
        }
        exchange.sendResponseHeaders(status, head || bytes.length == 0 ? -1 : bytes.length);
        if (!head) {
            exchange.getResponseBody().write(bytes);
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        cdn.stop(0);
        threads.shutdownNow();
    }
}
