package dev.greenfield.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file appears whole or not at all, and a wrong declaration is refused where it is made. */
@Tag("slow")
class SafetensorsWriterTest {
    private static final byte[] OLD = "what was there before".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path directory;

    private Path target;

    @BeforeEach
    void anOldFileIsThere() throws IOException {
        target = Files.write(directory.resolve("model.safetensors"), OLD);
    }

    private void assertUntouched() throws IOException {
        assertThat(target).hasBinaryContent(OLD);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(target);
        }
    }

    private SafetensorsWriter.Builder declared() {
        return SafetensorsWriter.to(target).tensor("first", DType.F32, 2).tensor("second", DType.I8, 2, 2);
    }

    @Test
    void commitReplacesTheTargetAndLeavesNothingElse() throws IOException {
        try (SafetensorsWriter out = declared().open()) {
            out.write(new double[] {1, 2, 3, 4, 5, 6});
            assertThat(target).hasBinaryContent(OLD);
            out.commit();
        }
        try (Safetensors in = Safetensors.open(target);
                Stream<Path> files = Files.list(directory)) {
            assertThat(in.tensor("first").toDoubles()).containsExactly(1, 2);
            assertThat(in.tensor("second").toLongs()).containsExactly(3, 4, 5, 6);
            byte[] bytes = Files.readAllBytes(target);
            int second = (int) in.tensor("second").offset();
            assertThat(Arrays.copyOfRange(bytes, second, bytes.length)).containsExactly(3, 4, 5, 6);
            assertThat(files).containsExactly(target);
        }
    }

    @Test
    void theFileHasThePermissionsOfAnyOther() throws IOException {
        assumeThat(directory.getFileSystem().supportedFileAttributeViews())
                .as("permissions as POSIX has them")
                .contains("posix");
        Path ordinary = Files.createFile(directory.resolve("ordinary"));
        try (SafetensorsWriter out = SafetensorsWriter.to(target).open()) {
            out.commit();
        }
        assertThat(Files.getPosixFilePermissions(target)).isEqualTo(Files.getPosixFilePermissions(ordinary));
    }

    @Test
    void closeWithoutCommitLeavesNothing() throws IOException {
        SafetensorsWriter out = declared().open();
        out.write(new double[] {1, 2, 3, 4, 5, 6});
        out.close();
        out.close();
        assertUntouched();
        assertThatThrownBy(out::commit).hasMessage("the file was closed; open another writer");
        assertUntouched();
    }

    @Test
    void anIncompleteFileIsNotCommitted() throws IOException {
        try (SafetensorsWriter out = declared().open()) {
            assertThatThrownBy(out::commit)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("tensor 'first' has 0 of 2 elements, and 6 are missing");
            out.write(new float[] {1, 2, 3});
            assertThatThrownBy(out::commit)
                    .hasMessageContaining("tensor 'second' has 1 of 4 elements, and 3 are missing");
            assertThatThrownBy(() -> out.write(new long[4]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("4 elements were given, but only 3");
        }
        assertUntouched();
    }

    @Test
    void aWriterCanGoOnAfterARefusedCommit() throws IOException {
        try (SafetensorsWriter out = declared().open()) {
            out.write(new double[5]);
            assertThatThrownBy(out::commit).isInstanceOf(IllegalStateException.class);
            out.write(new double[1]);
            out.commit();
            assertThatThrownBy(() -> out.write(new double[0])).hasMessageContaining("was committed");
            assertThatThrownBy(out::commit).hasMessageContaining("was committed");
        }
        try (Safetensors in = Safetensors.open(target)) {
            assertThat(in.dataBytes()).isEqualTo(12);
        }
    }

    @Test
    void aValueThatDoesNotFitLeavesNothing() throws IOException {
        try (SafetensorsWriter out = declared().open()) {
            assertThatThrownBy(() -> out.write(new double[] {1, 2, 3, 128, 5, 6}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("tensor 'second': element 1 is 128, which I8");
            // The temporary file is gone before the writer is closed.
            assertUntouched();
        }
        assertUntouched();
    }

    @Test
    void aFailedRenameLeavesNothing() throws IOException {
        Path blocked = directory.resolve("blocked");
        try (SafetensorsWriter out = SafetensorsWriter.to(blocked).open()) {
            Files.createDirectories(blocked.resolve("in the way"));
            assertThatThrownBy(out::commit).isInstanceOf(IOException.class);
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactlyInAnyOrder(target, blocked);
        }
    }

    @Test
    void aTargetThatCannotBeIsRefusedAtOnce() {
        assertThatThrownBy(() -> SafetensorsWriter.to(directory).open())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is a directory");
        assertThatThrownBy(() -> SafetensorsWriter.to(directory.resolve("none/a.safetensors"))
                        .open())
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("there is no directory");
    }

    @Test
    void aStreamThatFailsIsReportedAndNeverClosed() throws IOException {
        OutputStream full = new OutputStream() {
            private int room = 300;

            @Override
            public void write(int b) throws IOException {
                if (room-- == 0) {
                    throw new IOException("disk full");
                }
            }

            @Override
            public void close() {
                throw new AssertionError("closed");
            }
        };
        try (SafetensorsWriter out =
                SafetensorsWriter.to(full).tensor("a", DType.F64, 100).open()) {
            assertThatThrownBy(() -> out.write(new double[100])).hasMessage("disk full");
            assertThatThrownBy(out::commit).hasMessageContaining("dropped because a write failed");
        }
    }

    @Test
    void wrongDeclarationsAreRefused() {
        SafetensorsWriter.Builder builder = declared().metadata("k", "v");
        assertRefused(() -> builder.tensor("first", DType.F32), "tensor 'first': declared twice");
        assertRefused(() -> builder.tensor("__metadata__", DType.F32), "'__metadata__': the format reserves");
        assertRefused(() -> builder.tensor("n", DType.F32, 2, -3), "tensor 'n': shape [2, -3] has a negative");
        assertRefused(() -> builder.tensor("n", DType.F32, 1L << 31, 1L << 31), "[2147483648, 2147483648] of F32");
        assertRefused(() -> builder.tensor("n", DType.F32, -1, 0), "negative");
        assertRefused(() -> builder.tensor("n", DType.F32, new long[65]), "65 dimensions, expected at most 64");
        assertRefused(() -> builder.tensor("n\ud800", DType.F32), "tensor name 'n\\u{d800}'");
        assertRefused(() -> builder.metadata("k", "w"), "metadata 'k' is given twice");
        assertRefused(() -> builder.metadata("l", "\udc00"), "metadata value");
        assertRefused(
                () -> SafetensorsWriter.to(new ByteArrayOutputStream())
                        .tensor("large", DType.U8, Long.MAX_VALUE)
                        .tensor("last", DType.U8, 1),
                "tensor 'last': shape [1] of U8 after 9223372036854775807 bytes");
        assertRefused(
                () -> SafetensorsWriter.to(target)
                        .metadata("long", "x".repeat(Header.LONGEST))
                        .open(),
                "expected at most 100000000");
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String said) {
        assertThatThrownBy(call)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(said)
                .hasMessageMatching("\\P{Cntrl}+");
    }

    @Test
    void theHeaderIsPaddedAndNamesMayBeAnything() throws IOException {
        for (int i = 0; i < 20; i++) {
            String name = "x".repeat(i) + "\"\\\n\u0000\u20ac\ud83d\ude00";
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (SafetensorsWriter out = SafetensorsWriter.to(bytes)
                    .metadata(name, name)
                    .metadata("", "")
                    .tensor(name, DType.F16, 1)
                    .tensor("", DType.F64)
                    .open()) {
                out.write(new double[] {0.5, 0.25});
                out.commit();
            }
            ByteBuffer file = ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(file.getLong(0) % 8).isZero();
            assertThat(file.capacity()).isEqualTo(8 + (int) file.getLong(0) + 10);
            assertThat(SafetensorsOracle.fault(file.array())).isNull();
            try (Safetensors in = Safetensors.of(file, "names")) {
                assertThat(in.names()).containsExactly(name, "");
                assertThat(in.metadata()).containsEntry(name, name).containsEntry("", "");
                assertThat(in.tensor(name).toDoubles()).containsExactly(0.5);
                assertThat(in.tensor("").toDoubles()).containsExactly(0.25);
            }
        }
    }

    @Test
    void piecesOfAnySizeMakeTheSameFile() throws IOException {
        double[] values = new double[70_000]; // beyond the buffer for F32, F64 and I64
        java.util.Arrays.setAll(values, i -> i - 30_000);
        byte[] whole = pieces(values, values.length);
        for (int piece : new int[] {1, 7, 8192, 65_537}) {
            assertThat(pieces(values, piece)).isEqualTo(whole);
        }
        try (Safetensors in = Safetensors.of(ByteBuffer.wrap(whole), "whole")) {
            assertThat(in.tensor("b").toDoubles()).startsWith(-29_999, -29_998).hasSize(30_000);
            assertThat(in.tensor("c").toLongs()).endsWith(39_999).hasSize(39_999);
        }
    }

    private static byte[] pieces(double[] values, int piece) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (SafetensorsWriter out = SafetensorsWriter.to(bytes)
                .tensor("a", DType.F64)
                .tensor("b", DType.F32, 30_000)
                .tensor("none", DType.F32, 0)
                .tensor("c", DType.I64, 39_999)
                .open()) {
            for (int at = 0; at < values.length; at += piece) {
                out.write(values, at, Math.min(piece, values.length - at));
            }
            out.commit();
        }
        return bytes.toByteArray();
    }
}
