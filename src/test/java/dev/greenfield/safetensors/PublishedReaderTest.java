package dev.greenfield.safetensors;

import static dev.greenfield.safetensors.SafetensorsBytes.entry;
import static dev.greenfield.safetensors.SafetensorsBytes.file;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each way in which our reader is stricter than the published one, by an example that the published package (0.8.0) reads. */
class PublishedReaderTest {
    private static final Map<PublishedReader.Leniency, byte[]> EXAMPLES = examples();

    private static Map<PublishedReader.Leniency, byte[]> examples() {
        Map<PublishedReader.Leniency, byte[]> examples = new EnumMap<>(PublishedReader.Leniency.class);
        String one = entry("a", "U8", "[1]", "[0,1]");
        examples.put(PublishedReader.Leniency.SPACE_BEFORE_THE_BRACE, file(" {" + one + "}", (byte) 1));
        examples.put(PublishedReader.Leniency.NAME_TWICE, file("{" + one + "," + one + "}", (byte) 1));
        examples.put(
                PublishedReader.Leniency.UNKNOWN_KEY,
                file("{" + one.replace("\"dtype\"", "\"x\":[{}],\"dtype\"") + "}", (byte) 1));
        examples.put(PublishedReader.Leniency.METADATA_NULL, file("{\"__metadata__\":null," + one + "}", (byte) 1));
        examples.put(PublishedReader.Leniency.ENTRY_AS_LIST, file("{\"a\":[\"U8\",[1],[0,1]]}", (byte) 1));
        examples.put(
                PublishedReader.Leniency.DTYPE_AS_OBJECT,
                file("{" + one.replace("\"U8\"", "{\"U8\":null}") + "}", (byte) 1));
        examples.put(
                PublishedReader.Leniency.DIMENSIONS,
                file("{" + entry("a", "U8", "[" + "1,".repeat(64) + "1]", "[0,1]") + "}", (byte) 1));
        examples.put(
                PublishedReader.Leniency.LARGE_BESIDE_ZERO,
                file("{" + entry("a", "U8", "[0,9223372036854775808]", "[0,0]") + "}"));
        return examples;
    }

    @ParameterizedTest
    @EnumSource
    void isStricterOnPurpose(PublishedReader.Leniency way) throws IOException {
        byte[] bytes = EXAMPLES.get(way);
        PublishedReader.Outcome published = PublishedReader.read(bytes);
        assertThat(published.taken()).isTrue();
        assertThat(published.leniently()).containsExactly(way);
        assertThatThrownBy(() -> Safetensors.of(ByteBuffer.wrap(bytes), "file"))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageStartingWith("file: ");
    }

    @Test
    void everyDtypeOfOursIsOneOfTheirs() throws IOException {
        for (DType dtype : DType.values()) {
            byte[] bytes = file(
                    "{" + entry("a", dtype.name(), "[8]", "[0," + dtype.bits() + "]") + "}", new byte[dtype.bits()]);
            assertThat(PublishedReader.read(bytes).taken()).as(dtype.name()).isTrue();
            Safetensors.of(ByteBuffer.wrap(bytes), "file").close();
        }
    }
}
