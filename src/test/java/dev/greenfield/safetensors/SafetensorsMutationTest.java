package dev.greenfield.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.LongUnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged files by the ten thousand, from a fixed seed. Each is accepted exactly if another reader of the format
 * ({@link SafetensorsOracle}) finds it right, and then read as that one reads it; else it is refused in one line. Neither may
 * take memory out of proportion to the file.
 */
@Tag("slow")
class SafetensorsMutationTest {
    private static final int IN_MEMORY = Integer.getInteger("greenfield.campaign.safetensors", 24_000);
    private static final int ON_DISK = 400;
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]+");
    private static final Pattern PAIR = Pattern.compile("\"\\w+\":(\"\\w*\"|\\[[0-9,]*])");
    private static final Pattern RANGE = Pattern.compile("\\[([0-9]{1,8}),([0-9]{1,8})](?=})");
    private static final String[] NUMBERS = {
        "0",
        "1",
        "2",
        "3",
        "4",
        "7",
        "8",
        "12",
        "16",
        "24",
        "-1",
        "-0",
        "00",
        "1.0",
        "1e1",
        "255",
        "65536",
        "2147483647",
        "2147483648",
        "4294967296",
        "1099511627776",
        "4611686018427387904",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999999999999999999999999999",
        "null",
        "true",
        "\"8\"",
        "[]",
        "{}",
        "NaN",
        ""
    };
    private static final String[] WORDS = {
        "F32",
        "F64",
        "F16",
        "BF16",
        "I64",
        "I32",
        "I16",
        "I8",
        "U8",
        "BOOL",
        "F8_E4M3",
        "\"dtype\"",
        "\"shape\"",
        "\"data_offsets\"",
        "__metadata__",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "\\ud800",
        " ",
        "\n",
        "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},",
        "\"__metadata__\":{},"
    };

    private final com.sun.management.ThreadMXBean threads =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final SplittableRandom random = new SplittableRandom(20_261);
    private final List<byte[]> seeds = new ArrayList<>();
    private int accepted;
    private int refused;

    @TempDir
    Path directory;

    SafetensorsMutationTest() throws IOException {
        for (int i = 0; i < 12; i++) {
            seeds.add(seed(i));
        }
    }

    /** What classes allocate as they are loaded is no file's fault. */
    @BeforeEach
    void everythingIsLoaded() throws IOException {
        for (int i = 0; i < 300; i++) {
            byte[] bytes = mutant();
            Path file = Files.write(directory.resolve("first.safetensors"), bytes);
            try (Safetensors in = Safetensors.open(file)) {
                assertThat(in.dataBytes()).isNotNegative();
            } catch (SafetensorsException e) {
                assertThat(e).hasMessageContaining("first.safetensors: ");
            }
        }
    }

    @Test
    void inMemory() throws IOException {
        for (byte[] seed : seeds) {
            assertThat(attempt(seed, () -> Safetensors.of(ByteBuffer.wrap(seed), "seed")))
                    .isTrue();
        }
        int right = accepted;
        for (int i = 0; i < IN_MEMORY; i++) {
            byte[] bytes = mutant();
            int segmentBytes = random.nextInt(4) == 0 ? random.nextInt(1, 40) : Data.SEGMENT_BYTES;
            attempt(bytes, () -> Safetensors.of(ByteBuffer.wrap(bytes), "mutant", segmentBytes));
        }
        // The figures are of this seed; what matters is that neither outcome is rare.
        assertThat(accepted - right).isGreaterThan(IN_MEMORY / 20);
        assertThat(refused).isGreaterThan(IN_MEMORY / 4);
    }

    @Test
    void onDisk() throws IOException {
        for (int i = 0; i < ON_DISK; i++) {
            byte[] bytes = mutant();
            Path file = Files.write(directory.resolve(i + ".safetensors"), bytes);
            attempt(bytes, () -> Safetensors.open(file));
            Files.delete(file);
        }
        assertThat(accepted).isPositive();
        assertThat(refused).isPositive();
    }

    private interface Opening {
        Safetensors open() throws IOException;
    }

    /** Opens and reads a file, checks everything about the outcome and returns whether it was accepted. */
    private boolean attempt(byte[] bytes, Opening opening) throws IOException {
        String expected = SafetensorsOracle.fault(bytes);
        long thread = Thread.currentThread().getId();
        long before = threads.getThreadAllocatedBytes(thread);
        SafetensorsException refusal = null;
        List<String> read = new ArrayList<>();
        long total = 0;
        try (Safetensors file = opening.open()) {
            for (String name : file.names()) {
                Tensor tensor = file.tensor(name);
                read.add(SafetensorsOracle.text(name, tensor.dtype().name(), tensor.shape(), tensor.toDoubles()));
                total += tensor.elements() * tensor.dtype().bytes();
            }
            assertThat(total).isEqualTo(file.dataBytes());
        } catch (SafetensorsException e) {
            refusal = e;
        } catch (UnsupportedOperationException unread) { // a type of the format whose numbers nobody needs
            assertThat(unread).hasMessageContaining("whose elements are not read here");
            assertThat(PublishedReader.read(bytes).taken()).as(describe(bytes)).isTrue();
            return true;
        }
        long allocated = threads.getThreadAllocatedBytes(thread) - before;
        // The constant covers the buffers that the JSON parser takes at a time.
        assertThat(allocated).isLessThan((512L << 10) + 64L * bytes.length);
        PublishedReader.Outcome published = PublishedReader.read(bytes);
        if (refusal == null) {
            accepted++;
            assertThat(published.taken()).as(describe(bytes)).isTrue();
            assertThat(published.leniently()).as(describe(bytes)).isEmpty();
            assertThat(expected).as(describe(bytes)).isNull();
            assertThat(read).isEqualTo(SafetensorsOracle.tensors(bytes));
            return true;
        }
        refused++;
        // Where the published reader takes what we refuse, it is for one of the reasons that are listed there.
        assertThat(published.taken() && published.leniently().isEmpty())
                .as(refusal.getMessage() + " " + describe(bytes))
                .isFalse();
        assertThat(expected).as(refusal.getMessage() + " " + describe(bytes)).isNotNull();
        assertThat(refusal.getMessage()).isNotBlank().hasSizeLessThan(1000).matches("\\P{Cntrl}+");
        return false;
    }

    private static String describe(byte[] bytes) {
        return Text.oneLine(new String(bytes, StandardCharsets.ISO_8859_1));
    }

    /** Returns a right file of a few tensors, each different in types, shapes, metadata and order of its header. */
    private byte[] seed(int index) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(out);
        if (index % 3 != 0) {
            builder.metadata("format", "pt").metadata("na\u00efve \ud83d\ude00", "line\nbreak \" \\ ");
        }
        int elements = 0;
        int count = index % 5;
        for (int i = 0; i < count; i++) {
            DType dtype = DType.values()[random.nextInt(DType.U16.ordinal())]; // signed and bytes, for any value
            long[] shape = random.longs(random.nextInt(4), 0, 4).toArray();
            elements += (int) Header.elements(dtype, shape);
            builder.tensor(i % 2 == 0 ? "h." + i + ".weight" : "b\u00e9" + i, dtype, shape);
        }
        try (SafetensorsWriter writer = builder.open()) {
            writer.write(random.doubles(elements, 0, 2).map(Math::floor).toArray());
            writer.commit();
        }
        return out.toByteArray();
    }

    private byte[] mutant() {
        byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
        int rounds = random.nextInt(4) == 0 ? random.nextInt(2, 5) : 1;
        for (int i = 0; i < rounds; i++) {
            bytes = mutate(bytes);
        }
        return bytes;
    }

    private byte[] mutate(byte[] bytes) {
        int length = bytes.length;
        switch (random.nextInt(13)) {
            case 0 -> { // bits flipped anywhere
                for (int i = random.nextInt(1, 9); i > 0 && length > 0; i--) {
                    bytes[random.nextInt(length)] ^= (byte) (1 << random.nextInt(8));
                }
                return bytes;
            }
            case 1 -> {
                return Arrays.copyOf(bytes, random.nextInt(length + 1));
            }
            case 2 -> { // bytes appended
                byte[] more = new byte[random.nextInt(1, 20)];
                random.nextBytes(more);
                return splice(bytes, length, length, more);
            }
            case 3 -> { // a piece of another file in place of a piece of this one
                byte[] other = seeds.get(random.nextInt(seeds.size()));
                int from = random.nextInt(other.length);
                int at = random.nextInt(length + 1);
                byte[] piece = Arrays.copyOfRange(other, from, random.nextInt(from, other.length + 1));
                return splice(bytes, at, random.nextInt(at, length + 1), piece);
            }
            case 4 -> { // a random length field
                long[] lengths = {0, 1, 2, length - 8, length - 7, 100_000_000, 100_000_001, 1L << 31, -1, 1L << 63};
                long put = random.nextBoolean() ? lengths[random.nextInt(lengths.length)] : random.nextInt(length + 9);
                return splice(bytes, 0, Math.min(8, length), SafetensorsBytes.length(put));
            }
            case 5 -> { // nothing but noise, now and then with a length that fits
                byte[] noise = new byte[random.nextInt(200)];
                random.nextBytes(noise);
                return random.nextBoolean() ? noise : SafetensorsBytes.file(noise);
            }
            case 6 -> { // one byte of data
                int at = random.nextInt(length + 1);
                return at == length ? bytes : splice(bytes, at, at + 1, new byte[] {(byte) random.nextInt()});
            }
            case 7 -> { // a word somewhere in the header
                return header(bytes, at -> at + random.nextInt(3), WORDS[random.nextInt(WORDS.length)]);
            }
            case 8 -> { // a piece of the header removed
                return header(bytes, at -> at + random.nextInt(1, 30), "");
            }
            case 9 -> {
                return shifted(bytes);
            }
            case 10 -> { // a key and its value twice
                return replaced(bytes, PAIR, pair -> pair.group() + "," + pair.group());
            }
            default -> { // a number of the header, the place where a file lies most easily
                return number(bytes);
            }
        }
    }

    /** Replaces a piece of the header, whose length field is kept right, so that the change gets past the first check. */
    private byte[] header(byte[] bytes, LongUnaryOperator end, String replacement) {
        String header = SafetensorsOracle.header(bytes);
        if (header == null) {
            return bytes;
        }
        int from = random.nextInt(header.length() + 1);
        int to = (int) Math.min(header.length(), end.applyAsLong(from));
        return withHeader(bytes, header, header.substring(0, from) + replacement + header.substring(to));
    }

    private byte[] number(byte[] bytes) {
        return replaced(bytes, NUMBER, number -> {
            if (random.nextInt(3) == 0 && number.group().length() < 10) {
                return Integer.toString(Integer.parseInt(number.group()) + random.nextInt(-2, 3));
            }
            return NUMBERS[random.nextInt(NUMBERS.length)];
        });
    }

    /** Replaces one piece of the header, any of those that a pattern matches. */
    private byte[] replaced(byte[] bytes, Pattern pattern, Function<MatchResult, String> replacement) {
        String header = SafetensorsOracle.header(bytes);
        List<MatchResult> all =
                header == null ? List.of() : pattern.matcher(header).results().toList();
        if (all.isEmpty()) {
            return bytes;
        }
        MatchResult one = all.get(random.nextInt(all.size()));
        String changed = header.substring(0, one.start()) + replacement.apply(one) + header.substring(one.end());
        return withHeader(bytes, header, changed);
    }

    /**
     * Moves the ranges of one tensor and all after it, and the end of the file with them: a hole or an overlap, with every
     * length right. Single edits all but never make one.
     */
    private byte[] shifted(byte[] bytes) {
        String header = SafetensorsOracle.header(bytes);
        if (header == null) {
            return bytes;
        }
        int by = random.nextInt(-4, 5);
        int from = random.nextInt(1 + (int) RANGE.matcher(header).results().count());
        int[] seen = {0};
        String changed = RANGE.matcher(header).replaceAll(range -> {
            int move = seen[0]++ < from ? 0 : by;
            return "[" + (Integer.parseInt(range.group(1)) + move) + "," + (Integer.parseInt(range.group(2)) + move)
                    + "]";
        });
        byte[] all = withHeader(bytes, header, changed);
        return Arrays.copyOf(all, Math.max(0, all.length + (from < seen[0] ? by : 0)));
    }

    private static byte[] withHeader(byte[] bytes, String old, String header) {
        byte[] put = header.getBytes(StandardCharsets.ISO_8859_1);
        byte[] all = splice(bytes, 8, 8 + old.length(), put);
        ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).putLong(put.length);
        return all;
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] piece) {
        byte[] all = new byte[bytes.length - (to - from) + piece.length];
        System.arraycopy(bytes, 0, all, 0, from);
        System.arraycopy(piece, 0, all, from, piece.length);
        System.arraycopy(bytes, to, all, from + piece.length, bytes.length - to);
        return all;
    }
}
