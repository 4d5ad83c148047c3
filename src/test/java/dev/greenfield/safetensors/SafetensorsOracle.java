package dev.greenfield.safetensors;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Another reader of the format, for tests: slow, simple, and written from the format's description with a tree of JSON and
 * big integers, so that it shares no mistake of the real one.
 */
final class SafetensorsOracle {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(com.fasterxml.jackson.core.StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final Map<String, Integer> BYTES =
            Map.of("F64", 8, "F32", 4, "F16", 2, "BF16", 2, "I64", 8, "I32", 4, "I16", 2, "I8", 1, "U8", 1, "BOOL", 1);
    private static final Set<String> KEYS = Set.of("dtype", "shape", "data_offsets");
    private static final BigInteger MOST = BigInteger.valueOf(Long.MAX_VALUE);
    private static final Pattern NEGATIVE_ZERO = Pattern.compile("-0[\\s,\\]]");

    private SafetensorsOracle() {}

    /** Returns the header, a character a byte, or null if the length field does not allow one. */
    static String header(byte[] file) {
        if (file.length < 8) {
            return null;
        }
        BigInteger length = new BigInteger(1, reversed(Arrays.copyOf(file, 8)));
        return length.compareTo(BigInteger.valueOf(Math.min(100_000_000, file.length - 8))) > 0
                ? null
                : new String(file, 8, length.intValue(), StandardCharsets.ISO_8859_1);
    }

    /** Returns what is wrong with a file, or null if it is right. */
    static String fault(byte[] file) {
        String latin = header(file);
        if (latin == null) {
            return "length";
        }
        byte[] raw = latin.getBytes(StandardCharsets.ISO_8859_1);
        String header = new String(raw, StandardCharsets.UTF_8);
        if (!Arrays.equals(header.getBytes(StandardCharsets.UTF_8), raw)) {
            return "UTF-8";
        }
        int last = header.length();
        while (last > 0 && " \t\r\n".indexOf(header.charAt(last - 1)) >= 0) {
            last--;
        }
        if (last == 0 || header.charAt(0) != '{' || header.charAt(last - 1) != '}') {
            return "braces";
        }
        // A tree does not show the sign of zero.
        if (NEGATIVE_ZERO.matcher(header).find()) {
            return "negative zero";
        }
        try {
            return fault(MAPPER.readTree(header), file.length - 8 - raw.length);
        } catch (IOException e) {
            return "JSON";
        }
    }

    private static String fault(JsonNode root, int dataBytes) {
        List<long[]> ranges = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            JsonNode node = field.getValue();
            if (!node.isObject() || !encodable(field.getKey())) {
                return "entry";
            }
            if (field.getKey().equals("__metadata__")) {
                for (Map.Entry<String, JsonNode> item : node.properties()) {
                    if (!item.getValue().isTextual()
                            || !encodable(item.getKey())
                            || !encodable(item.getValue().textValue())) {
                        return "metadata";
                    }
                }
                continue;
            }
            Set<String> keys = new java.util.HashSet<>();
            node.fieldNames().forEachRemaining(keys::add);
            if (!keys.equals(KEYS) || !node.get("dtype").isTextual()) {
                return "keys";
            }
            Integer bytes = BYTES.get(node.get("dtype").textValue());
            List<BigInteger> shape = integers(node.get("shape"));
            List<BigInteger> offsets = integers(node.get("data_offsets"));
            if (bytes == null || shape == null || shape.size() > 64 || offsets == null || offsets.size() != 2) {
                return "values";
            }
            BigInteger all = BigInteger.valueOf(bytes);
            BigInteger strides = all;
            for (BigInteger dimension : shape) {
                all = all.multiply(dimension);
                strides = strides.multiply(dimension.max(BigInteger.ONE));
            }
            if (strides.compareTo(MOST) > 0
                    || !offsets.get(1).subtract(offsets.get(0)).equals(all)) {
                return "size";
            }
            ranges.add(new long[] {offsets.get(0).longValue(), offsets.get(1).longValue()});
        }
        ranges.sort(Comparator.<long[]>comparingLong(r -> r[0]).thenComparingLong(r -> r[1]));
        long reached = 0;
        for (long[] range : ranges) {
            if (range[0] != reached) {
                return "tiling";
            }
            reached = range[1];
        }
        return reached == dataBytes ? null : "end";
    }

    private static boolean encodable(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    /** Returns the numbers of an array, or null if it is none or one of them is not an integer from 0 to 2^63 - 1. */
    private static List<BigInteger> integers(JsonNode array) {
        List<BigInteger> numbers = new ArrayList<>();
        for (JsonNode number : array) {
            if (!number.isIntegralNumber()
                    || number.bigIntegerValue().signum() < 0
                    || number.bigIntegerValue().compareTo(MOST) > 0) {
                return null;
            }
            numbers.add(number.bigIntegerValue());
        }
        return array.isArray() ? numbers : null;
    }

    /** Returns the tensors of a right file in the order of its header, each as {@link #text} gives it. */
    static List<String> tensors(byte[] file) throws IOException {
        String latin = header(file);
        String header = new String(latin.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        List<String> tensors = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : MAPPER.readTree(header).properties()) {
            JsonNode node = field.getValue();
            if (!field.getKey().equals("__metadata__")) {
                String dtype = node.get("dtype").textValue();
                long[] shape = new long[node.get("shape").size()];
                Arrays.setAll(shape, i -> node.get("shape").get(i).longValue());
                int begin = 8 + latin.length() + node.get("data_offsets").get(0).intValue();
                int end = 8 + latin.length() + node.get("data_offsets").get(1).intValue();
                double[] values = new double[(end - begin) / BYTES.get(dtype)];
                for (int i = 0; i < values.length; i++) {
                    int at = begin + i * BYTES.get(dtype);
                    values[i] = value(dtype, Arrays.copyOfRange(file, at, at + BYTES.get(dtype)));
                }
                tensors.add(text(field.getKey(), dtype, shape, values));
            }
        }
        return tensors;
    }

    /** Returns all there is to a tensor as text, so that two can be compared and shown. */
    static String text(String name, String dtype, long[] shape, double[] values) {
        return name + " " + dtype + " " + Arrays.toString(shape) + " " + Arrays.toString(values);
    }

    private static double value(String dtype, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return switch (dtype) {
            case "F64" -> in.getDouble();
            case "F32" -> in.getFloat();
            case "BF16" -> small(in.getShort() & 0xffff, 7, 127);
            case "F16" -> small(in.getShort() & 0xffff, 10, 15);
            case "U8" -> bytes[0] & 0xff;
            case "BOOL" -> bytes[0] == 0 ? 0 : 1;
            default -> new BigInteger(reversed(bytes)).doubleValue();
        };
    }

    private static double small(int bits, int fractionBits, int bias) {
        int fraction = bits % (1 << fractionBits);
        int exponent = (bits % 0x8000) >> fractionBits;
        double magnitude;
        if (exponent == 2 * bias + 1) {
            magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else if (exponent == 0) {
            magnitude = fraction * Math.pow(2, 1 - bias - fractionBits);
        } else {
            magnitude = (1 + fraction * Math.pow(2, -fractionBits)) * Math.pow(2, exponent - bias);
        }
        return bits >= 0x8000 ? -magnitude : magnitude;
    }

    private static byte[] reversed(byte[] bytes) {
        byte[] reversed = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            reversed[i] = bytes[bytes.length - 1 - i];
        }
        return reversed;
    }
}
