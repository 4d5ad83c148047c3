package dev.greenfield.safetensors;

import static dev.greenfield.safetensors.SafetensorsBytes.entry;
import static dev.greenfield.safetensors.SafetensorsBytes.file;
import static dev.greenfield.safetensors.SafetensorsBytes.length;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way to be malformed has its own message, which names the tensor and the numbers. */
class SafetensorsRefusalTest {
    private record Case(String what, byte[] bytes, List<String> said) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static Case refused(String what, byte[] bytes, String... said) {
        return new Case(what, bytes, List.of(said));
    }

    /** A file with one tensor 'a' of two floats and 8 bytes of data, some part of whose entry is replaced. */
    private static Case tensor(String what, String part, String replacement, String... said) {
        String good = "{" + entry("a", "F32", "[2]", "[0,8]") + "}";
        assertThat(good).contains(part);
        String[] all =
                Stream.concat(Stream.of("tensor 'a'"), Arrays.stream(said)).toArray(String[]::new);
        return refused(what, file(good.replace(part, replacement), new byte[8]), all);
    }

    private static Case header(String what, String json, String... said) {
        return refused(what, file(json, new byte[8]), said);
    }

    private static Case pair(String what, String first, String second, int data, String... said) {
        String json = "{" + entry("a", "U8", "[" + size(first) + "]", first) + ","
                + entry("b", "U8", "[" + size(second) + "]", second) + "}";
        return refused(what, file(json, new byte[data]), said);
    }

    private static long size(String offsets) {
        String[] ends = offsets.substring(1, offsets.length() - 1).split(",");
        return Long.parseLong(ends[1]) - Long.parseLong(ends[0]);
    }

