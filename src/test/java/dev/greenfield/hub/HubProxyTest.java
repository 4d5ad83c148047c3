package dev.greenfield.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The proxies that environment variables name, as other programs take them. */
class HubProxyTest {
    private static final URI HUB = URI.create("https://hub.example/x");

    private static String chosen(URI server, Map<String, String> environment) {
        Proxy proxy = new HubProxy(environment, null).select(server).get(0);
        return proxy.type() == Proxy.Type.DIRECT ? "none" : proxy.address().toString();
    }

    private static String named(String host, int port) {
        return InetSocketAddress.createUnresolved(host, port).toString();
    }

    @Test
    void variablesNameAProxyForEachScheme() {
        Map<String, String> both = Map.of("https_proxy", "http://secure:3128", "HTTP_PROXY", "plain:8080/");
        assertThat(chosen(HUB, both)).isEqualTo(named("secure", 3128));
        assertThat(chosen(URI.create("http://hub.example"), both)).isEqualTo(named("plain", 8080));
        assertThat(chosen(HUB, Map.of("ALL_PROXY", "http://all"))).isEqualTo(named("all", 80));
        assertThat(chosen(HUB, Map.of())).isEqualTo("none");
        assertThat(chosen(HUB, Map.of("https_proxy", "socks5://x:1"))).isEqualTo("none");
        assertThat(chosen(HUB, Map.of("https_proxy", "a b"))).isEqualTo("none");
    }

    @Test
    void exceptionsAreHeeded() {
        for (String hosts : List.of("*", "hub.example", "x, .example", "EXAMPLE", "*.example")) {
            assertThat(chosen(HUB, Map.of("https_proxy", "http://p:1", "no_proxy", hosts)))
                    .as(hosts)
                    .isEqualTo("none");
        }
        for (String hosts : List.of("", "ub.example", "other.example", "hub")) {
            assertThat(chosen(HUB, Map.of("https_proxy", "http://p:1", "NO_PROXY", hosts)))
                    .as(hosts)
                    .isEqualTo(named("p", 1));
        }
    }

    @Test
    void exceptionsMayHaveAPortOrBeAddresses() {
        Map<String, String> proxy =
                Map.of("http_proxy", "http://p:1", "no_proxy", "host.example:8080,fe80::1,[fe80::2]");
        assertThat(chosen(URI.create("http://host.example:8080"), proxy)).isEqualTo("none");
        assertThat(chosen(URI.create("http://[fe80::1]/x"), proxy)).isEqualTo("none");
        assertThat(chosen(URI.create("http://[fe80::2]/x"), proxy)).isEqualTo("none");
        assertThat(chosen(URI.create("http://[fe80::3]/x"), proxy)).isEqualTo(named("p", 1));
    }

    /** A token may go over plain http to this machine, and so must not pass another on its way. */
    @Test
    void thisMachineIsAskedWithoutAProxy() {
        Map<String, String> proxy = Map.of("http_proxy", "http://p:1", "all_proxy", "http://q:1");
        for (String host : List.of("localhost", "LOCALHOST", "127.0.0.1", "[::1]")) {
            assertThat(chosen(URI.create("http://" + host + ":7/x"), proxy)).isEqualTo("none");
        }
    }

    @Test
    void javasOwnProxyGoesFirst() {
        ProxySelector own = ProxySelector.of(InetSocketAddress.createUnresolved("own", 2));
        List<Proxy> chosen = new HubProxy(Map.of("https_proxy", "http://p:1"), own).select(HUB);
        assertThat(chosen.get(0).address()).hasToString(named("own", 2));
    }

    @Test
    void aFetchGoesByTheProxy(@TempDir Path temporary) throws IOException {
        byte[] small = "{}".getBytes(StandardCharsets.UTF_8);
        try (FakeHub server = new FakeHub().model("org/name", Map.of("config.json", small))) {
            Hub hub = server.hub(
                    temporary.resolve("hub"),
                    "HF_ENDPOINT",
                    "http://hub.invalid",
                    "http_proxy",
                    server.endpoint(),
                    "HF_TOKEN",
                    "hf_secret");
            HubSnapshot snapshot = HubFetch.begin(hub, HubName.of("org/name")).get(List.of("config.json"));
            assertThat(snapshot.file("config.json")).hasBinaryContent(small);
            assertThat(server.asked())
                    .isNotEmpty()
                    .allMatch(asked -> asked.path().startsWith("http://hub.invalid/"))
                    .as("a token that others could read is kept back")
                    .allMatch(asked -> asked.token() == null);
        }
    }
}
