package dev.greenfield.safetensors;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Files put together by hand, right or wrong, for the tests of the reader. */
final class SafetensorsBytes {
    private SafetensorsBytes() {}

    /** Returns length, header and data, with nothing checked and no padding. */
    static byte[] file(String json, byte... data) {
        return file(json.getBytes(StandardCharsets.UTF_8), data);
    }

    /** Returns length, header and data, with nothing checked and no padding. */
    static byte[] file(byte[] header, byte... data) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(length(header.length));
        out.writeBytes(header);
        out.writeBytes(data);
        return out.toByteArray();
    }

    /** Returns the 8 bytes of a length. */
    static byte[] length(long length) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .array();
    }

    /** Returns one tensor's entry: {@code "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}. */
    static String entry(String name, String dtype, String shape, String offsets) {
        return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets
                + "}";
    }
}
