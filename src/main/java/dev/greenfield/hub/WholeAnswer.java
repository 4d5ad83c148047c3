package dev.greenfield.hub;

import dev.greenfield.failure.InputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;

/** Answers of the hub that are short enough to be read at once: a listing, a configuration. */
final class WholeAnswer {
    private static final int PIECE = 1 << 14; // bytes

    private WholeAnswer() {}

    /**
     * All bytes of an answer.
     *
     * @param file what it is; null for the model's listing
     * @param most how many there may be
     * @throws InputException if there are more, or the hub refuses
     * @throws IOException if it cannot be reached
     */
    static byte[] bytes(HubClient client, HubName name, String file, URI address, int most) throws IOException {
        return client.patiently(() -> {
            try (HubClient.Answer answer = client.get(address, 0, null)) {
                HubRefusal.check(answer, name, file, client);
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                byte[] piece = new byte[PIECE];
                for (int n = client.read(answer, piece); n >= 0; n = client.read(answer, piece)) {
                    bytes.write(piece, 0, n);
                    if (bytes.size() > most) {
                        throw new InputException(address + ": found more than " + (most >> 20)
                                + " MiB, expected a short answer; see whether HF_ENDPOINT is a hub");
                    }
                }
                return bytes.toByteArray();
            }
        });
    }
}
