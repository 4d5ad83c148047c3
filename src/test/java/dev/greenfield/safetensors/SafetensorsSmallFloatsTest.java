package dev.greenfield.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Binary16 and bfloat16 against their definition: every encoding is decoded by the formula, and every double that decides a
 * rounding - each midpoint of two neighbours and its own two neighbours - is narrowed.
 */
class SafetensorsSmallFloatsTest {
    private enum Format {
        F16(10, -14),
        BF16(7, -126);

        private final int fractionBits;
        private final int leastExponent;

        Format(int fractionBits, int leastExponent) {
            this.fractionBits = fractionBits;
            this.leastExponent = leastExponent;
        }

        double decoded(int bits) {
            return this == F16 ? SmallFloats.fromF16((short) bits) : SmallFloats.fromBf16((short) bits);
        }

        int narrowed(double value) {
            return 0xffff & (this == F16 ? SmallFloats.toF16(value) : SmallFloats.toBf16(value));
        }

        int infinity() {
            return 0x7fff >> fractionBits << fractionBits;
        }

        /** The definition: (-1)^s 2^(max(e, 1) - bias) (f / 2^p + [e > 0]); continued, it gives 2^(emax + 1) at infinity. */
        double defined(int bits) {
            int exponent = bits >> fractionBits & (1 << (15 - fractionBits)) - 1;
            int fraction = bits & (1 << fractionBits) - 1;
            double significand = Math.scalb((double) fraction, -fractionBits) + (exponent > 0 ? 1 : 0);
            double magnitude = Math.scalb(significand, Math.max(exponent, 1) - 1 + leastExponent);
            return (bits & 0x8000) == 0 ? magnitude : -magnitude;
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyEncodingIsDecodedAndComesBack(Format format) {
        for (int bits = 0; bits < 0x10000; bits++) {
            double value = format.decoded(bits);
            int magnitude = bits & 0x7fff;
            if (magnitude > format.infinity()) {
                assertThat(value).isNaN();
                assertThat(format.decoded(format.narrowed(value))).isNaN();
                assertThat(format.narrowed(value) & 0x8000).isEqualTo(bits & 0x8000);
            } else {
                double expected = magnitude < format.infinity()
                        ? format.defined(bits)
                        : Math.copySign(Double.POSITIVE_INFINITY, format.defined(bits));
                assertThat(Double.doubleToRawLongBits(value)).isEqualTo(Double.doubleToRawLongBits(expected));
                assertThat(format.narrowed(value)).isEqualTo(bits);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyMidpointGoesToTheEvenNeighbour(Format format) {
        for (int bits = 0; bits < format.infinity(); bits++) {
            double middle = (format.defined(bits) + format.defined(bits + 1)) / 2;
            int even = (bits & 1) == 0 ? bits : bits + 1;
            assertThat(format.narrowed(middle)).isEqualTo(even);
            assertThat(format.narrowed(Math.nextDown(middle))).isEqualTo(bits);
            assertThat(format.narrowed(Math.nextUp(middle))).isEqualTo(bits + 1);
            assertThat(format.narrowed(-middle)).isEqualTo(even | 0x8000);
            assertThat(format.narrowed(-Math.nextDown(middle))).isEqualTo(bits | 0x8000);
        }
    }

    @ParameterizedTest
    @EnumSource
    void theExtremesOfDouble(Format format) {
        assertThat(format.narrowed(Double.MAX_VALUE)).isEqualTo(format.infinity());
        assertThat(format.narrowed(-Double.MAX_VALUE)).isEqualTo(format.infinity() | 0x8000);
        assertThat(format.narrowed(Double.POSITIVE_INFINITY)).isEqualTo(format.infinity());
        assertThat(format.narrowed(Double.MIN_VALUE)).isZero();
        assertThat(format.narrowed(-Double.MIN_VALUE)).isEqualTo(0x8000);
        assertThat(format.narrowed(Double.MIN_NORMAL)).isZero();
        assertThat(format.narrowed(0.0)).isZero();
        assertThat(format.narrowed(-0.0)).isEqualTo(0x8000);
        // A NaN whose payload lies wholly in the bits that are cut off must not become an infinity.
        assertThat(format.decoded(format.narrowed(Double.longBitsToDouble(0x7ff0000000000001L))))
                .isNaN();
    }

    @ParameterizedTest
    @CsvSource({
        "F16, 1.0, 0x3c00",
        "F16, -2.0, 0xc000",
        "F16, 65504, 0x7bff",
        "F16, 65519.99, 0x7bff",
        "F16, 65520, 0x7c00",
        "F16, 5.960464477539063e-8, 0x0001",
        "F16, 6.103515625e-5, 0x0400",
        "F16, 0.333251953125, 0x3555",
        "BF16, 1.0, 0x3f80",
        "BF16, 3.140625, 0x4049",
        "BF16, 3.3895313892515355e38, 0x7f7f",
        "BF16, 9.183549615799121e-41, 0x0001"
    })
    void encodingsThatTextbooksGive(Format format, double value, String bits) {
        assertThat(format.narrowed(value)).isEqualTo(Integer.decode(bits));
    }

    @Test
    void aDoubleIsNotRoundedByWayOfFloat() throws IOException {
        // Just above the midpoint of 1 and the next binary16; as a float it is that midpoint, and would go down to
        // even.
        double value = 1 + 0x1p-11 + 0x1p-40;
        assertThat(Format.F16.narrowed(value)).isEqualTo(0x3c01);
        assertThat(Format.F16.narrowed((float) value)).isEqualTo(0x3c00);
    }

    @Test
    void aLongIsNotRoundedByWayOfDouble() throws IOException {
        // Just above the midpoint of 2^62 and the next bfloat16, by less than a double there can tell.
        long value = (1L << 62) + (1L << 54) + 1;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (SafetensorsWriter writer =
                SafetensorsWriter.to(out).tensor("a", DType.BF16, 3).open()) {
            writer.write(new long[] {value, value - 1, -value});
            writer.commit();
        }
        try (Safetensors in = Safetensors.of(ByteBuffer.wrap(out.toByteArray()), "a")) {
            assertThat(in.tensor("a").toDoubles()).containsExactly(0x1p62 + 0x1p55, 0x1p62, -0x1p62 - 0x1p55);
        }
    }

    @Test
    void floatsAreRoundedOnceFromDoubles() throws IOException {
        double[] values = {1 + 0x1p-24, 1 + 0x1p-24 + 0x1p-50, 1e300, -1e-300, Double.NaN, Double.NEGATIVE_INFINITY};
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (SafetensorsWriter writer =
                SafetensorsWriter.to(out).tensor("a", DType.F32, values.length).open()) {
            writer.write(values);
            writer.commit();
        }
        try (Safetensors in = Safetensors.of(ByteBuffer.wrap(out.toByteArray()), "a")) {
            assertThat(in.tensor("a").toFloats())
                    .containsExactly(
                            1, Math.nextUp(1f), Float.POSITIVE_INFINITY, -0f, Float.NaN, Float.NEGATIVE_INFINITY);
        }
    }
}
