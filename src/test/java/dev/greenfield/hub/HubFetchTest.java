package dev.greenfield.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Progress;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Transfers from a server that answers as the hub does, and that misbehaves as networks and servers do. */
@Tag("slow")
class HubFetchTest {
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";
    private static final List<String> BOTH = List.of(CONFIG, WEIGHTS);
    private static final HubName NAME = HubName.of("org/name");
    private static final byte[] SMALL = "{\"a\": 1}".getBytes(StandardCharsets.UTF_8);
    private static final byte[] LARGE = new byte[300_000];

    @TempDir
    private Path temporary;

    private FakeHub server;
    private Path cache;

    @BeforeEach
    void start() throws IOException {
        new Random(1).nextBytes(LARGE);
        server = new FakeHub().model("org/name", Map.of(CONFIG, SMALL, WEIGHTS, LARGE, "README.md", SMALL));
        cache = temporary.resolve("hub");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private HubSnapshot fetch(String... variables) throws IOException {
        return HubFetch.begin(server.hub(cache, variables), NAME).get(BOTH);
    }

    private Path repository() {
        return cache.resolve("models--org--name");
    }

    private Path blob(String file, byte[] bytes) {
        return repository().resolve("blobs").resolve(FakeHub.etag(file, bytes));
    }

    private List<String> blobs() throws IOException {
        try (Stream<Path> files = Files.list(repository().resolve("blobs"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static void assertWhole(HubSnapshot snapshot) throws IOException {
        assertThat(snapshot.file(CONFIG)).hasBinaryContent(SMALL);
        assertThat(snapshot.file(WEIGHTS)).hasBinaryContent(LARGE);
    }

    @Test
    void theCacheIsLaidOutAsItsOtherUsersExpect() throws IOException {
        HubSnapshot snapshot = fetch();
        assertWhole(snapshot);
        assertThat(snapshot.commit()).isEqualTo(FakeHub.COMMIT);
        assertThat(snapshot.directory())
                .isEqualTo(repository().resolve("snapshots").resolve(FakeHub.COMMIT));
        assertThat(repository().resolve("refs/main")).hasContent(FakeHub.COMMIT);
        assertThat(Files.size(repository().resolve("refs/main"))).isEqualTo(40);
        assertThat(blob(WEIGHTS, LARGE)).hasBinaryContent(LARGE);
        assertThat(Files.readSymbolicLink(snapshot.directory().resolve(CONFIG)))
                .isEqualTo(Path.of(FakeHub.UP + FakeHub.UP + "blobs").resolve(FakeHub.etag(CONFIG, SMALL)));
        assertThat(blobs()).hasSize(2);
        assertThat(cache.resolve(".locks/models--org--name/" + FakeHub.etag(WEIGHTS, LARGE) + ".lock"))
                .exists();
        assertThat(snapshot.has("README.md")).isFalse();
        assertThat(server.hub(cache).snapshots(NAME)).containsExactly(snapshot);
    }

    @Test
    void whatIsHereIsNotTransferredAgain() throws IOException {
        HubFetch first = HubFetch.begin(server.hub(cache), NAME);
        assertThat(first.files(BOTH))
                .containsExactly(new HubFile(CONFIG, SMALL.length, false), new HubFile(WEIGHTS, LARGE.length, false));
        assertThat(cache).doesNotExist();
        first.get(BOTH);
        int before = server.asked().size();
        HubFetch again = HubFetch.begin(server.hub(cache), NAME);
        assertThat(again.files(BOTH)).allMatch(HubFile::here);
        assertWhole(again.get(BOTH));
        assertThat(server.asked()).hasSize(before + 1); // the listing

        // The bytes are enough: another revision of the same files.
        HubSnapshot other = HubFetch.begin(server.hub(cache), HubName.of("org/name@refs/pr/1"))
                .get(BOTH);
        assertWhole(other);
        assertThat(server.transfers()).hasSize(1);
        assertThat(repository().resolve("refs/refs/pr/1")).hasContent(FakeHub.COMMIT);
        Files.delete(other.directory().resolve(WEIGHTS));
        assertWhole(fetch());
        assertThat(server.transfers()).hasSize(1);
    }

    @Test
    void theTokenGoesToTheHubOnly() throws IOException {
        server.wants("org/name", "hf_secret");
        assertWhole(fetch("HF_TOKEN", "hf_secret"));
        assertThat(server.asked().stream().filter(asked -> !asked.cdn()))
                .hasSizeGreaterThanOrEqualTo(3)
                .allMatch(asked -> asked.token().equals("Bearer hf_secret"));
        assertThat(server.transfers()).hasSize(1).allMatch(asked -> asked.token() == null);
    }

    /** Everybody on the way can read what is sent without encryption. */
    @Test
    void theTokenIsKeptBackWhereOthersCouldReadIt() throws IOException {
        Hub plain = Hub.of(Map.of("HF_ENDPOINT", "http://hub.example", "HF_TOKEN", "hf_secret"));
        assertThat(new HubClient(plain).sendsToken()).isFalse();
        assertThat(new HubClient(plain).withholdsToken()).isTrue();
        assertThat(new HubClient(Hub.of(Map.of("HF_TOKEN", "hf_secret"))).sendsToken())
                .isTrue();
    }

    @Test
    void aTransferThatBreaksOffGoesOnByItself() throws IOException {
        server.cut(2, 100_000);
        assertWhole(fetch());
        assertThat(server.transfers())
                .extracting(FakeHub.Asked::range)
                .containsExactly(null, "bytes=100000-", "bytes=200000-");
        assertThat(blobs()).hasSize(2);
    }

    @Test
    void aTransferThatFailedGoesOnTheNextTime() throws IOException {
        server.cut(1000, 0);
        Path partial = Files.createDirectories(repository().resolve("blobs"))
                .resolve(FakeHub.etag(WEIGHTS, LARGE) + ".greenfield.incomplete");
        Files.write(partial, java.util.Arrays.copyOf(LARGE, 70_000));
        assertThatThrownBy(this::fetch)
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("found a transfer that broke off", "fetch again");
        assertThat(partial).hasSize(70_000);
        assertThat(repository().resolve("refs/main")).doesNotExist();
        server.cut(0, 0);
        assertWhole(fetch());
        assertThat(server.transfers().get(server.transfers().size() - 1).range())
                .isEqualTo("bytes=70000-");
        assertThat(blobs()).hasSize(2);
    }

    @Test
    void whatWasLeftMayBeWrong() throws IOException {
        Path partial = Files.createDirectories(repository().resolve("blobs"))
                .resolve(FakeHub.etag(WEIGHTS, LARGE) + ".greenfield.incomplete");
        Files.write(partial, new byte[70_000]);
        assertWhole(fetch());
        assertThat(server.transfers()).extracting(FakeHub.Asked::range).containsExactly("bytes=70000-", null);
        Files.delete(blob(WEIGHTS, LARGE));
        Files.write(partial, new byte[LARGE.length + 1]);
        assertWhole(fetch());
        Files.delete(blob(WEIGHTS, LARGE));
        Files.write(partial, LARGE); // whole already
        assertWhole(fetch());
        assertThat(server.transfers()).hasSize(3);
    }

    @Test
    void aServerWithoutRangesSendsTheWhole() throws IOException {
        server.withoutRanges().cut(1, 100_000);
        assertWhole(fetch());
        assertThat(server.transfers()).hasSize(2);
    }

    /** What comes once more is no progress, however often it comes. */
    @Test
    void aServerThatBreaksOffAtTheSamePlaceIsGivenUp() {
        server.withoutRanges().cut(1000, 100_000);
        assertThatThrownBy(this::fetch).isInstanceOf(IOException.class);
        assertThat(server.transfers()).hasSizeLessThan(10);
    }

    @Test
    void aBusyServerIsAskedAgain() throws IOException {
        server.fail(3);
        assertWhole(fetch());
        server.fail(1000);
        assertThatThrownBy(this::fetch)
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("HTTP 503", "try again later");
    }

    @Test
    void wrongBytesAreNotKept() throws IOException {
        byte[] other = LARGE.clone();
        other[5]++;
        server.forge(WEIGHTS, other);
        assertThatThrownBy(this::fetch)
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(WEIGHTS, "digest differs", "nothing was kept");
        assertThat(blobs()).containsExactly(FakeHub.etag(CONFIG, SMALL));
        assertThat(server.hub(cache).snapshots(NAME)).isEmpty();

        server.forge(WEIGHTS, java.util.Arrays.copyOf(LARGE, LARGE.length + 1));
        assertThatThrownBy(this::fetch)
                .isInstanceOf(InputException.class)
                .hasMessageContaining("found more than the 300000 bytes");
        assertThat(blobs()).hasSize(1);

        server.forge(CONFIG, "{\"a\": 2}".getBytes(StandardCharsets.UTF_8));
        Files.delete(blob(CONFIG, SMALL));
        assertThatThrownBy(this::fetch).isInstanceOf(InputException.class).hasMessageContaining("digest differs");
        assertThatThrownBy(() -> HubFetch.begin(server.hub(cache), NAME).read(CONFIG, 1000))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("digest differs");
        assertThat(blobs()).isEmpty();
    }

    @Test
    void refusalsSayWhatToDo() {
        server.model("org/gated", Map.of(CONFIG, SMALL))
                .model("org/closed", Map.of(CONFIG, SMALL))
                .model("org/private", Map.of(CONFIG, SMALL));
        server.refuse("org/gated", 401, "GatedRepo")
                .refuse("org/closed", 403, "GatedRepo")
                .wants("org/private", "hf_right");
        assertRefused("org/none", "no public model", "correct the name", "token");
        assertRefused("org/private", "no public model", "HF_TOKEN");
        assertRefused("org/gated", "accept them on that page", "org/gated", "HF_TOKEN");
        assertRefused("org/closed", "has not let you in", "accept the terms");
        assertRefused("org/name@v2", "no revision \"v2\"", "correct what follows the @");
        assertThatThrownBy(() -> HubFetch.begin(server.hub(cache, "HF_TOKEN", "hf_wrong"), HubName.of("org/private")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("the token that is set here is not valid")
                .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("hf_wrong"));
        assertThatThrownBy(() -> HubFetch.begin(server.hub(cache, "HF_TOKEN", "hf_any"), HubName.of("org/none")))
                .hasMessageContaining("there is no such model");
        assertThatThrownBy(() -> HubFetch.begin(server.hub(cache), NAME).get(List.of("none.json")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no file \"none.json\"");
        assertThat(cache).doesNotExist();
    }

    /** It is no owner of a model who refuses there. */
    @Test
    void refusalsOfAnotherServerNameIt() {
        server.refuseTransfers(403);
        assertThatThrownBy(this::fetch)
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("http://localhost:")
                .hasMessageContainingAll("HTTP 403", "org/name's model.safetensors", "may use that server");
    }

    private void assertRefused(String name, String... words) {
        assertThatThrownBy(() -> HubFetch.begin(server.hub(cache), HubName.of(name)))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(words)
                .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("\n"));
    }

    @Test
    void offlineNothingIsAsked() {
        assertThatThrownBy(() -> fetch("HF_HUB_OFFLINE", "1"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("HF_HUB_OFFLINE");
        assertThat(server.asked()).isEmpty();
    }

    @Test
    void noServerIsSaidInOneLine() {
        server.close();
        assertThatThrownBy(this::fetch)
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(server.endpoint(), "no connection", "HF_ENDPOINT");
    }

    @Test
    void listingsWithoutDigestsAreFilledFromTheFiles() throws IOException {
        server.withoutSizes();
        assertWhole(fetch());
        assertThat(server.asked()).extracting(FakeHub.Asked::method).contains("HEAD");
        assertThat(blobs()).contains(FakeHub.etag(WEIGHTS, LARGE));
    }

    @Test
    void hostileListingsAreRefused() {
        String file = "{\"sha\": \"" + FakeHub.COMMIT
                + "\", \"siblings\": [{\"rfilename\": \"%s\", \"size\": 1, \"blobId\": \"" + "a".repeat(40) + "\"}]}";
        for (String name : new String[] {FakeHub.UP + "x", "/etc/passwd", "a/b", "a\\u0000b", "..", "a\\\\b"}) {
            server.listing(file.formatted(name));
            String plain = name.replace("\\u0000", "\u0000").replace("\\\\", "\\");
            assertThatThrownBy(() -> HubFetch.begin(server.hub(cache), NAME).get(List.of(plain)))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("expected one in letters and digits");
        }
        for (String listing : new String[] {
            "{\"sha\": \"" + FakeHub.UP + "x\", \"siblings\": []}",
            "{\"siblings\": []}",
            "{\"sha\": \"" + FakeHub.COMMIT + "\"}",
            "[]",
            "",
            "{"
        }) {
            server.listing(listing);
            assertThatThrownBy(() -> HubFetch.begin(server.hub(cache), NAME)).isInstanceOf(InputException.class);
        }
        server.listing(" ".repeat((1 << 22) + 1));
        assertThatThrownBy(() -> HubFetch.begin(server.hub(cache), NAME))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("more than 4 MiB");
        server.listing(file.formatted(WEIGHTS).replace("\"size\": 1,", "\"size\": " + (1L << 60) + ","));
        assertThatThrownBy(() -> HubFetch.begin(server.hub(cache), NAME).get(List.of(WEIGHTS)))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("free", "make room", "HF_HUB_CACHE");
    }

    @Test
    void redirectionsStayAsSecureAsTheyWere() {
        URI from = URI.create("https://hub.example/a/b");
        assertThat(HubClient.next(from, "/c")).hasToString("https://hub.example/c");
        assertThat(HubClient.next(from, "https://cdn.example/x?y=1")).hasToString("https://cdn.example/x?y=1");
        assertThat(HubClient.next(URI.create("http://hub.example/a"), "http://cdn.example/"))
                .hasToString("http://cdn.example/");
        for (String wrong : List.of(
                "",
                "http://hub.example/c",
                "ftp://x/",
                "file:///etc/passwd",
                "https://me@x/",
                "https:///x",
                "a b",
                "%")) {
            assertThatThrownBy(() -> HubClient.next(from, wrong))
                    .isInstanceOf(InputException.class)
                    .hasMessageStartingWith("https://hub.example: found a redirection to ");
        }
        server.moved("org/loop", "org/loop");
        assertRefused("org/loop", "more than 8 redirections");
    }

    @Test
    void twoAtOnceTransferOnce() throws Exception {
        server.slow(20);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<Future<HubSnapshot>> both = List.of(threads.submit(() -> fetch()), threads.submit(() -> fetch()));
            for (Future<HubSnapshot> one : both) {
                assertWhole(one.get());
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(server.transfers()).hasSize(1);
        assertThat(blobs()).hasSize(2);
    }

    @Test
    void withoutLinksTheBytesStandInTheSnapshot() throws IOException {
        HubSnapshot snapshot = fetch("HF_HUB_DISABLE_SYMLINKS", "1");
        assertWhole(snapshot);
        for (String file : BOTH) {
            assertThat(Files.isRegularFile(snapshot.directory().resolve(file), LinkOption.NOFOLLOW_LINKS))
                    .isTrue();
        }
        assertThat(HubFetch.begin(server.hub(cache, "HF_HUB_DISABLE_SYMLINKS", "1"), NAME)
                        .files(BOTH))
                .allMatch(HubFile::here);

        // Bytes that another state may need stay where they are.
        Files.copy(snapshot.file(WEIGHTS), blob(WEIGHTS, LARGE));
        Files.delete(snapshot.directory().resolve(WEIGHTS));
        assertWhole(fetch("HF_HUB_DISABLE_SYMLINKS", "1"));
        assertThat(blob(WEIGHTS, LARGE)).hasBinaryContent(LARGE);
        assertThat(server.transfers()).hasSize(1);
    }

    @Test
    void aFetchTellsHowFarItIsAndStops() throws Exception {
        server.slow(50);
        List<Progress> heard = new ArrayList<>();
        Cancellation stop = Cancellation.create();
        Progress.Listener listener = new Progress.Listener() {
            @Override
            public void at(Progress progress) {
                heard.add(progress);
                if (progress.done() > 0.1) {
                    stop.cancel();
                }
            }

            @Override
            public double everySeconds() {
                return 0;
            }
        };
        assertThatThrownBy(() -> stop.call(() -> Progress.watched(listener, () -> fetch())))
                .isInstanceOf(CancelledException.class);
        assertThat(heard.get(heard.size() - 1).total()).isEqualTo((SMALL.length + LARGE.length) / 1e6);
        assertThat(heard).allMatch(progress -> progress.unit().equals("MB"));
        server.slow(0);
        assertWhole(fetch());
        assertThat(server.transfers().get(1).range()).startsWith("bytes=");
    }

    @Test
    void anInterruptStopsAFetch() throws Exception {
        server.slow(200);
        List<Throwable> failures = new ArrayList<>();
        Thread thread = new Thread(() -> {
            try {
                fetch();
            } catch (IOException | RuntimeException failure) {
                failures.add(failure);
            }
        });
        thread.start();
        while (server.transfers().isEmpty()) {
            Thread.sleep(5);
        }
        thread.interrupt();
        thread.join(10_000);
        assertThat(failures).hasSize(1).first().isInstanceOf(CancelledException.class);
    }

    @Test
    void aServerThatStandsStillIsGivenUp() {
        server.slow(60_000);
        Hub hasty = server.hub(cache).hasty(java.time.Duration.ofMillis(300), java.time.Duration.ofMillis(1));
        assertThatThrownBy(() -> HubFetch.begin(hasty, NAME).get(BOTH))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("nothing came");
    }

    @Test
    void oldNamesLeadOnAndUseTheFolderThatIsThere() throws IOException {
        server.model("openai-community/gpt2", Map.of(CONFIG, SMALL, WEIGHTS, LARGE))
                .moved("gpt2", "openai-community/gpt2");
        HubSnapshot first =
                HubFetch.begin(server.hub(cache), HubName.of("gpt2")).get(BOTH);
        assertThat(first.directory()).startsWith(cache.resolve("models--gpt2"));
        HubSnapshot second = HubFetch.begin(server.hub(cache), HubName.of("openai-community/gpt2"))
                .get(BOTH);
        assertThat(second.directory()).isEqualTo(first.directory());
        assertThat(server.transfers()).hasSize(1);
    }
}
