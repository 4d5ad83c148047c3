package dev.greenfield.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Libraries that need each other lie together, verified at each use, in a folder named by what is in it. */
class NativeFolderTest {
    @TempDir
    Path temporary;

    private String before;

    @BeforeEach
    void remember() {
        before = System.getProperty(NativeExtraction.DIRECTORY);
        System.setProperty(
                NativeExtraction.DIRECTORY, temporary.resolve("natives").toString());
    }

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(NativeExtraction.DIRECTORY);
        } else {
            System.setProperty(NativeExtraction.DIRECTORY, before);
        }
    }

    private static List<Path> unpack() {
        return NativeFolder.unpack(
                NativeFolderTest.class.getClassLoader(),
                "native/lib/linux-x86_64/cpu/",
                "libtokenizers.so",
                "",
                name -> "other-" + name);
    }

    @Test
    void areUnpackedOnceAndReplacedWhereTheyAreNotWhatTheyWere() throws IOException {
        Path file = unpack().get(0);
        assertThat(file).hasFileName("libtokenizers.so").isRegularFile();
        byte[] whole = Files.readAllBytes(file);
        assertThat(Files.isSameFile(file, file.resolveSibling("other-libtokenizers.so")))
                .isTrue();
        var written = Files.getLastModifiedTime(file);
        assertThat(Files.getLastModifiedTime(unpack().get(0))).isEqualTo(written);
        byte[] damaged = whole.clone();
        damaged[damaged.length / 2] ^= 1;
        Files.write(file, damaged);
        assertThat(Files.readAllBytes(unpack().get(0))).isEqualTo(whole);
        assertThat(Files.isSameFile(file, file.resolveSibling("other-libtokenizers.so")))
                .isTrue();
    }

    @Test
    void aMissingLibraryIsNamed() {
        assertThatThrownBy(() -> NativeFolder.unpack(
                        NativeFolderTest.class.getClassLoader(), "native/lib/none/", "libnone.so", "", name -> name))
                .isInstanceOf(ExtractionException.class)
                .hasMessageContaining("native/lib/none/libnone.so");
    }
}
