package dev.greenfield.hub;

import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Digest;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The transfer of one file. It goes on where an earlier one broke off, and keeps nothing that has not the hub's digest. */
final class HubDownload {
    private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18}|\\*)");
    private static final int CHUNK = 1 << 16; // bytes

    private final HubClient client;
    private final HubStore store;
    private final HubListing.Entry entry;
    private final String origin;

    HubDownload(HubClient client, HubStore store, HubListing.Entry entry, String origin) {
        this.client = client;
        this.store = store;
        this.entry = entry;
        this.origin = origin;
    }

    /**
     * Gets the file into the cache.
     *
     * @param known its bytes, where they are here already; else null
     * @param resumed is told how many bytes an earlier transfer has left
     * @param progress is told how many bytes there are
     * @return whether it had to be got
     */
    boolean run(URI address, HubName name, byte[] known, LongConsumer resumed, LongConsumer progress)
            throws IOException {
        try {
            return store.put(entry, partial -> fill(partial, address, name, known, resumed, progress));
        } catch (ClosedByInterruptException interrupted) { // a file whose thread is interrupted closes itself
            throw new CancelledException(
                    "the thread was interrupted: the transfer was given up, ask again to go on with it", interrupted);
        }
    }

    private void fill(
            Path partial, URI address, HubName name, byte[] known, LongConsumer resumed, LongConsumer progress)
            throws IOException {
        boolean right = false;
        try (FileChannel file = FileChannel.open(
                partial,
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                LinkOption.NOFOLLOW_LINKS)) {
            Content content = new Content(file, progress);
            content.resume();
            boolean begun = content.done > 0;
            if (begun) {
                resumed.accept(content.done);
            }
            if (known != null) {
                content.restart();
                content.add(known, known.length);
            }
            right = complete(content, address, name);
            if (!right && begun) { // what was left may be what is wrong
                content.restart();
                right = complete(content, address, name);
            }
            file.force(true);
        } finally {
            if (!right && Files.exists(partial) && Files.size(partial) == 0) {
                Files.delete(partial);
            }
        }
        if (!right) {
            Files.deleteIfExists(partial);
            throw wrong(origin);
        }
    }

    private boolean complete(Content content, URI address, HubName name) throws IOException {
        client.patiently(new HubClient.Attempt<Void>() {
            @Override
            public Void make() throws IOException {
                if (content.done < entry.bytes()) {
                    transfer(content, address, name);
                }
                return null;
            }

            @Override
            public long came() {
                return content.farthest;
            }
        });
        return content.done == entry.bytes()
                && content.digest.hex().equals(entry.etag().hex());
    }

    /** One request for what is missing. */
    private void transfer(Content content, URI address, HubName name) throws IOException {
        try (HubClient.Answer answer = client.get(address, content.done, entry.etag())) {
            if (answer.status() == 416) {
                content.restart();
                throw new HubClient.PassingException(
                        origin + ": found HTTP 416 to a request for the rest of the file, expected the rest; try again",
                        null,
                        0);
            }
            HubRefusal.check(answer, name, entry.name(), client);
            if (answer.etag() != null && !answer.etag().equals(entry.etag()) && sameKind(answer.etag())) {
                throw new InputException(
                        origin + ": found the etag " + answer.etag().hex() + ", expected "
                                + entry.etag().hex() + " as the hub's listing has it; try again later");
            }
            if (answer.status() == 200) {
                content.restart(); // the server sends the whole, whatever was asked for
            } else {
                requireRest(answer, content.done);
            }
            byte[] piece = new byte[CHUNK];
            for (int n = client.read(answer, piece); n >= 0; n = client.read(answer, piece)) {
                if (n > entry.bytes() - content.done) {
                    content.restart();
                    throw new InputException(origin + ": found more than the " + entry.bytes()
                            + " bytes that the hub's listing has, expected as many; nothing was kept, try again later");
                }
                content.add(piece, n);
            }
        }
        if (content.done < entry.bytes()) {
            throw new HubClient.PassingException(
                    origin + ": found the end of the transfer after " + content.done + " of " + entry.bytes()
                            + " bytes, expected all; fetch again to go on from there",
                    null,
                    0);
        }
    }

    private boolean sameKind(Etag other) {
        return other.hex().length() == entry.etag().hex().length();
    }

    private void requireRest(HubClient.Answer answer, long from) {
        String range = answer.headers().get("content-range").orElse("");
        Matcher matcher = RANGE.matcher(range);
        boolean fits = matcher.matches()
                && Long.parseLong(matcher.group(1)) == from
                && (matcher.group(2).equals("*") || Long.parseLong(matcher.group(2)) == entry.bytes());
        if (!fits) {
            throw new InputException(origin + ": found the range " + Lines.quoted(range) + ", expected bytes from "
                    + from + " on of " + entry.bytes() + "; try again later");
        }
    }

    /** The error for bytes that are not what the hub's listing names. */
    static InputException wrong(String origin) {
        return new InputException(
                origin + ": found other bytes than the hub's listing names (their digest differs), expected"
                        + " those; nothing was kept. Fetch again, and see whether something on the way changes files");
    }

    /** What of the file is here, with its digest so far. */
    private final class Content {
        private final FileChannel file;
        private final LongConsumer progress;
        private Digest digest = entry.etag().digest(entry.bytes());
        private long done;
        private long farthest; // of all attempts: what comes once more is no progress

        Content(FileChannel file, LongConsumer progress) {
            this.file = file;
            this.progress = progress;
        }

        /** Takes what an earlier transfer has left. */
        void resume() throws IOException {
            if (file.size() > entry.bytes()) {
                restart();
            }
            ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
            while (file.read(buffer, done) > 0) {
                digest.write(buffer.array(), 0, buffer.position());
                done += buffer.position();
                buffer.clear();
                Cancellation.check();
            }
        }

        void restart() throws IOException {
            file.truncate(0);
            digest = entry.etag().digest(entry.bytes());
            done = 0;
        }

        void add(byte[] bytes, int count) throws IOException {
            ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
            for (long at = done; buffer.hasRemaining(); ) {
                at += file.write(buffer, at);
            }
            digest.write(bytes, 0, count);
            done += count;
            farthest = Math.max(farthest, done);
            progress.accept(done);
        }
    }
}
