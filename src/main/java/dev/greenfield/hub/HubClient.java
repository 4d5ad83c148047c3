package dev.greenfield.hub;

import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/**
 * Asks the hub over HTTP. Redirections are followed here and not by Java, so that the token goes to the hub's own server and to no other,
 * and never over a line that can be read on the way.
 */
final class HubClient {
    private static final Set<Integer> REDIRECTIONS = Set.of(301, 302, 303, 307, 308);
    private static final Set<Integer> PASSING = Set.of(408, 429, 500, 502, 503, 504);
    private static final int MOST_REDIRECTIONS = 8;
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final long LOOK_MILLIS = 50;
    private static final int ATTEMPTS = 4; // without a byte in between
    private static final long LONGEST_PAUSE_MILLIS = 60_000;

    private final Hub hub;
    private final URI endpoint;
    private final String token; // null for none
    private final HttpClient client;

    HubClient(Hub hub) throws IOException {
        this.hub = hub;
        this.endpoint = hub.endpoint();
        this.token = hub.token().orElse(null);
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(CONNECT)
                .proxy(hub.proxy())
                .build();
    }

    /**
     * What the server answered.
     *
     * @param other the server that it came from, where that is not the hub's own; else null
     * @param status of the last server
     * @param headers likewise
     * @param etag what the hub itself said of the bytes, before it led elsewhere; null where it said nothing that can be checked
     * @param bytes their number by the hub; -1 where it did not say
     * @param body what comes
     */
    record Answer(String other, int status, HttpHeaders headers, Etag etag, long bytes, Arrivals body)
            implements AutoCloseable {
        @Override
        public void close() {
            body.close();
        }
    }

    /** Headers by name, in any case. */
    interface HttpHeaders {
        Optional<String> get(String name);
    }

    /** A failure that may have passed when it is tried again. */
    static final class PassingException extends IOException {
        private static final long serialVersionUID = 1L;
        private final long pauseMillis; // that the server asks for; 0 for none

        PassingException(String message, Throwable cause, long pauseMillis) {
            super(message, cause);
            this.pauseMillis = pauseMillis;
        }
    }

    /** A request that may be made again. */
    interface Attempt<T> {
        T make() throws IOException;

        /** How much came so far, in all attempts: where that grows, attempts count anew. */
        default long came() {
            return 0;
        }
    }

    /** Makes attempts, with longer and longer pauses, until one succeeds or too many came to nothing. */
    <T> T patiently(Attempt<T> attempt) throws IOException {
        int failures = 0;
        while (true) {
            long before = attempt.came();
            try {
                return attempt.make();
            } catch (PassingException passing) {
                failures = attempt.came() > before ? 1 : failures + 1;
                if (failures >= ATTEMPTS) {
                    throw passing;
                }
                pause(Math.max(passing.pauseMillis, hub.pause().toMillis() << (failures - 1)));
            }
        }
    }

