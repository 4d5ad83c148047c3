package dev.greenfield.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.text.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Native libraries leave the jar for a private directory, whole, verified, under names that say what is in them. */
class NativeExtractionTest {
    private static final String RESOURCE = "/lib/libJCublas2-12.6.0-linux-x86_64.so";

    @TempDir
    Path temporary;

    private String before;

    @BeforeEach
    void remember() {
        before = System.getProperty(NativeExtraction.DIRECTORY);
        System.setProperty(NativeExtraction.DIRECTORY, temporary.resolve("a/b").toString());
    }

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(NativeExtraction.DIRECTORY);
        } else {
            System.setProperty(NativeExtraction.DIRECTORY, before);
        }
    }

    private static byte[] resource() throws IOException {
        try (var in = NativeExtractionTest.class.getResourceAsStream(RESOURCE)) {
            return in.readAllBytes();
        }
    }

    @Test
    void writesOnceIntoAPrivateDirectory() throws IOException {
        Path file = NativeExtraction.extract(RESOURCE);
        assertThat(file.getParent()).isEqualTo(temporary.resolve("a/b"));
        assertThat(file.getFileName().toString())
                .isEqualTo(Digest.sha256(resource()) + "-libJCublas2-12.6.0-linux-x86_64.so");
        assertThat(Files.readAllBytes(file)).isEqualTo(resource());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
                .isEqualTo("rwx------");
        var written = Files.getLastModifiedTime(file);
        assertThat(NativeExtraction.extract(RESOURCE)).isEqualTo(file);
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(written);
        try (Stream<Path> all = Files.list(file.getParent())) {
            assertThat(all).containsExactly(file);
        }
    }

    @Test
    void replacesWhatIsNotWhatTheNameSays() throws IOException {
        Path file = NativeExtraction.extract(RESOURCE);
        byte[] damaged = resource();
        damaged[damaged.length / 2] ^= 1;
        Files.write(file, damaged);
        assertThat(Files.readAllBytes(NativeExtraction.extract(RESOURCE))).isEqualTo(resource());
        Files.delete(file);
        Path elsewhere = Files.write(temporary.resolve("elsewhere"), resource());
        Files.createSymbolicLink(file, elsewhere);
        assertThat(Files.isSymbolicLink(NativeExtraction.extract(RESOURCE))).isFalse();
    }

    @Test
    void refusesADirectoryThatOthersMayWriteTo() throws IOException {
        Path open = Files.createDirectories(temporary.resolve("a/b"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(() -> NativeExtraction.extract(RESOURCE))
                .isInstanceOf(ExtractionException.class)
                .hasMessageContaining("others may write to it")
                .hasMessageContaining("-D" + NativeExtraction.DIRECTORY + "=DIR");
        try (Stream<Path> all = Files.list(open)) {
            assertThat(all).isEmpty();
        }
    }

    @Test
    void namesWhatTheJarLacks() {
        assertThatThrownBy(() -> NativeExtraction.extract("/lib/libnone.so"))
                .isInstanceOf(ExtractionException.class)
                .hasMessageContaining("does not contain lib/libnone.so");
    }
}
