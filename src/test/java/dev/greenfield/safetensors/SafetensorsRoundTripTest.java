package dev.greenfield.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written is read back, whatever the type, the place in the file and the size of the pieces. */
class SafetensorsRoundTripTest {
    @TempDir
    Path directory;

    /** Values that every type holds exactly. */
    private static double[] representable(DType dtype, int count) {
        SplittableRandom random = new SplittableRandom(7);
        return random.ints(count)
                .mapToDouble(i -> dtype == DType.BOOL ? i & 1 : dtype == DType.U8 ? i & 127 : (i & 255) - 128)
                .toArray();
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    @ParameterizedTest
    @EnumSource(names = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"})
    void everyTypeFromEveryArray(DType dtype) throws IOException {
        double[] values = representable(dtype, 3 * 5 * 7);
        Path file = directory.resolve("all.safetensors");
        try (SafetensorsWriter out = SafetensorsWriter.to(file)
                .metadata("format", "pt")
                .tensor("from doubles", dtype, 3, 5, 7)
                .tensor("empty", dtype, 4, 0)
                .tensor("from floats", dtype, 105)
                .tensor("from longs", dtype, 105, 1)
                .tensor("scalar", dtype)
                .open()) {
            out.write(values);
            out.write(floats(values));
            out.write(Arrays.stream(values).mapToLong(v -> (long) v).toArray());
            out.write(new double[] {1});
            out.commit();
        }
        try (Safetensors in = Safetensors.open(file)) {
            assertThat(in.names()).containsExactly("from doubles", "empty", "from floats", "from longs", "scalar");
            assertThat(in.metadata()).containsOnly(Map.entry("format", "pt"));
            assertThat(in.dataBytes()).isEqualTo((3 * 105 + 1) * dtype.bytes());
            assertThat(in.origin()).isEqualTo(file.toString());
            for (String name : new String[] {"from doubles", "from floats", "from longs"}) {
                Tensor tensor = in.tensor(name);
                assertThat(tensor.dtype()).isEqualTo(dtype);
                assertThat(tensor.toDoubles()).containsExactly(values);
                assertThat(tensor.toFloats()).containsExactly(floats(values));
                if (dtype.floating()) {
                    assertThatThrownBy(tensor::toLongs)
                            .isInstanceOf(UnsupportedOperationException.class)
                            .hasMessageContaining("'" + name + "' is " + dtype);
                } else {
                    assertThat(tensor.toLongs())
                            .containsExactly(Arrays.stream(values)
                                    .mapToLong(v -> (long) v)
                                    .toArray());
                }
            }
            assertThat(in.tensor("from doubles").shape()).containsExactly(3, 5, 7);
            assertThat(in.tensor("empty").shape()).containsExactly(4, 0);
            assertThat(in.tensor("empty").toDoubles()).isEmpty();
            assertThat(in.tensor("scalar").shape()).isEmpty();
            assertThat(in.tensor("scalar").elements()).isEqualTo(1);
            assertThat(in.tensor("scalar").toFloats()).containsExactly(1f);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"I64", "I32", "I16", "I8", "U8", "BOOL"})
    void theEndsOfEveryIntegerRange(DType dtype) throws IOException {
        int bits = 8 * dtype.bytes();
        long least = dtype == DType.U8 || dtype == DType.BOOL ? 0 : -1L << (bits - 1);
        long greatest = dtype == DType.BOOL ? 1 : dtype == DType.U8 ? 255 : ~least;
        byte[] bytes = bytes(dtype, least, greatest);
        try (Safetensors in = Safetensors.of(ByteBuffer.wrap(bytes), "ends")) {
            assertThat(in.tensor("a").toLongs()).containsExactly(least, greatest);
            assertThat(in.tensor("a").toDoubles()).containsExactly((double) least, (double) greatest);
            assertThat(in.tensor("a").toFloats()).containsExactly((float) least, (float) greatest);
        }
        if (dtype != DType.I64) {
            for (double wrong : new double[] {least - 1.0, greatest + 1.0, 0.5, Double.NaN, 1e300}) {
                assertRefused(dtype, wrong);
            }
        }
        assertRefused(DType.I64, 0x1p63);
        assertRefused(DType.I64, Math.nextDown(-0x1p63));
    }

    private static void assertRefused(DType dtype, double value) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (SafetensorsWriter out =
                SafetensorsWriter.to(bytes).tensor("a", dtype, 3).open()) {
            assertThatThrownBy(() -> out.write(new double[] {1, 0, value}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("tensor 'a': element 2 is ")
                    .hasMessageContaining(", which " + dtype + " cannot hold exactly");
            assertThatThrownBy(out::commit)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("dropped because a write failed");
        }
    }

    private static byte[] bytes(DType dtype, long... values) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (SafetensorsWriter out =
                SafetensorsWriter.to(bytes).tensor("a", dtype, values.length).open()) {
            out.write(values);
            out.commit();
        }
        return bytes.toByteArray();
    }

    /** The data start at an odd byte and elements lie across segments in every way they can. */
    @ParameterizedTest
    @EnumSource(names = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"})
    void dataAtAnyByteInSegmentsOfAnySize(DType dtype) throws IOException {
        double[] values = representable(dtype, 41);
        byte[] data = new byte[41 * dtype.bytes()];
        Encoder encoder = new Encoder("a", dtype, 41);
        encoder.put(values, 0, 41, ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN));
        String json = "{" + SafetensorsBytes.entry("a", dtype.name(), "[41]", "[0," + data.length + "]") + "}";
        for (int padding = 0; padding < 8; padding++) {
            byte[] bytes = SafetensorsBytes.file(json + " ".repeat(padding), data);
            Path file = Files.write(directory.resolve(padding + ".safetensors"), bytes);
            for (int segmentBytes = 1; segmentBytes < 40; segmentBytes++) {
                try (Safetensors in = Safetensors.of(ByteBuffer.wrap(bytes), "a", segmentBytes)) {
                    assertReadsInPieces(in.tensor("a"), values);
                }
            }
            // A mapping takes at least a page, so that few sizes and few elements do here.
            for (int segmentBytes : new int[] {13, 64, 4096}) {
                try (Safetensors in = Safetensors.open(file, segmentBytes)) {
                    assertReadsInPieces(in.tensor("a"), values);
                }
            }
        }
    }

    private static void assertReadsInPieces(Tensor tensor, double[] values) {
        assertThat(tensor.toDoubles()).containsExactly(values);
        assertThat(tensor.toFloats()).containsExactly(floats(values));
        if (!tensor.dtype().floating()) {
            assertThat(tensor.toLongs())
                    .containsExactly(
                            Arrays.stream(values).mapToLong(v -> (long) v).toArray());
        }
        double[] doubles = new double[12];
        float[] singles = new float[12];
        Arrays.fill(doubles, -1.5);
        Arrays.fill(singles, -1.5f);
        tensor.read(17, doubles, 2, 9);
        tensor.read(17, singles, 2, 9);
        for (int i = 0; i < 12; i++) {
            double expected = i < 2 || i > 10 ? -1.5 : values[17 + i - 2];
            assertThat(doubles[i]).isEqualTo(expected);
            assertThat((double) singles[i]).isEqualTo(expected);
        }
    }

    @Test
    void aBufferIsTakenFromItsPositionAndNotMoved() throws IOException {
        byte[] file = bytes(DType.I16, 5, -6);
        ByteBuffer padded = ByteBuffer.allocateDirect(file.length + 11).position(4);
        padded.put(file).flip().position(4);
        try (Safetensors in = Safetensors.of(padded, "padded")) {
            assertThat(in.tensor("a").toLongs()).containsExactly(5, -6);
        }
        assertThat(padded.position()).isEqualTo(4);
        assertThat(padded.limit()).isEqualTo(4 + file.length);
    }

    @Test
    void readsBeyondATensorAreRefused() throws IOException {
        try (Safetensors in = Safetensors.of(ByteBuffer.wrap(bytes(DType.F32, 1, 2, 3)), "three")) {
            Tensor tensor = in.tensor("a");
            double[] into = new double[4];
            for (long[] wrong : new long[][] {{0, 4}, {3, 1}, {-1, 1}, {0, -1}, {Long.MAX_VALUE, 1}, {4, 0}}) {
                assertThatThrownBy(() -> tensor.read(wrong[0], into, 0, (int) wrong[1]))
                        .isInstanceOf(IndexOutOfBoundsException.class)
                        .hasMessage("tensor 'a': " + wrong[1] + " elements from " + wrong[0]
                                + " were asked for, but it has 3");
            }
            assertThatThrownBy(() -> tensor.read(0, into, 2, 3)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> tensor.read(0, into, -1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
            tensor.read(3, into, 4, 0);
            long[] shape = tensor.shape();
            shape[0] = 7;
            assertThat(tensor.shape()).containsExactly(3);
        }
    }

    @Test
    void aClosedFileSaysSo() throws IOException {
        Safetensors in = Safetensors.of(ByteBuffer.wrap(bytes(DType.F32, 1, 2, 3)), "three");
        Tensor tensor = in.tensor("a");
        in.close();
        in.close();
        assertThatThrownBy(tensor::toFloats)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("three is closed; read its tensors before closing it");
    }

    @Test
    void anUnknownNameIsAnsweredWithNearOnes() throws IOException {
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(directory.resolve("names"));
        for (int layer = 0; layer < 9; layer++) {
            builder.tensor("h." + layer + ".ln_1.weight", DType.F32, 0);
        }
        try (SafetensorsWriter out =
                builder.tensor("transformer.wte.weight", DType.F32, 0).open()) {
            out.commit();
        }
        try (Safetensors in = Safetensors.open(directory.resolve("names"))) {
            assertThat(in.contains("wte.weight")).isFalse();
            assertThatThrownBy(() -> in.tensor("wte.weight"))
                    .isInstanceOf(SafetensorsException.class)
                    .hasMessageEndingWith(
                            "names: no tensor 'wte.weight'; near it are 'transformer.wte.weight', ... (10 in all)");
            assertThatThrownBy(() -> in.tensor("h.3.ln1.weight"))
                    .hasMessageContaining("near it are 'h.3.ln_1.weight', ");
            assertThatThrownBy(() -> in.tensor("q"))
                    .hasMessageContaining("it holds 'h.0.ln_1.weight', ")
                    .hasMessageEndingWith("... (10 in all)");
        }
    }

    @Test
    void whatIsNoFileIsRefused() {
        assertThatThrownBy(() -> Safetensors.open(directory.resolve("none")))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("none: no such file");
        assertThatThrownBy(() -> Safetensors.open(directory)).hasMessageContaining("not a regular file");
        assertThatThrownBy(() -> DType.of("F8"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'F8'")
                .hasMessageContaining("BF16");
    }

    @Test
    void severalThreadsReadOneTensor() throws IOException {
        long[] values = LongStream.range(0, 10_000).toArray();
        byte[] bytes = bytes(DType.F32, values);
        try (Safetensors in = Safetensors.of(ByteBuffer.wrap(bytes), "shared", 1000)) {
            Tensor tensor = in.tensor("a");
            assertThat(IntStream.range(0, 64).parallel().allMatch(i -> {
                        double[] part = new double[137];
                        tensor.read(i * 150L, part, 0, 137);
                        return IntStream.range(0, 137).allMatch(j -> part[j] == i * 150 + j);
                    }))
                    .isTrue();
        }
    }
}