    private static void pause(long millis) {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.min(millis, LONGEST_PAUSE_MILLIS));
        do {
            Cancellation.check();
            try {
                Thread.sleep(Math.min(millis, LOOK_MILLIS));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt(); // the check says so
            }
        } while (System.nanoTime() - until < 0);
        Cancellation.check();
    }

    /** An address below the hub's server: a path that is encoded already. */
    URI address(String path) {
        return URI.create(endpoint + path);
    }

    /** Reads on; what breaks a transfer off may have passed when it is tried again. */
    int read(Answer answer, byte[] piece) throws IOException {
        try {
            return answer.body().read(piece);
        } catch (IOException broken) {
            throw broken(server(endpoint), broken);
        }
    }

    /** Asks for what an address holds, from a byte on. */
    Answer get(URI address, long from, Etag etag) throws IOException {
        return follow("GET", address, from, etag);
    }

    /** Asks what the hub says of a file. */
    Answer head(URI address) throws IOException {
        return follow("HEAD", address, 0, null);
    }

    private Answer follow(String method, URI first, long from, Etag expected) throws IOException {
        URI address = first;
        Etag etag = expected;
        long bytes = -1;
        for (int hop = 0; hop <= MOST_REDIRECTIONS; hop++) {
            HttpResponse<Arrivals> response = send(method, address, from);
            HttpHeaders headers = header -> response.headers().firstValue(header);
            int status = response.statusCode();
            if (ours(address)) {
                etag = said(headers, etag, status);
                bytes = size(headers, status);
            }
            boolean elsewhere = REDIRECTIONS.contains(status);
            if (!elsewhere && !PASSING.contains(status)) {
                return new Answer(
                        ours(address) ? null : server(address), status, headers, etag, bytes, response.body());
            }
            response.body().close();
            if (!elsewhere) {
                throw new PassingException(
                        server(address) + ": found HTTP " + status
                                + ", expected an answer; the server is busy or out of order, try again later",
                        null,
                        headers.get("retry-after").map(HubClient::seconds).orElse(0L) * 1000);
            }
            URI next = next(address, headers.get("location").orElse(""));
            if (method.equals("HEAD") && !ours(next)) {
                return new Answer(null, 200, headers, etag, bytes, response.body());
            }
            address = next;
        }
        throw new InputException(server(first) + ": found more than " + MOST_REDIRECTIONS
                + " redirections, expected an answer; see whether HF_ENDPOINT is a hub");
    }

    /** What the hub's headers say of the bytes: of a large file it is in a header of its own. */
    private static Etag said(HttpHeaders headers, Etag before, int status) {
        Etag linked = Etag.of(headers.get("x-linked-etag").orElse(null));
        if (linked != null) {
            return linked;
        }
        Etag own = Etag.of(headers.get("etag").orElse(null));
        return own != null && status < 300 ? own : before;
    }

    private static long size(HttpHeaders headers, int status) {
        String linked = headers.get("x-linked-size").orElse("");
        String size = linked.isEmpty() && status == 200
                ? headers.get("content-length").orElse("")
                : linked;
        return size.matches("\\d{1,18}") ? Long.parseLong(size) : -1;
    }

    private static long seconds(String given) {
        return given.matches("\\d{1,6}") ? Long.parseLong(given) : 0; // it may be a date
    }

    /** Where a redirection leads: to an address as secure as the one that it comes from. */
    static URI next(URI from, String location) {
        URI next;
        try {
            next = from.resolve(location);
        } catch (IllegalArgumentException noAddress) {
            next = null;
        }
        String scheme =
                next == null || next.getScheme() == null ? "" : next.getScheme().toLowerCase(Locale.ROOT);
        boolean secure = scheme.equals("https")
                || (scheme.equals("http") && !from.getScheme().equalsIgnoreCase("https"));
        if (location.isEmpty() || !secure || next.getHost() == null || next.getRawUserInfo() != null) {
            throw new InputException(server(from) + ": found a redirection to " + Lines.quoted(location)
                    + ", expected an address as secure as its own; see whether HF_ENDPOINT is a hub");
        }
        return next;
    }

    private HttpResponse<Arrivals> send(String method, URI address, long from) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .method(method, BodyPublishers.noBody())
                .timeout(hub.patience())
                .header("User-Agent", "greenfield")
                .header("Accept-Encoding", "identity");
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        if (sendsToken() && ours(address)) {
            request.header("Authorization", "Bearer " + token);
        }
        CompletableFuture<HttpResponse<Arrivals>> response =
                client.sendAsync(request.build(), info -> new Arrivals(hub.patience()));
        try {
            while (true) {
                Cancellation.check();
                try {
                    return response.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt(); // the check says so
                } catch (TimeoutException notYet) {
                    // Then look for a cancellation, and wait on.
                } catch (ExecutionException failed) {
                    throw unreachable(address, failed.getCause());
                }
            }
        } finally {
            response.cancel(true); // does nothing to what is complete
        }
    }

    private static IOException unreachable(URI address, Throwable failure) {
        if (failure instanceof Error fault) {
            throw fault;
        }
        boolean none = failure instanceof ConnectException
                || failure instanceof HttpTimeoutException
                || failure instanceof SSLException;
        if (!none) {
            return broken(server(address), failure);
        }
        String why = failure instanceof HttpTimeoutException
                ? "no answer in time"
                : failure.getMessage() == null ? "not to be found" : Lines.reason(failure);
        return new PassingException(
                server(address) + ": found no connection (" + why
                        + "), expected an answer; see whether this machine reaches that server, or set HF_ENDPOINT",
                failure,
                0);
    }

    private static PassingException broken(String server, Throwable failure) {
        return new PassingException(
                server + ": found a transfer that broke off (" + Lines.reason(failure)
                        + "), expected all of it; fetch again to go on from there",
                failure,
                0);
    }

    /** Whether an address is on the hub's own server. */
    private boolean ours(URI address) {
        return server(address).equals(server(endpoint));
    }

    /** Scheme, host and port. */
    private static String server(URI address) {
        String scheme = address.getScheme().toLowerCase(Locale.ROOT);
        int port = address.getPort() >= 0 ? address.getPort() : scheme.equals("https") ? 443 : 80;
        boolean usual = port == (scheme.equals("https") ? 443 : 80);
        return scheme + "://" + address.getHost().toLowerCase(Locale.ROOT) + (usual ? "" : ":" + port);
    }

    /** Whether the server is told who asks. */
    boolean sendsToken() {
        return token != null && !exposesToken();
    }

    /** Whether there is a token that is kept back, because everybody on the way could read it. */
    boolean withholdsToken() {
        return token != null && exposesToken();
    }

    private boolean exposesToken() {
        return !"https".equalsIgnoreCase(endpoint.getScheme()) && !HubProxy.loopback(endpoint.getHost());
    }

    /** The page of a model, for people. */
    String page(HubName name) {
        return endpoint + "/" + name.repository();
    }
}
