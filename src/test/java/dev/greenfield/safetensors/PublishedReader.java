package dev.greenfield.safetensors;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The rules by which the published reader (crate and package {@code safetensors}, 0.8) takes a file, with a JSON parser of its own. It is
 * more lenient than ours in the ways of {@link Leniency}, all of them on purpose ours: whoever reads a header differently from the
 * next program reads other tensors.
 */
public final class PublishedReader {
    private static final BigInteger MOST = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);
    private static final BigInteger OURS = BigInteger.valueOf(Long.MAX_VALUE);
    private static final Map<String, Integer> BITS = bits();

    /** What the published reader takes and ours refuses. */
    public enum Leniency {
        /** White space before the first brace, which the format forbids. */
        SPACE_BEFORE_THE_BRACE,
        /** A name of a tensor or of metadata twice: the last one counts there. */
        NAME_TWICE,
        /** A key of a tensor that is none of dtype, shape and data_offsets: skipped there. */
        UNKNOWN_KEY,
        /** Metadata that is null: none there. */
        METADATA_NULL,
        /** An entry that is a list of dtype, shape and offsets in this order. */
        ENTRY_AS_LIST,
        /** A dtype that is an object with the name as its only key, and null. */
        DTYPE_AS_OBJECT,
        /** More than 64 dimensions. */
        DIMENSIONS,
        /** A shape whose product overflows but for a zero in it, or with a number beyond 2^63 - 1. */
        LARGE_BESIDE_ZERO
    }

    /** What was found: taken or not, and in which ways leniently. */
    public record Outcome(boolean taken, Set<Leniency> leniently) {}

    private final Set<Leniency> leniently = EnumSet.noneOf(Leniency.class);

    private record Range(BigInteger from, BigInteger to, BigInteger bytes) {}

    /** A file that is not taken. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
    }

    private PublishedReader() {}

    private static Map<String, Integer> bits() {
        Map<String, Integer> bits = new LinkedHashMap<>();
        List.of("F4").forEach(name -> bits.put(name, 4));
        List.of("F6_E2M3", "F6_E3M2").forEach(name -> bits.put(name, 6));
        List.of("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ")
                .forEach(name -> bits.put(name, 8));
        List.of("I16", "U16", "F16", "BF16").forEach(name -> bits.put(name, 16));
        List.of("I32", "U32", "F32").forEach(name -> bits.put(name, 32));
        List.of("I64", "U64", "F64", "C64").forEach(name -> bits.put(name, 64));
        return bits;
    }

    /** Reads a whole file. */
    public static Outcome read(byte[] file) {
        PublishedReader reader = new PublishedReader();
        try {
            reader.file(file);
            return new Outcome(true, reader.leniently);
        } catch (Refused | CharacterCodingException refused) {
            return new Outcome(false, Set.of());
        }
    }

    private void file(byte[] file) throws Refused, CharacterCodingException {
        require(file.length >= 8);
        long length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        require(length >= 0 && length <= 100_000_000 && length <= file.length - 8);
        String header = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(file, 8, (int) length))
                .toString();
        if (!header.startsWith("{")) {
            leniently.add(Leniency.SPACE_BEFORE_THE_BRACE);
        }
        Object root = new SimpleJson(header).document();
        require(root instanceof SimpleJson.Fields);
        Map<String, Object> entries = new LinkedHashMap<>();
        boolean metadata = false;
        for (SimpleJson.Field field : ((SimpleJson.Fields) root).all()) {
            if (field.name().equals("__metadata__")) {
                require(!metadata);
                metadata = true;
                metadata(field.value());
            } else {
                if (entries.containsKey(field.name())) {
                    leniently.add(Leniency.NAME_TWICE);
                }
                entries.put(field.name(), field.value());
            }
        }
        List<Range> ranges = new ArrayList<>();
        for (Object entry : entries.values()) {
            ranges.add(entry(entry));
        }
        ranges.sort(Comparator.comparing(Range::from).thenComparing(Range::to));
        BigInteger reached = BigInteger.ZERO;
        for (Range range : ranges) {
            require(range.from().equals(reached));
            require(range.to().subtract(range.from()).equals(range.bytes()));
            reached = range.to();
        }
        require(reached.equals(BigInteger.valueOf(file.length - 8 - length)));
    }

    private void metadata(Object value) throws Refused {
        if (value == SimpleJson.NULL) {
            leniently.add(Leniency.METADATA_NULL);
            return;
        }
        require(value instanceof SimpleJson.Fields);
        List<String> names = new ArrayList<>();
        for (SimpleJson.Field field : ((SimpleJson.Fields) value).all()) {
            require(field.value() instanceof String);
            if (names.contains(field.name())) {
                leniently.add(Leniency.NAME_TWICE);
            }
            names.add(field.name());
        }
    }

    /** An entry; what the last of two entries of a name hides must be one too. */
    private Range entry(Object value) throws Refused {
        Object dtype = null;
        Object shape = null;
        Object offsets = null;
        if (value instanceof List<?> list) {
            require(list.size() == 3);
            leniently.add(Leniency.ENTRY_AS_LIST);
            dtype = list.get(0);
            shape = list.get(1);
            offsets = list.get(2);
        } else {
            require(value instanceof SimpleJson.Fields);
            for (SimpleJson.Field field : ((SimpleJson.Fields) value).all()) {
                switch (field.name()) {
                    case "dtype" -> {
                        require(dtype == null);
                        dtype = field.value();
                    }
                    case "shape" -> {
                        require(shape == null);
                        shape = field.value();
                    }
                    case "data_offsets" -> {
                        require(offsets == null);
                        offsets = field.value();
                    }
                    default -> leniently.add(Leniency.UNKNOWN_KEY);
                }
            }
        }
        require(dtype != null && shape != null && offsets != null);
        List<BigInteger> ends = numbers(offsets);
        require(ends.size() == 2);
        return new Range(ends.get(0), ends.get(1), bytes(width(dtype), numbers(shape)));
    }

    private int width(Object dtype) throws Refused {
        Object name = dtype;
        if (dtype instanceof SimpleJson.Fields fields) {
            require(fields.all().size() == 1 && fields.all().get(0).value() == SimpleJson.NULL);
            leniently.add(Leniency.DTYPE_AS_OBJECT);
            name = fields.all().get(0).name();
        }
        require(name instanceof String && BITS.containsKey(name));
        return BITS.get(name);
    }

    private BigInteger bytes(int width, List<BigInteger> shape) throws Refused {
        BigInteger product = BigInteger.ONE;
        BigInteger strides = BigInteger.valueOf(Math.max(1, width / 8));
        for (BigInteger dimension : shape) {
            product = product.multiply(dimension);
            strides = strides.multiply(dimension.max(BigInteger.ONE));
            require(product.compareTo(MOST) <= 0); // from left to right
        }
        BigInteger bits = product.multiply(BigInteger.valueOf(width));
        require(bits.compareTo(MOST) <= 0 && !bits.testBit(0) && !bits.testBit(1) && !bits.testBit(2));
        if (shape.size() > 64) {
            leniently.add(Leniency.DIMENSIONS);
        }
        if (strides.compareTo(OURS) > 0) {
            leniently.add(Leniency.LARGE_BESIDE_ZERO);
        }
        return bits.shiftRight(3);
    }

    private static List<BigInteger> numbers(Object list) throws Refused {
        require(list instanceof List<?>);
        List<BigInteger> numbers = new ArrayList<>();
        for (Object number : (List<?>) list) {
            require(number instanceof SimpleJson.Digits digits && digits.text().matches("[0-9]+"));
            BigInteger value = new BigInteger(((SimpleJson.Digits) number).text());
            require(value.compareTo(MOST) <= 0);
            numbers.add(value);
        }
        return numbers;
    }

    private static void require(boolean right) throws Refused {
        if (!right) {
            throw new Refused();
        }
    }

    /** JSON as RFC 8259 has it, names twice and all; nesting to 127. */
    private static final class SimpleJson {
        static final Object NULL = new Object();
        private static final int DEEPEST = 127;

        record Field(String name, Object value) {}

        record Fields(List<Field> all) {}

        record Digits(String text) {}

        private final String text;
        private int at;

        SimpleJson(String text) {
            this.text = text;
        }

        Object document() throws Refused {
            Object value = value(0);
            blank();
            require(at == text.length());
            return value;
        }

        private void blank() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        private boolean next(char c) {
            blank();
            boolean is = at < text.length() && text.charAt(at) == c;
            at += is ? 1 : 0;
            return is;
        }

        private Object value(int depth) throws Refused {
            require(depth <= DEEPEST);
            if (next('{')) {
                List<Field> fields = new ArrayList<>();
                if (next('}')) {
                    return new Fields(fields);
                }
                do {
                    require(next('"'));
                    String name = string();
                    require(next(':'));
                    fields.add(new Field(name, value(depth + 1)));
                } while (next(','));
                require(next('}'));
                return new Fields(fields);
            }
            if (next('[')) {
                List<Object> list = new ArrayList<>();
                if (next(']')) {
                    return list;
                }
                do {
                    list.add(value(depth + 1));
                } while (next(','));
                require(next(']'));
                return list;
            }
            if (next('"')) {
                return string();
            }
            for (String word : List.of("true", "false", "null")) {
                if (text.startsWith(word, at)) {
                    at += word.length();
                    return word.equals("null") ? NULL : (Object) word.equals("true");
                }
            }
            return number();
        }

        private Digits number() throws Refused {
            int from = at;
            while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            String number = text.substring(from, at);
            require(number.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?"));
            require(Double.isFinite(Double.parseDouble(number)));
            return new Digits(number);
        }

        private String string() throws Refused {
            StringBuilder out = new StringBuilder();
            while (true) {
                require(at < text.length());
                char c = text.charAt(at++);
                if (c == '"') {
                    break;
                }
                require(c >= ' ');
                if (c != '\\') {
                    out.append(c);
                    continue;
                }
                require(at < text.length());
                char escape = text.charAt(at++);
                int simple = "\"\\/bfnrt".indexOf(escape);
                if (simple >= 0) {
                    out.append("\"\\/\b\f\n\r\t".charAt(simple));
                } else {
                    require(escape == 'u' && at + 4 <= text.length());
                    String hex = text.substring(at, at + 4);
                    require(hex.matches("[0-9a-fA-F]{4}"));
                    out.append((char) Integer.parseInt(hex, 16));
                    at += 4;
                }
            }
            require(StandardCharsets.UTF_8.newEncoder().canEncode(out)); // no half of a surrogate pair
            return out.toString();
        }
    }
}
