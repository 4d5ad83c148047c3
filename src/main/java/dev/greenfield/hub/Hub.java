package dev.greenfield.hub;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.io.InputStream;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The Hugging Face hub as this machine is set up for it: where its cache is, which server stands for it, who asks. The environment
 * variables are those of the {@code huggingface_hub} package, with its meanings. Nothing here uses the network.
 */
public final class Hub {
    private static final String ENDPOINT = "https://huggingface.co";
    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:(\\w+)|\\{([^}]*)\\})");
    private static final Pattern TOKEN = Pattern.compile("[!-~]{1,4096}");
    private static final int MOST_OF_A_TOKEN = 1 << 13; // bytes of its file

    private final Map<String, String> environment;
    private final Path home; // of the user
    private final Duration patience; // with a transfer that stands still
    private final Duration pause; // before the first new attempt

    private Hub(Map<String, String> environment, Path home, Duration patience, Duration pause) {
        this.environment = Map.copyOf(environment);
        this.home = home;
        this.patience = patience;
        this.pause = pause;
    }

    /** As the variables of this process say. */
    public static Hub ofEnvironment() {
        return of(System.getenv());
    }

    /**
     * As these variables say: {@code HF_HUB_CACHE}, {@code HF_HOME}, {@code XDG_CACHE_HOME} for the cache; {@code HF_ENDPOINT} for the
     * server; {@code HF_TOKEN}, {@code HF_TOKEN_PATH}, {@code HF_HUB_DISABLE_IMPLICIT_TOKEN} for the token; {@code HF_HUB_OFFLINE} and
     * {@code HF_HUB_DISABLE_SYMLINKS}. What is not there has the default of {@code huggingface_hub}.
     */
    public static Hub of(Map<String, String> environment) {
        return new Hub(
                environment, Path.of(System.getProperty("user.home")), Duration.ofSeconds(60), Duration.ofSeconds(1));
    }

    /** The same, less patient. */
    Hub hasty(Duration patience, Duration pause) {
        return new Hub(environment, home, patience, pause);
    }

    Duration patience() {
        return patience;
    }

    Duration pause() {
        return pause;
    }

    /**
     * The cache that Hugging Face's programs share. It need not exist.
     *
     * @throws InputException if a variable holds what cannot be a path
     */
    public Path cache() {
        return path("HF_HUB_CACHE", path("HUGGINGFACE_HUB_CACHE", home().resolve("hub")));
    }

    private Path home() {
        return path("HF_HOME", path("XDG_CACHE_HOME", home.resolve(".cache")).resolve("huggingface"));
    }

    private Path path(String variable, Path otherwise) {
        String given = environment.get(variable);
        if (given == null || given.isEmpty()) {
            return otherwise;
        }
        try {
            return Path.of(expanded(given));
        } catch (InvalidPathException noPath) {
            throw new InputException(
                    variable + ": found " + Lines.quoted(given) + ", expected a path; correct the variable", noPath);
        }
    }

    /** With the user's folder for a tilde and the values of other variables, as Python puts them in. */
    private String expanded(String given) {
        String text = given.equals("~") || given.startsWith("~/") ? home + given.substring(1) : given;
        return VARIABLE.matcher(text).replaceAll(found -> {
            String name = found.group(1) == null ? found.group(2) : found.group(1);
            return Matcher.quoteReplacement(environment.getOrDefault(name, found.group()));
        });
    }

    /**
     * The server, without a slash at its end.
     *
     * @throws InputException if {@code HF_ENDPOINT} is no address of one
     */
    public URI endpoint() {
        String given = environment.get("HF_ENDPOINT");
        if (given == null || given.isEmpty()) {
            return URI.create(ENDPOINT);
        }
        try {
            URI address = new URI(given.replaceAll("/+$", ""));
            String scheme =
                    address.getScheme() == null ? "" : address.getScheme().toLowerCase(Locale.ROOT);
            if (address.getHost() != null
                    && (scheme.equals("https") || scheme.equals("http"))
                    && address.getRawUserInfo() == null
                    && address.getRawQuery() == null
                    && address.getRawFragment() == null) {
                return address;
            }
        } catch (URISyntaxException noAddress) {
            // Said below. The value is not repeated: it may hold a password.
        }
        throw new InputException("HF_ENDPOINT: found no address of a server, expected one such as " + ENDPOINT
                + ", without a user's name or a query; correct the variable");
    }

    /** Whether the network is not to be used, by {@code HF_HUB_OFFLINE}. */
    public boolean offline() {
        return truth(
                environment.getOrDefault("HF_HUB_OFFLINE", "").isEmpty() ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE");
    }

    /** How its server is reached. */
    ProxySelector proxy() {
        return new HubProxy(environment, ProxySelector.getDefault());
    }

    /** Whether snapshots may hold links. */
    boolean links() {
        return !truth("HF_HUB_DISABLE_SYMLINKS");
    }

    private boolean truth(String variable) {
        return TRUE.contains(environment.getOrDefault(variable, "").toUpperCase(Locale.ROOT));
    }

    /**
     * Who asks; empty for anybody. Never shown to anyone but the server.
     *
     * @throws InputException if it is no token
     */
    Optional<String> token() throws IOException {
        if (truth("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
            return Optional.empty();
        }
        for (String variable : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            String given = environment.getOrDefault(variable, "").strip();
            if (!given.isEmpty()) {
                return Optional.of(sound(given, variable));
            }
        }
        Path file = path("HF_TOKEN_PATH", home().resolve("token"));
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        byte[] bytes;
        try (InputStream stream = Files.newInputStream(file)) {
            bytes = stream.readNBytes(MOST_OF_A_TOKEN);
        }
        String stored = new String(bytes, StandardCharsets.UTF_8).strip();
        return stored.isEmpty() ? Optional.empty() : Optional.of(sound(stored, Lines.one(file.toString())));
    }

    private static String sound(String token, String where) {
        if (!TOKEN.matcher(token).matches()) {
            throw new InputException(
                    where + ": found what cannot be a token of the hub, expected one line of letters and"
                            + " digits; get a token again, or remove it");
        }
        return token;
    }

    /**
     * The states of a model's revision that the cache has: one, or none; of a model that has two names perhaps one under either. Whether
     * they have all files is not asked.
     *
     * @throws InputException if the cache is not what it should be
     */
    public List<HubSnapshot> snapshots(HubName name) throws IOException {
        List<HubSnapshot> found = new ArrayList<>();
        new HubCache(cache(), name).find().ifPresent(found::add);
        Optional<HubName> other = name.otherName();
        if (other.isPresent()) {
            new HubCache(cache(), other.get()).find().ifPresent(found::add);
        }
        return found;
    }

    /** Where the cache is and which server stands for the hub. */
    @Override
    public String toString() {
        return "Hub[cache=" + cache() + ", endpoint=" + endpoint() + ", offline=" + offline() + "]";
    }
}
