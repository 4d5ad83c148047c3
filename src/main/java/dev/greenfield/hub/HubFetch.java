package dev.greenfield.hub;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.text.Digest;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Gets files of a model from the hub into the cache. The hub is asked once what it has; all files are then of that commit. What the cache
 * has is not transferred again, and what a transfer that broke off has left is gone on with. Used by one thread.
 */
public final class HubFetch {
    private static final Pattern FILE = Pattern.compile("\\w[\\w.+ -]{0,199}");
    private static final double MEGA = 1e6;

    private final HubName name;
    private final HubClient client;
    private final HubListing listing;
    private final HubStore store;
    private final Map<String, HubListing.Entry> asked = new HashMap<>(); // with size and etag
    private final Map<String, byte[]> read = new HashMap<>(); // before they were wanted in the cache

    private HubFetch(HubName name, HubClient client, HubListing listing, HubStore store) {
        this.name = name;
        this.client = client;
        this.listing = listing;
        this.store = store;
    }

    /**
     * Asks the hub what it has.
     *
     * @throws InputException if there is no such model or revision, or this machine may not see it
     * @throws IOException if the hub cannot be reached
     */
    public static HubFetch begin(Hub hub, HubName name) throws IOException {
        if (hub.offline()) {
            throw new InputException(
                    name + ": found HF_HUB_OFFLINE set, expected to be allowed to use the network; unset it");
        }
        HubCache cache = new HubCache(hub.cache(), name);
        HubName other = name.otherName().orElse(null);
        if (other != null && !Files.isDirectory(cache.folder())) {
            HubCache second = new HubCache(hub.cache(), other);
            cache = Files.isDirectory(second.folder()) ? second : cache;
        }
        HubClient client = new HubClient(hub);
        if (client.withholdsToken()) {
            Task.note("the token is not sent to " + hub.endpoint() + ", where others could read it on the way");
        }
        HubListing listing = HubListing.of(name, client);
        return new HubFetch(name, client, listing, new HubStore(cache, listing.commit(), hub.links()));
    }

    /** The state that all files are of. */
    public String commit() {
        return listing.commit();
    }

    /** The names of all files of the model. */
    public Set<String> names() {
        return listing.files().keySet();
    }

    /** The address that people know a file by, for messages. */
    public String origin(String file) {
        return client.page(name) + "/" + Lines.one(file);
    }

    /**
     * The bytes of a small file, from the cache or from the hub, checked. Nothing is written.
     *
     * @param most how many there may be
     * @throws InputException if there are more, or not those that the hub's listing names
     */
    public byte[] read(String file, int most) throws IOException {
        byte[] known = read.get(file);
        if (known != null) {
            return known;
        }
        HubListing.Entry entry = entry(file);
        if (entry.bytes() > most) {
            throw new InputException(origin(file) + ": found " + shown(entry.bytes())
                    + ", expected a small file; this is no such model");
        }
        Path here = store.here(entry);
        byte[] bytes;
        if (here != null) {
            try (InputStream stream = Files.newInputStream(here)) {
                bytes = stream.readNBytes(most);
            }
        } else {
            bytes = WholeAnswer.bytes(client, name, file, listing.address(name, file, client), most);
            Digest digest = entry.etag().digest(bytes.length);
            digest.write(bytes);
            if (!digest.hex().equals(entry.etag().hex())) {
                throw HubDownload.wrong(origin(file));
            }
        }
        read.put(file, bytes);
        return bytes;
    }

    /**
     * Files with their sizes, and which of them the cache has.
     *
     * @throws InputException if the hub does not have one
     */
    public List<HubFile> files(Collection<String> wanted) throws IOException {
        List<HubFile> files = new ArrayList<>();
        for (String file : wanted) {
            HubListing.Entry entry = entry(file);
            files.add(new HubFile(file, entry.bytes(), store.here(entry) != null));
        }
        return files;
    }

    /**
     * Gets files into the cache, and then has the revision name this state. Files come one after the other; each is in its place when it is
     * whole and has the hub's digest.
     *
     * @throws InputException if the hub does not have one, or sends other bytes than its listing names, or the disk has no room
     * @throws IOException if the hub cannot be reached, or the transfer broke off again and again, or the cache cannot be written
     */
    public HubSnapshot get(Collection<String> wanted) throws IOException {
        List<HubListing.Entry> entries = new ArrayList<>();
        double all = 0;
        for (String file : wanted) {
            entries.add(entry(file));
            all += entry(file).bytes();
        }
        store.prepare();
        requireRoom(entries);
        return Task.call("fetch", "MB", all / MEGA, task -> {
            double done = 0;
            for (HubListing.Entry entry : entries) {
                double before = done;
                HubDownload download = new HubDownload(client, store, entry, origin(entry.name()));
                boolean came = download.run(
                        listing.address(name, entry.name(), client),
                        name,
                        read.get(entry.name()),
                        bytes -> task.kept(bytes / MEGA, (before + bytes) / MEGA),
                        bytes -> task.seen((before + bytes) / MEGA));
                done += entry.bytes();
                task.kept(came ? 0 : entry.bytes() / MEGA, done / MEGA);
            }
            store.name(name);
            return new HubSnapshot(name, commit(), store.directory());
        });
    }

    private void requireRoom(List<HubListing.Entry> entries) throws IOException {
        long missing = 0;
        for (HubListing.Entry entry : entries) {
            long more = store.here(entry) == null ? Math.max(0, entry.bytes() - store.begun(entry)) : 0;
            missing = missing > Long.MAX_VALUE - more ? Long.MAX_VALUE : missing + more;
        }
        FileStore disk = Files.getFileStore(store.directory());
        long free = disk.getUsableSpace();
        if (missing > free) {
            throw new InputException(Lines.one(store.directory().toString()) + ": found " + shown(free)
                    + " free, expected " + shown(missing)
                    + " for what is to be fetched; make room, or set HF_HUB_CACHE to a"
                    + " folder on another disk");
        }
    }

    private static String shown(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / MEGA);
    }

    /** A file with its size and etag; where the listing does not say them the hub is asked for the file itself. */
    private HubListing.Entry entry(String file) throws IOException {
        HubListing.Entry known = asked.get(file);
        if (known != null) {
            return known;
        }
        HubListing.Entry listed = listing.files().get(file);
        if (listed == null || !FILE.matcher(file).matches() || file.contains("..")) {
            throw new InputException(client.page(name) + ": found "
                    + (listed == null ? "no file " : "the name of a file ") + Lines.quoted(file)
                    + ", expected one " + (listed == null ? "of those that it lists" : "in letters and digits")
                    + "; this is no whole model");
        }
        if (listed.etag() == null || listed.bytes() < 0) {
            try (HubClient.Answer answer = client.patiently(() -> client.head(listing.address(name, file, client)))) {
                HubRefusal.check(answer, name, file, client);
                listed = new HubListing.Entry(file, answer.bytes(), answer.etag());
            }
        }
        if (listed.etag() == null || listed.bytes() < 0) {
            throw new InputException(
                    origin(file) + ": found neither size nor digest in what the hub says of it, expected"
                            + " both, to check what comes; see whether HF_ENDPOINT is a hub");
        }
        asked.put(file, listed);
        return listed;
    }
}