    static Stream<Case> files() {
        String good = "{" + entry("a", "F32", "[2]", "[0,8]") + "}";
        byte[] notUtf8 = good.replace("\"a\"", "\"\u00ff\"").getBytes(StandardCharsets.ISO_8859_1);
        byte[] cutUtf8 = new byte[] {'{', '"', (byte) 0xe2, (byte) 0x82};
        byte[] surrogateUtf8 = new byte[] {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'};
        byte[] overlongUtf8 = new byte[] {'{', '"', (byte) 0xc0, (byte) 0xaf, '"'};
        return Stream.of(
                refused("empty file", new byte[0], "0 bytes", "at least 8"),
                refused("shorter than its length field", new byte[7], "7 bytes", "at least 8"),
                refused("header beyond the file", Arrays.copyOf(length(3), 10), "header length 3", "only 2 bytes"),
                refused("nothing after the length", length(1), "header length 1", "only 0 bytes"),
                refused("header over the limit", length(100_000_001), "header length 100000001", "at most 100000000"),
                refused("header at the limit", length(100_000_000), "header length 100000000", "only 0 bytes"),
                refused("header length negative", length(-1), "header length 18446744073709551615", "at most"),
                refused(
                        "Git LFS pointer",
                        "version https://git-lfs".getBytes(StandardCharsets.US_ASCII),
                        "git lfs pull"),
                refused("not UTF-8", file(notUtf8, new byte[8]), "byte 2 of the header of 54 bytes", "UTF-8"),
                refused("UTF-8 cut short", file(cutUtf8), "byte 2 of the header of 4 bytes", "UTF-8"),
                refused("UTF-8 of a surrogate", file(surrogateUtf8), "byte 2 of the header of 6 bytes", "UTF-8"),
                refused("UTF-8 overlong", file(overlongUtf8), "byte 2 of the header of 5 bytes", "UTF-8"),
                header("empty header", "", "begins with ''", "expected '{'"),
                header("header of spaces", "   ", "begins with ' '", "expected '{'"),
                header("byte order mark", "\ufeff" + good, "begins with '\\u{feff}'"),
                header("array for a header", "[]", "begins with '['"),
                header("half of a header", good.substring(0, 30), "near character 30 of 30"),
                header("a brace alone", "{", "near character 1 of 1"),
                header("comma at the end", "{" + entry("a", "F32", "[2]", "[0,8]") + ",}", "near character 54 of 55"),
                header("comment", "{/**/" + good.substring(1), "near character", "not the JSON"),
                header(
                        "control character in a name",
                        good.replace("\"a\"", "\"\n\""),
                        "near character",
                        "not the JSON"),
                header("garbage after the JSON", good + "  x ", "ended at 54", "only white space"),
                header("zero byte after the JSON", good + "\0", "ended at 54", "only white space"),
                header("two headers", good + good, "ended at 54", "not an object"),
                header(
                        "half a byte left",
                        "{" + entry("a", "F4", "[3]", "[0,1]") + "}",
                        "tensor 'a'",
                        "[3] of F4 does not fill whole bytes"),
                header(
                        "tensor twice",
                        "{" + entry("a", "U8", "[4]", "[0,4]") + "," + entry("a", "U8", "[4]", "[4,8]") + "}",
                        "tensor 'a'",
                        "twice"),
                header(
                        "tensor twice by an escape",
                        "{" + entry("a", "U8", "[4]", "[0,4]") + "," + entry("\\u0061", "U8", "[4]", "[4,8]") + "}",
                        "tensor 'a'",
                        "twice"),
                header("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", "__metadata__", "twice"),
                header(
                        "metadata key twice",
                        "{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}",
                        "__metadata__ 'k'",
                        "twice"),
                header("metadata no object", "{\"__metadata__\":[]}", "__metadata__", "an array", "object of strings"),
                header("metadata null", "{\"__metadata__\":null}", "__metadata__", "'null'", "object of strings"),
                header("metadata number", "{\"__metadata__\":{\"k\":12}}", "__metadata__ 'k'", "'12'", "a string"),
                header("metadata null value", "{\"__metadata__\":{\"k\":null}}", "__metadata__ 'k'", "'null'"),
                header("metadata nested", "{\"__metadata__\":{\"k\":{}}}", "__metadata__ 'k'", "an object"),
                header(
                        "metadata half a pair",
                        "{\"__metadata__\":{\"k\":\"\\udc00\"}}",
                        "__metadata__ 'k'",
                        "surrogate"),
                header(
                        "name with half a pair",
                        good.replace("\"a\"", "\"\\udc00\""),
                        "near character 8 of 59",
                        "surrogate"),
                header("deep nesting", "{\"a\":" + "[".repeat(100_000), "tensor 'a'", "an array"),
                header("deep nesting in a shape", "{\"a\":{\"shape\":" + "[".repeat(100_000), "tensor 'a'", "array"),
                tensor("tensor null", "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", "null", "'null'"),
                tensor("unknown key", "\"dtype\"", "\"x\":1,\"dtype\"", "key 'x'"),
                tensor("key in capitals", "\"dtype\"", "\"DTYPE\"", "key 'DTYPE'"),
                tensor("no dtype", "\"dtype\":\"F32\",", "", "no dtype"),
                tensor("no shape", "\"shape\":[2],", "", "no shape"),
                tensor("no offsets", ",\"data_offsets\":[0,8]", "", "no data_offsets"),
                tensor("no keys", "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]", "", "no dtype"),
                tensor("dtype twice", "\"dtype\"", "\"dtype\":\"F32\",\"dtype\"", "'dtype' comes twice"),
                tensor("shape twice", "\"shape\"", "\"shape\":[2],\"shape\"", "'shape' comes twice"),
                tensor("offsets twice", "\"data_offsets\"", "\"data_offsets\":[0,8],\"data_offsets\"", "comes twice"),
                tensor("unknown dtype", "F32", "F31", "dtype 'F31'", "BF16"),
                tensor("dtype in small letters", "F32", "f32", "dtype 'f32'"),
                tensor("dtype a number", "\"F32\"", "32", "dtype is '32'"),
                tensor("negative dimension", "[2]", "[-2]", "shape", "'-2'"),
                tensor("two negative dimensions", "[2]", "[-1,-2]", "shape", "'-1'"),
                tensor("negative zero", "[2]", "[-0]", "shape", "'-0'"),
                tensor("fraction", "[2]", "[2.5]", "shape", "'2.5'"),
                tensor("whole number as a fraction", "[2]", "[2.0]", "shape", "'2.0'"),
                tensor("whole number as a power", "[2]", "[2e0]", "shape", "'2e0'"),
                tensor("dimension a string", "[2]", "[\"2\"]", "shape", "the string '2'"),
                tensor("dimension null", "[2]", "[null]", "shape", "'null'"),
                tensor("dimension an array", "[2]", "[[2]]", "shape", "an array"),
                tensor("shape a number", "[2]", "2", "shape", "'2'"),
                tensor("dimension of 2^63", "[2]", "[9223372036854775808]", "'9223372036854775808'"),
                tensor("dimension of 39 digits", "[2]", "[" + "9".repeat(39) + "]", "9".repeat(39)),
                header("dimension of 1000 digits", good.replace("[2]", "[" + "9".repeat(1000) + "]"), "1000"),
                tensor("more than 64 dimensions", "[2]", "[2" + ",1".repeat(64) + "]", "shape", "64"),
                tensor("size overflows", "[2]", "[4294967296,4294967296]", "[4294967296, 4294967296]", "overflows"),
                tensor("bytes overflow", "[2]", "[2305843009213693952]", "[2305843009213693952]", "overflows"),
                tensor("strides overflow", "[2]", "[0,4294967296,4294967296]", "4294967296]", "overflows"),
                tensor("size wraps to the right one", "[2]", "[4611686018427387906]", "overflows"),
                tensor("shape too small", "[2]", "[1]", "[0, 8]", "[1]", "takes 4 bytes"),
                tensor("shape too large", "[2]", "[3]", "[0, 8]", "[3]", "takes 12 bytes"),
                tensor("scalar of 8 bytes", "[2]", "[]", "[0, 8]", "takes 4 bytes"),
                tensor("empty of 8 bytes", "[2]", "[2,0]", "[0, 8]", "takes 0 bytes"),
                tensor("offsets backwards", "[0,8]", "[8,0]", "[8, 0]", "takes 8 bytes"),
                tensor("offset negative", "[0,8]", "[-8,0]", "data_offsets", "'-8'"),
                tensor("offset of 2^64", "[0,8]", "[0,18446744073709551624]", "'18446744073709551624'"),
                tensor("one offset", "[0,8]", "[8]", "data_offsets has 1 number"),
                tensor("three offsets", "[0,8]", "[0,8,8]", "more than the 2"),
                tensor(
                        "past the end",
                        "[2],\"data_offsets\":[0,8]",
                        "[3],\"data_offsets\":[0,12]",
                        "byte 12",
                        "8 bytes"),
                tensor("data left over", "[2],\"data_offsets\":[0,8]", "[1],\"data_offsets\":[0,4]", "at 4", "4 bytes"),
                tensor("hole at the start", "[2],\"data_offsets\":[0,8]", "[1],\"data_offsets\":[4,8]", "byte 4", "0"),
                pair("overlap", "[0,5]", "[4,8]", 8, "'b' begins at byte 4", "'a'", "at 5"),
                pair("same range", "[0,4]", "[0,4]", 4, "'b' begins at byte 0", "'a'", "at 4"),
                pair("one within the other", "[0,8]", "[2,6]", 8, "'b' begins at byte 2", "'a'", "at 8"),
                pair("empty one within the other", "[0,8]", "[2,2]", 8, "'b' begins at byte 2", "'a'", "at 8"),
                pair("overlap in reverse order", "[4,8]", "[0,5]", 8, "'a' begins at byte 4", "'b'", "at 5"),
                pair("hole", "[0,3]", "[4,8]", 8, "'b' begins at byte 4", "expected 3"),
                pair("left over after both", "[0,3]", "[3,6]", 8, "'b' ends at 6", "8 bytes", "2 bytes belong"),
                pair("second past the end", "[0,4]", "[4,9]", 8, "'b' ends at byte 9", "8 bytes"),
                header("no tensor, yet data", "{}", "8 bytes", "no tensor"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void isRefusedWithTheNumbers(Case malformed) {
        Throwable error = catchThrowable(() -> Safetensors.of(ByteBuffer.wrap(malformed.bytes()), "made\nby hand"));
        assertThat(error).isInstanceOf(SafetensorsException.class);
        assertThat(error.getMessage())
                .startsWith("made\\u{a}by hand: ")
                .contains(malformed.said())
                .hasSizeLessThan(800)
                .matches("\\P{Cntrl}+");
    }

    @Test
    void theCasesStartFromAFileThatIsRight() {
        byte[] good = file("{" + entry("a", "F32", "[2]", "[0,8]") + "}  ", new byte[8]);
        assertThatCode(() -> Safetensors.of(ByteBuffer.wrap(good), "good").close())
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\t\t", "\r\n ", "  \n"})
    void anyWhiteSpaceOfJsonPadsAHeader(String padding) throws Exception {
        byte[] padded = file("{" + entry("a", "F32", "[2]", "[0,8]") + "}" + padding, new byte[8]);
        try (Safetensors in = Safetensors.of(ByteBuffer.wrap(padded), "padded")) {
            assertThat(in.tensor("a").toFloats()).containsExactly(0, 0);
        }
    }

    /** Elements, bytes that they take. */
    @ParameterizedTest
    @CsvSource({
        "U64, 3, 24",
        "C64, 3, 24",
        "F8_E4M3, 3, 3",
        "F8_E5M2, 3, 3",
        "F8_E4M3FNUZ, 3, 3",
        "F8_E5M2FNUZ, 3, 3",
        "F8_E8M0, 3, 3",
        "F6_E2M3, 4, 3",
        "F6_E3M2, 8, 6",
        "F4, 6, 3"
    })
    void aTypeThatCannotBeReadIsRefusedWhereItIsRead(String type, int elements, int bytes) throws Exception {
        byte[] both = file(
                "{" + entry("a", "F32", "[2]", "[0,8]") + ","
                        + entry("b", type, "[" + elements + "]", "[8," + (8 + bytes) + "]") + "}",
                new byte[8 + bytes]);
        try (Safetensors in = Safetensors.of(ByteBuffer.wrap(both), "both")) {
            assertThat(in.tensor("a").toFloats()).containsExactly(0, 0);
            Tensor b = in.tensor("b");
            assertThat(b.elements()).isEqualTo(elements);
            assertThat(catchThrowable(b::toFloats))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining(type);
            assertThat(catchThrowable(b::toLongs)).isInstanceOf(UnsupportedOperationException.class);
        }
    }

    @Test
    void unsignedTypesAreRead() throws Exception {
        byte[] data = {-1, -1, -1, -1, -1, -1};
        byte[] file =
                file("{" + entry("a", "U16", "[1]", "[0,2]") + "," + entry("b", "U32", "[1]", "[2,6]") + "}", data);
        try (Safetensors in = Safetensors.of(ByteBuffer.wrap(file), "unsigned")) {
            assertThat(in.tensor("a").toLongs()).containsExactly(65535);
            assertThat(in.tensor("b").toLongs()).containsExactly(4294967295L);
            assertThat(in.tensor("b").toDoubles()).containsExactly(4294967295.0);
        }
    }

    @Test
    void aHundredMegabytesOfNothingCostNothing(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("sparse");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.write(length(100_000_000));
            sparse.setLength(100_000_008);
        }
        assertThat(catchThrowable(() -> Safetensors.open(file))).hasMessageContaining("begins with '\\u{0}'");
    }

    @Test
    void aFileThatIsWrittenToWhileItIsOpenIsKnown(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("a");
        Files.write(path, file("{" + entry("a", "F32", "[2]", "[0,8]") + "}", new byte[8]));
        try (Safetensors in = Safetensors.open(path)) {
            in.requireUnchanged();
            Files.setLastModifiedTime(path, FileTime.fromMillis(0));
            assertThat(catchThrowable(in::requireUnchanged)).hasMessageContaining("changed while it was in use");
        }
        try (Safetensors in = Safetensors.open(path)) {
            byte[] before = in.bytes().readAllBytes();
            Path other = Files.write(directory.resolve("b"), new byte[3]);
            Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
            in.requireUnchanged();
            assertThat(in.bytes().readAllBytes()).isEqualTo(before);
        }
    }

    @Test
    void aFileThatIsCutWhileItIsOpenIsNoBug(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("a");
        int length = 1 << 20;
        Files.write(
                path, file("{" + entry("a", "U8", "[" + length + "]", "[0," + length + "]") + "}", new byte[length]));
        try (Safetensors in = Safetensors.open(path)) {
            try (RandomAccessFile cut = new RandomAccessFile(path.toFile(), "rw")) {
                cut.setLength(100);
            }
            assertThat(catchThrowable(() -> in.tensor("a").toFloats()))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("cut short or changed while it was in use");
        }
    }

    @Test
    void aFileWithoutTensorsIsLegal() throws Exception {
        try (Safetensors none = Safetensors.of(ByteBuffer.wrap(file("{}")), "none")) {
            assertThat(none.names()).isEmpty();
            assertThat(none.metadata()).isEmpty();
            assertThat(none.dataBytes()).isZero();
            assertThat(catchThrowable(() -> none.tensor("wte")))
                    .isInstanceOf(SafetensorsException.class)
                    .hasMessage("none: no tensor 'wte'; it holds no tensors");
        }
    }

    @Test
    void aLongNameIsShortenedAndMadeHarmless() {
        String name = "h\\n" + "x".repeat(10_000) + "\\u202e!";
        byte[] bytes = file("{" + entry(name, "F31", "[2]", "[0,8]") + "}", new byte[8]);
        assertThat(catchThrowable(() -> Safetensors.of(ByteBuffer.wrap(bytes), "long")))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("'h\\u{a}xxx")
                .hasMessageContaining("xxx\\u{202e}!' (10004 characters)")
                .message()
                .hasSizeLessThan(500);
    }
}
