package dev.greenfield.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.greenfield.testing.Golden;
import dev.greenfield.testing.TestData;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files as large as models are, and the models and golden values that other programs wrote. */
@Tag("slow")
class SafetensorsFilesTest {
    private static final long BYTES = 2_147_483_700L; // more than an array can hold
    private static final long DOUBLES = 300_000_000L;

    @TempDir
    Path directory;

    /** The file is sparse: it takes a few blocks of the disk, though 4.5 GB long. */
    @Test
    void beyondTwoGibibytes() throws IOException {
        long end = BYTES + 8 * DOUBLES;
        String json = "{" + SafetensorsBytes.entry("bytes", "U8", "[" + BYTES + "]", "[0," + BYTES + "]") + ","
                + SafetensorsBytes.entry("doubles", "F64", "[300000000]", "[" + BYTES + "," + end + "]") + "}";
        // Of all the places that a double can have across the end of a segment, one that is not a multiple of its size.
        byte[] header = (json + " ".repeat(7 - (json.length() + 4) % 8)).getBytes(StandardCharsets.US_ASCII);
        long dataStart = 8 + header.length;
        long doubles = dataStart + BYTES;
        Path file = directory.resolve("sparse.safetensors");
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(SafetensorsBytes.length(header.length));
            out.write(header);
            out.setLength(dataStart + end);
            for (long index : List.of(0L, straddling(doubles), DOUBLES - 1)) {
                out.seek(doubles + 8 * index);
                out.write(ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putDouble(index + 0.5)
                        .array());
            }
            out.seek(dataStart + BYTES - 1);
            out.write(200);
        } catch (IOException e) {
            assumeThat(e).as("this disk has no room for a sparse file").isNull();
        }
        try (Safetensors in = Safetensors.open(file)) {
            Tensor tensor = in.tensor("doubles");
            for (long index : List.of(0L, straddling(doubles), DOUBLES - 1)) {
                double[] value = new double[1];
                tensor.read(index, value, 0, 1);
                assertThat(value[0]).isEqualTo(index + 0.5);
            }
            double[] around = new double[2001];
            tensor.read(straddling(doubles) - 1000, around, 0, 2001);
            assertThat(around[1000]).isEqualTo(straddling(doubles) + 0.5);
            around[1000] = 0;
            assertThat(around).containsOnly(0);
            float[] last = new float[2];
            in.tensor("bytes").read(BYTES - 2, last, 0, 2);
            assertThat(last).containsExactly(0, 200);
            assertThat(in.dataBytes()).isEqualTo(end);
            assertThatThrownBy(() -> in.tensor("bytes").toLongs())
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("'bytes' has 2147483700 elements")
                    .hasMessageContaining("read it in parts");
        }
    }

    /** Returns the index of the double that lies across byte 3 GiB of the file, where one segment ends. */
    private static long straddling(long doubles) {
        long boundary = 3L * Data.SEGMENT_BYTES;
        long index = (boundary - doubles) / 8;
        assertThat(doubles + 8 * index).isBetween(boundary - 7, boundary - 1);
        return index;
    }

    @Test
    void modelsAndGoldenValuesOfOtherPrograms() throws IOException {
        List<Path> files = new ArrayList<>();
        for (String model : List.of("facts-4l", "facts-8l", "gpt-nano-sort")) {
            files.add(TestData.model(model).resolve("model.safetensors"));
        }
        for (String golden : Golden.names()) {
            if (!golden.startsWith("craftgpt")) {
                files.add(TestData.golden(golden));
            }
        }
        assertThat(files).hasSize(7);
        for (Path path : files) {
            byte[] bytes = Files.readAllBytes(path);
            assertThat(SafetensorsOracle.fault(bytes)).as(path.toString()).isNull();
            try (Safetensors in = Safetensors.open(path)) {
                assertThat(in.names().stream().map(name -> exact(in, name)).toList())
                        .isEqualTo(SafetensorsOracle.tensors(bytes));
            }
        }
    }

    private static String exact(Safetensors in, String name) {
        try {
            Tensor tensor = in.tensor(name);
            return SafetensorsOracle.text(name, tensor.dtype().name(), tensor.shape(), tensor.toDoubles());
        } catch (SafetensorsException e) {
            throw new AssertionError(e);
        }
    }
}
