package dev.greenfield.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The JSON of a header, read with no freedom: an object of tensors, each an object of exactly {@code dtype}, {@code shape}
 * and {@code data_offsets}, and at most one {@code __metadata__}, an object of strings. Any other value is refused where it
 * begins, so nesting cannot grow; a name that comes twice is refused rather than guessed at.
 */
final class HeaderParser {
    static final String METADATA = "__metadata__";
    /** More dimensions than any framework has; a limit keeps a header from filling memory with them. */
    static final int MOST_DIMENSIONS = 64;

    private static final int LONGEST_NUMBER = 40;

    /** Without its table of names, which gives up with an unchecked exception when a file fills it with collisions. */
    private static final JsonFactory FACTORY = new JsonFactoryBuilder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(4)
                    .maxNumberLength(LONGEST_NUMBER)
                    .maxNameLength(Header.LONGEST)
                    .maxStringLength(Header.LONGEST)
                    .build())
            .build();

    private final HeaderText json;
    private final int length; // bytes
    private final String origin;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Header.StoredTensor> entries = new LinkedHashMap<>();
    private boolean metadataSeen;

    HeaderParser(HeaderText json, int length, String origin) {
        this.json = json;
        this.length = length;
        this.origin = origin;
    }

    /** Reads and checks the header of a file. */
    static Header read(Data data, String origin) throws SafetensorsException {
        int length = length(data, origin);
        // A header may claim 100 MB: nothing of it is kept but what the parser makes of it, and no more is read than it
        // can use.
        Header header = new HeaderParser(new HeaderText(data, length, origin), length, origin)
                .parse(Header.LENGTH_BYTES + (long) length);
        header.checkRanges(data.size() - header.dataStart(), origin);
        return header;
    }

    private static int length(Data data, String origin) throws SafetensorsException {
        if (data.size() < Header.LENGTH_BYTES) {
            throw new SafetensorsException(
                    origin + ": the file has " + data.size() + " bytes, expected at least " + Header.LENGTH_BYTES
                            + " for the length of the header; it is no safetensors file or was cut short");
        }
        byte[] start = data.copy(0, Header.LENGTH_BYTES);
        long length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (new String(start, StandardCharsets.ISO_8859_1).equals("version ")) {
            throw new SafetensorsException(origin + ": the file of " + data.size()
                    + " bytes begins with 'version ' as a Git LFS pointer does, expected the safetensors file that it"
                    + " stands for; fetch it with 'git lfs pull'");
        }
        if (length < 0 || length > Header.LONGEST) {
            throw new SafetensorsException(origin + ": header length " + Long.toUnsignedString(length)
                    + ", expected at most " + Header.LONGEST + "; it is no safetensors file or is damaged");
        }
        if (length > data.size() - Header.LENGTH_BYTES) {
            throw new SafetensorsException(origin + ": header length " + length + ", but the file has only "
                    + (data.size() - Header.LENGTH_BYTES) + " bytes after the length; it was cut short or is damaged");
        }
        return (int) length;
    }

    Header parse(long dataStart) throws SafetensorsException {
        String first = json.first();
        if (!first.equals("{")) {
            throw refuse("", "the header begins with " + Text.quote(first) + ", expected '{'");
        }
        try (JsonParser parser = FACTORY.createParser(json)) {
            parser.nextToken();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = name(parser, "");
                if (name.equals(METADATA)) {
                    metadata(parser);
                } else if (entries.containsKey(name)) {
                    throw refuse(tensor(name), "the name comes twice in the header");
                } else {
                    entries.put(name, entry(parser, name));
                }
            }
            requireEnd(parser);
        } catch (SafetensorsException e) {
            throw e;
        } catch (JsonProcessingException e) {
            String place = e.getLocation() == null
                    ? ""
                    : " near character " + e.getLocation().getCharOffset() + " of " + length;
            throw new SafetensorsException(
                    origin + ": the header is not the JSON that was expected" + place + ": "
                            + Text.brief(String.valueOf(e.getOriginalMessage()))
                            + "; the file is damaged or was written wrongly",
                    e);
        } catch (IOException e) {
            throw new SafetensorsException(
                    origin + ": the header cannot be read: " + Text.brief(String.valueOf(e.getMessage())), e);
        }
        return new Header(Collections.unmodifiableMap(metadata), Collections.unmodifiableMap(entries), dataStart);
    }

    /** Only JSON's white space may follow: writers pad with spaces, some with line feeds, and the published reader takes both. */
    private void requireEnd(JsonParser parser) throws IOException {
        long end = parser.currentLocation().getCharOffset();
        JsonToken more;
        try {
            more = parser.nextToken();
        } catch (JsonProcessingException noJson) {
            throw refuse("", "the JSON of the header ended at " + end + " and only white space may follow");
        }
        if (more != null) {
            throw refuse(
                    "",
                    "the JSON of the header ended at " + end + " and only white space may follow, not "
                            + found(parser));
        }
    }

    private void metadata(JsonParser parser) throws IOException {
        if (metadataSeen) {
            throw refuse(METADATA + " ", "comes twice in the header");
        }
        metadataSeen = true;
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw refuse(METADATA + " ", "is " + found(parser) + ", expected an object of strings");
        }
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = name(parser, METADATA + " ");
            String what = METADATA + " " + Text.quote(key) + " ";
            if (metadata.containsKey(key)) {
                throw refuse(what, "comes twice in the header");
            }
            if (parser.nextToken() != JsonToken.VALUE_STRING) {
                throw refuse(what, "is " + found(parser) + ", expected a string");
            }
            metadata.put(key, text(parser, what));
        }
    }

    private Header.StoredTensor entry(JsonParser parser, String name) throws IOException {
        String what = tensor(name);
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw refuse(what, "is " + found(parser) + ", expected an object");
        }
        DType dtype = null;
        long[] shape = null;
        long[] offsets = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = name(parser, what);
            boolean twice = switch (key) {
                case "dtype" -> dtype != null;
                case "shape" -> shape != null;
                case "data_offsets" -> offsets != null;
                default ->
                    throw refuse(
                            what, "has the key " + Text.quote(key) + ", expected dtype, shape and data_offsets only");
            };
            if (twice) {
                throw refuse(what, "the key " + Text.quote(key) + " comes twice");
            }
            parser.nextToken();
            switch (key) {
                case "dtype" -> dtype = dtype(parser, what);
                case "shape" -> shape = numbers(parser, what + "shape ", MOST_DIMENSIONS);
                default -> offsets = offsets(parser, what);
            }
        }
        if (dtype == null || shape == null || offsets == null) {
            String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
            throw refuse(what, "has no " + missing + ", expected dtype, shape and data_offsets");
        }
        long elements = Header.elements(dtype, shape);
        if (elements < 0) {
            throw refuse(
                    what,
                    "shape " + Header.shapeText(shape) + " of " + dtype + " overflows: it takes more than "
                            + Long.MAX_VALUE + " bytes");
        }
        if (elements % 8 * dtype.bits() % 8 != 0) {
            throw refuse(what, "shape " + Header.shapeText(shape) + " of " + dtype + " does not fill whole bytes");
        }
        return new Header.StoredTensor(name, dtype, shape, elements, offsets[0], offsets[1]);
    }

    private DType dtype(JsonParser parser, String what) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw refuse(what, "dtype is " + found(parser) + ", expected a string such as \"F32\"");
        }
        try {
            return DType.of(parser.getText());
        } catch (IllegalArgumentException e) {
            throw new SafetensorsException(origin + ": " + what + "has " + e.getMessage(), e);
        }
    }

    private long[] offsets(JsonParser parser, String what) throws IOException {
        long[] offsets = numbers(parser, what + "data_offsets ", 2);
        if (offsets.length != 2) {
            throw refuse(what, "data_offsets has " + offsets.length + " numbers, expected 2");
        }
        return offsets;
    }

    private long[] numbers(JsonParser parser, String what, int most) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw refuse(what, "is " + found(parser) + ", expected an array of integers");
        }
        long[] numbers = new long[Math.min(most, 8)];
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (count == most) {
                throw refuse(what, "has more than the " + most + " numbers allowed");
            }
            if (count == numbers.length) {
                numbers = Arrays.copyOf(numbers, Math.min(most, 2 * count));
            }
            numbers[count++] = number(parser, what);
        }
        return Arrays.copyOf(numbers, count);
    }

    /** Reads the digits themselves: a number as JSON has it could come as 1.0, 1e3, -0 or 40 digits. */
    private long number(JsonParser parser, String what) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
                || parser.getText().startsWith("-")) {
            throw refuse(what, "holds " + found(parser) + ", expected integers from 0 to " + Long.MAX_VALUE);
        }
        try {
            return Long.parseLong(parser.getText());
        } catch (NumberFormatException e) {
            throw refuse(what, "holds " + found(parser) + ", expected integers from 0 to " + Long.MAX_VALUE);
        }
    }

    private String name(JsonParser parser, String what) throws IOException {
        if (parser.currentToken() != JsonToken.FIELD_NAME) {
            throw refuse(what, "the header of " + length + " bytes ends inside an object");
        }
        return wellFormed(parser.currentName(), what);
    }

    private String text(JsonParser parser, String what) throws IOException {
        return wellFormed(parser.getText(), what);
    }

    private String wellFormed(String text, String what) throws SafetensorsException {
        if (!Text.wellFormed(text)) {
            throw refuse(
                    what, "the text " + Text.quote(text) + " holds half of a surrogate pair, which is no character");
        }
        return text;
    }

    private static String tensor(String name) {
        return "tensor " + Text.quote(name) + " ";
    }

    /** Describes the value that the parser stands at. */
    private static String found(JsonParser parser) throws IOException {
        JsonToken token = parser.currentToken();
        if (token == null) {
            return "missing, as the header ends there";
        }
        return switch (token) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> "the string " + Text.quote(parser.getText());
            default -> Text.quote(parser.getText());
        };
    }

    private SafetensorsException refuse(String what, String why) {
        return new SafetensorsException(origin + ": " + what + why + "; the file is damaged or was written wrongly");
    }
}
