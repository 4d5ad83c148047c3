package dev.greenfield.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
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
    @EnumSource
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
            assertThat(in.metadata()).containsOnly(java.util.Map.entry("format", "pt"));
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
}
