package dev.greenfield.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of JSON have a size that is checked before they take memory. */
class JsonTest {
    @TempDir
    Path folder;

    @Test
    void aFileBeyondAllSizesIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("a.json"), "[1]");
        assertThat(Json.parse(Json.bytes(file, "a"), "a").get(0).asInt()).isEqualTo(1);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(3L << 30); // more than an array can hold
        }
        assertThatThrownBy(() -> Json.bytes(file, "a"))
                .isInstanceOf(InputException.class)
                .hasMessage("a: found more than 32 MiB, expected a small file of JSON; get the file again");
    }
}
