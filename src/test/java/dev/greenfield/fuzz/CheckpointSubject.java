package dev.greenfield.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Digest;
import dev.greenfield.text.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A map's checkpoint of which one file is changed. With checksums left as they were the map must come out the same to the bit, or be
 * refused; with checksums made right again it may be another, as nobody can tell.
 */
final class CheckpointSubject implements Subject {
    private static final int START = 16;
    private static final int HEADER = 20;

    private final Path folder = Folders.create();
    private final Path manifest = folder.resolve("c").resolve("manifest.json");
    private final Path log = folder.resolve("c").resolve("batches.log");
    private final Model model =
            Greenfield.load("random:2,2,16,30,12,seed=4", Options.defaults().backend("reference"));
    private final Run run = model.run(3, 17, 9, 4);
    private final double[] expected;
    private final byte[] goodManifest;
    private final byte[] goodLog;

    CheckpointSubject() throws IOException {
        expected = map();
        goodManifest = Files.readAllBytes(manifest);
        goodLog = Files.readAllBytes(log);
    }

    private double[] map() {
        return run.responseMap()
                .probes(2)
                .checkpoint(folder.resolve("c"))
                .compute()
                .frobenius();
    }

    @Override
    public void read(Choices choices) throws IOException {
        Files.write(manifest, goodManifest);
        Files.write(log, goodLog);
        boolean honest = true; // nobody made a checksum fit
        switch (choices.below(5)) {
            case 0 -> Files.write(manifest, JsonMutants.mutant(goodManifest, choices));
            case 1 -> honest = !signed(JsonMutants.mutant(goodManifest, choices));
            case 2 -> Files.write(log, noise(choices));
            case 3 -> Files.write(log, Arrays.copyOf(goodLog, choices.below(goodLog.length + 1)));
            default -> {
                honest = false;
                Files.write(log, records(choices));
            }
        }
        double[] found = map();
        if (honest && !Arrays.equals(found, expected)) {
            throw new AssertionError("a damaged checkpoint was believed");
        }
        if (found.length != expected.length) {
            throw new AssertionError("a map of another shape");
        }
    }

    private byte[] noise(Choices choices) {
        byte[] bytes = goodLog.clone();
        for (int flips = 1 + choices.below(8); flips > 0; flips--) {
            bytes[choices.below(bytes.length)] ^= (byte) (1 << choices.below(8));
        }
        return bytes;
    }

    /** Writes a manifest with the sum that it should have, and the log's tie to it; false where it is no JSON. */
    private boolean signed(byte[] changed) throws IOException {
        JsonNode tree;
        try {
            tree = Json.parse(changed, "manifest");
        } catch (InputException noJson) {
            Files.write(manifest, changed);
            return false;
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        tree.properties().forEach(field -> {
            List<String> texts = new ArrayList<>();
            field.getValue().forEach(element -> texts.add(element.asText()));
            fields.put(
                    field.getKey(),
                    field.getValue().isArray() ? texts : field.getValue().asText());
        });
        Object old = fields.remove("sha256");
        String sum = Digest.sha256(fields.toString().getBytes(StandardCharsets.UTF_8));
        String text = new String(changed, StandardCharsets.UTF_8);
        Files.writeString(manifest, old instanceof String was && !was.isEmpty() ? text.replace(was, sum) : text);
        byte[] tied = goodLog.clone();
        ByteBuffer.wrap(tied).putLong(8, Long.parseUnsignedLong(sum.substring(0, 16), 16));
        Files.write(log, tied);
        return true;
    }

    /** The log with some numbers of its records' headers changed, or records twice or gone, and every sum right. */
    private byte[] records(Choices choices) {
        List<byte[]> records = new ArrayList<>();
        for (int at = START; at < goodLog.length; ) {
            int length = HEADER + 8 * ByteBuffer.wrap(goodLog).getInt(at + 12) + 4;
            records.add(Arrays.copyOfRange(goodLog, at, at + length));
            at += length;
        }
        int[] numbers = {0, 1, 2, 3, -1, 7, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << 28};
        for (int changes = 1 + choices.below(3); changes > 0 && !records.isEmpty(); changes--) {
            int which = choices.below(records.size());
            byte[] record = records.get(which).clone();
            switch (choices.below(4)) {
                case 0 -> records.remove(which);
                case 1 -> records.add(choices.below(records.size() + 1), record);
                default -> {
                    ByteBuffer.wrap(record).putInt(4 * choices.below(4), numbers[choices.below(numbers.length)]);
                    sum(record, 16);
                    sum(record, record.length - 4);
                    records.set(which, record);
                }
            }
        }
        ByteBuffer all = ByteBuffer.allocate(
                START + records.stream().mapToInt(record -> record.length).sum());
        all.put(goodLog, 0, START);
        records.forEach(all::put);
        return all.array();
    }

    private static void sum(byte[] record, int at) {
        CRC32C sum = new CRC32C();
        sum.update(record, 0, at);
        ByteBuffer.wrap(record).putInt(at, (int) sum.getValue());
    }

    @Override
    public void close() throws IOException {
        run.close();
        model.close();
        Folders.delete(folder);
    }
}
