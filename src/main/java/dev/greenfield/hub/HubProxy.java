package dev.greenfield.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Which proxy leads to a server: Java's own where its system properties name one, else that of the environment variables which other
 * programs heed, {@code https_proxy}, {@code http_proxy}, {@code all_proxy} and {@code no_proxy}, in small letters or capitals.
 */
final class HubProxy extends ProxySelector {
    private static final List<Proxy> NONE = List.of(Proxy.NO_PROXY);

    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

    private final Map<String, String> environment;
    private final ProxySelector java;

    HubProxy(Map<String, String> environment, ProxySelector java) {
        this.environment = environment;
        this.java = java;
    }

    @Override
    public List<Proxy> select(URI server) {
        List<Proxy> own = java == null ? NONE : java.select(server);
        if (own.stream().anyMatch(proxy -> proxy.type() != Proxy.Type.DIRECT)
                || loopback(server.getHost())
                || excepted(server.getHost())) {
            return own; // this machine's own servers are not asked through another, which would see the token
        }
        String given = variable(server.getScheme().toLowerCase(Locale.ROOT) + "_proxy");
        Proxy proxy = proxy(given.isEmpty() ? variable("all_proxy") : given);
        return proxy == null ? own : List.of(proxy);
    }

    /** Whether a host is this machine itself. */
    static boolean loopback(String host) {
        return LOOPBACK.contains(host.toLowerCase(Locale.ROOT));
    }

    private String variable(String name) {
        String small = environment.getOrDefault(name, "");
        return small.isEmpty() ? environment.getOrDefault(name.toUpperCase(Locale.ROOT), "") : small;
    }

    /** Whether {@code no_proxy} has the host, or a domain that it is in. */
    private boolean excepted(String host) {
        String name = host.toLowerCase(Locale.ROOT).replaceAll("[\\[\\]]", "");
        for (String entry : variable("no_proxy").split(",", -1)) {
            String domain = entry.strip()
                    .toLowerCase(Locale.ROOT)
                    .replaceFirst("^\\*?\\.", "")
                    .replaceFirst("^([^:]*):[0-9]+$", "$1")
                    .replaceAll("[\\[\\]]", "");
            if (!domain.isEmpty() && (domain.equals("*") || name.equals(domain) || name.endsWith("." + domain))) {
                return true;
            }
        }
        return false;
    }

    /** An HTTP proxy; null for what is none. */
    private static Proxy proxy(String given) {
        try {
            URI address = URI.create(given.contains("://") ? given : "http://" + given);
            boolean secure = "https".equalsIgnoreCase(address.getScheme());
            if (address.getHost() == null || !(secure || "http".equalsIgnoreCase(address.getScheme()))) {
                return null;
            }
            int port = address.getPort() >= 0 ? address.getPort() : secure ? 443 : 80;
            return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(address.getHost(), port));
        } catch (IllegalArgumentException noAddress) {
            return null;
        }
    }

    @Override
    public void connectFailed(URI server, SocketAddress proxy, IOException failure) {
        if (java != null) {
            java.connectFailed(server, proxy, failure);
        }
    }
}
