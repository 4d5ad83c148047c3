package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.hub.Hub;
import dev.greenfield.hub.HubFetch;
import dev.greenfield.hub.HubFile;
import dev.greenfield.hub.HubName;
import dev.greenfield.hub.HubSnapshot;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.text.Lines;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A model of the Hugging Face hub that is to be brought into the cache, in two steps, so that one can see what would come:
 *
 * <pre>{@code
 * ModelFetch fetch = ModelFetch.of("openai-community/gpt2"); // asks the hub, writes nothing
 * fetch.files().forEach(System.out::println);
 * HubSnapshot snapshot = fetch.run();
 * }</pre>
 *
 * <p>Only the files come that {@link ModelSource} opens a model by. A model that cannot be opened is refused before its weights come. Used
 * by one thread.
 */
public final class ModelFetch {
    private final HubSnapshot whole; // what the cache has, where that needs no question; else null
    private final HubFetch transfer; // null likewise
    private final List<String> needed;

    private ModelFetch(HubSnapshot whole, HubFetch transfer, List<String> needed) {
        this.whole = whole;
        this.transfer = transfer;
        this.needed = needed;
    }

    /**
     * Finds out what a model needs, from the hub as this process's environment says.
     *
     * @param name {@code org/name} or {@code org/name@revision}
     * @throws InputException if the hub has no such model, or it cannot be opened here
     * @throws IOException if the hub cannot be reached
     */
    public static ModelFetch of(String name) throws IOException {
        return of(HubName.of(Objects.requireNonNull(name, "name")), Hub.ofEnvironment());
    }

    /**
     * Likewise from a hub that is set up otherwise. The hub is not asked for a commit that the cache has whole, nor where it is offline.
     */
    public static ModelFetch of(HubName name, Hub hub) throws IOException {
        for (HubSnapshot here : hub.snapshots(name)) {
            ModelFiles files = new ModelFiles.Directory(here.directory(), here);
            boolean still = hub.offline() || here.commit().equals(name.revision());
            if (still && NeededFiles.missing(files) == null) {
                return new ModelFetch(here, null, NeededFiles.of(files));
            }
        }
        HubFetch transfer = HubFetch.begin(hub, name);
        return new ModelFetch(null, transfer, NeededFiles.of(new Remote(transfer)));
    }

    /** The state of the model, 40 hexadecimal digits. */
    public String commit() {
        return whole != null ? whole.commit() : transfer.commit();
    }

    /** The files that the model needs, with their sizes, and which of them the cache has. */
    public List<HubFile> files() throws IOException {
        if (whole == null) {
            return transfer.files(needed);
        }
        List<HubFile> files = new ArrayList<>();
        for (String file : needed) {
            files.add(new HubFile(file, Files.size(whole.file(file)), true));
        }
        return files;
    }

    /**
     * Brings them into the cache. It tells a {@link dev.greenfield.failure.Progress.Listener} how far it is, and stops when it is cancelled;
     * what came so far is gone on with the next time.
     *
     * @return where they are
     * @throws InputException if the hub sends other bytes than it says, or the disk has no room
     * @throws IOException if the hub cannot be reached, or the cache cannot be written
     */
    public HubSnapshot run() throws IOException {
        return whole != null ? whole : transfer.get(needed);
    }

    /** The files of a model on the hub, of which small ones can be read. */
    private record Remote(HubFetch transfer) implements ModelFiles {
        @Override
        public boolean has(String name) {
            return transfer.names().contains(name);
        }

        @Override
        public InputStream stream(String name) throws IOException {
            return new ByteArrayInputStream(transfer.read(name, name.equals(CONFIG) ? MOST_SETTINGS : MOST_INDEX));
        }

        @Override
        public Safetensors tensors(String name) throws IOException {
            throw new IOException(origin(name) + ": weights are read when they are in the cache");
        }

        @Override
        public String origin(String name) {
            return Lines.one(transfer.origin(name));
        }
    }
}
