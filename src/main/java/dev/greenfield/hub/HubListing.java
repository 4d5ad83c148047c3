package dev.greenfield.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the hub has of a model at a revision.
 *
 * @param commit the state that the revision names now
 * @param files by name
 */
record HubListing(String commit, Map<String, Entry> files) {
    private static final int MOST_BYTES = 1 << 22; // ten thousand files take half of it, a tree thirty times as many

    /**
     * A file.
     *
     * @param bytes its size; -1 where the listing does not say
     * @param etag what its bytes are; null likewise
     */
    record Entry(String name, long bytes, Etag etag) {}

    /**
     * Asks for it.
     *
     * @throws InputException if there is no such model or revision, or this machine may not see it
     */
    static HubListing of(HubName name, HubClient client) throws IOException {
        URI address = client.address(
                "/api/models/" + name.repository() + "/revision/" + encoded(name.revision()) + "?blobs=true");
        String origin = address.toString();
        JsonNode tree = Json.parse(WholeAnswer.bytes(client, name, null, address, MOST_BYTES), origin);
        String commit = tree.path("sha").asText("");
        if (!HubName.isCommit(commit) || !tree.path("siblings").isArray()) {
            throw new InputException(origin + ": found "
                    + (HubName.isCommit(commit) ? "no list of files" : "the commit " + Lines.quoted(commit))
                    + ", expected a model's commit and its files; see whether HF_ENDPOINT is a hub");
        }
        Map<String, Entry> files = new LinkedHashMap<>();
        for (JsonNode sibling : tree.path("siblings")) {
            String file = sibling.path("rfilename").asText("");
            JsonNode large = sibling.path("lfs");
            Etag etag = Etag.of((large.isObject() ? large.path("sha256") : sibling.path("blobId")).asText(""));
            JsonNode size = large.isObject() ? large.path("size") : sibling.path("size");
            boolean known = size.isIntegralNumber() && size.canConvertToLong() && size.longValue() >= 0;
            files.put(file, new Entry(file, known ? size.longValue() : -1, etag));
        }
        return new HubListing(commit, files);
    }

    /** The address of a file at this state. */
    URI address(HubName name, String file, HubClient client) {
        return client.address("/" + name.repository() + "/resolve/" + commit + "/" + encoded(file));
    }

    private static String encoded(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
