package dev.greenfield.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

/** Indices go on beyond what one buffer of Java holds. */
class FloatsTest {
    /** Segments of four floats, 18 in all. */
    private static Floats small() {
        FloatBuffer[] segments = new FloatBuffer[5];
        for (int i = 0; i < segments.length; i++) {
            segments[i] = FloatBuffer.allocate(i == 4 ? 2 : 4);
        }
        return new Floats(2, segments);
    }

    private static float[] numbers(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = i + 1;
        }
        return numbers;
    }

    @Test
    void runsGoOverTheBordersOfSegments() {
        for (int from = 0; from < 18; from++) {
            for (int count = 0; from + count <= 18; count++) {
                Floats floats = small();
                floats.put(from, numbers(count + 1), 1, count);
                float[] read = new float[count + 2];
                floats.get(from, read, 2, count);
                for (int i = 0; i < count; i++) {
                    assertThat(read[2 + i]).isEqualTo(i + 2);
                    assertThat(floats.get(from + i)).isEqualTo(i + 2);
                }
                Floats copy = small();
                int to = 18 - count;
                copy.put(to, floats, from, count);
                for (int i = 0; i < 18; i++) {
                    assertThat(copy.get(i)).isEqualTo(i < to ? 0 : i - to + 2);
                }
                copy.put(17, 9);
                assertThat(copy.get(17)).isEqualTo(9);
            }
        }
    }

    /** Most of the memory is never touched, so that the system need not have it. */
    @Test
    void aBufferMayHaveMoreElementsThanAnIntOfBytesCounts() {
        long elements = (1L << 29) + 4096;
        try (CpuBackend backend = CpuBackend.open(2);
                Buffer large = backend.allocate("large", elements);
                Buffer small = backend.allocate("product", 64)) {
            int width = 8;
            // The first begins two elements before a border of segments, the second is the end of the buffer.
            Matrix left = new Matrix(large, (1L << 28) - 2, 8, width, width);
            Matrix right = new Matrix(large, elements - 64, 8, width, width);
            double[] a = new double[64];
            double[] b = new double[64];
            for (int i = 0; i < 64; i++) {
                a[i] = i % 7 - 3;
                b[i] = i % 5 - 2;
            }
            backend.upload(a, 0, large, left.offset(), 64);
            backend.upload(b, 0, large, right.offset(), 64);
            Matrix product = Matrix.of(small, 8, 8);
            backend.multiply(1, left, false, right, false, 0, product);
            double[] c = new double[64];
            backend.download(small, 0, c, 0, 64);
            for (int i = 0; i < 8; i++) {
                for (int j = 0; j < 8; j++) {
                    double sum = 0;
                    for (int k = 0; k < 8; k++) {
                        sum += a[8 * i + k] * b[8 * k + j];
                    }
                    assertThat(c[8 * i + j]).isEqualTo(sum);
                }
            }
            double[] norms = new double[16];
            backend.squaredNorms(left, norms, 0);
            backend.squaredNorms(right, norms, 8);
            for (int i = 0; i < 8; i++) {
                double sum = 0;
                double other = 0;
                for (int k = 0; k < 8; k++) {
                    sum += a[8 * i + k] * a[8 * i + k];
                    other += b[8 * i + k] * b[8 * i + k];
                }
                assertThat(norms[i]).isEqualTo(sum);
                assertThat(norms[8 + i]).isEqualTo(other);
            }
        }
    }
}
