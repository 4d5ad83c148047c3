package dev.greenfield.lens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import dev.greenfield.model.Activation;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of averaged Jacobians: ours, the published one, and what must be refused. */
class JacobiansTest {
    private static final Path PUBLISHED = Path.of("src", "test", "data", "lens", "published.pt");

    @TempDir
    private Path directory;

    private static ModelConfig model(int layers, int width) {
        return new ModelConfig(layers, 2, width, 64, 12, 30, 1e-5, Activation.GELU_NEW, true, true, false);
    }

    /** PyTorch saved it: layer 0 of 2 in float16, three prompts, its numbers down the columns (a transposed view). */
    @Test
    void readsWhatTheyPublished() {
        Jacobians lens = Jacobians.open(PUBLISHED, model(2, 16));
        assertThat(lens.prompts()).isEqualTo(3);
        assertThat(new boolean[] {lens.has(0), lens.has(1), lens.has(2), lens.has(3)})
                .containsExactly(false, true, true, false);
        double[] matrix = lens.at(1); // their layer 0 is the output of block 0
        assertThat(Arrays.copyOf(matrix, 4)).containsExactly(1.8427734375, 2.779296875, -0.26171875, 0.81689453125);
        assertThat(matrix[2 * 16 + 5]).isEqualTo(0.402099609375);
        assertThat(matrix[5 * 16 + 2]).isEqualTo(0.287841796875);
        assertThat(lens.at(2)[17]).isEqualTo(1);
        assertThat(Arrays.stream(lens.at(2)).sum()).isEqualTo(16);
        assertThatThrownBy(() -> lens.at(0)).isInstanceOf(InputException.class).hasMessageContaining("no Jacobian");
    }

    @Test
    void refusesALensOfAnotherModel() {
        assertThatThrownBy(() -> Jacobians.open(PUBLISHED, model(2, 8)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("is of width 16, the model of 8");
        assertThatThrownBy(() -> Jacobians.open(directory.resolve("none.pt"), model(2, 16)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no file");
    }

    private Path tensors(String name, int... shape) throws IOException {
        Path file = directory.resolve("tensors.safetensors");
        long[] extents = Arrays.stream(shape).asLongStream().toArray();
        double[] values = new double[Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        Arrays.setAll(values, i -> i);
        try (SafetensorsWriter writer =
                SafetensorsWriter.to(file).tensor(name, DType.F32, extents).open()) {
            writer.write(values);
            writer.commit();
        }
        return file;
    }

    @Test
    void readsOursByFileAndByDirectory() throws IOException {
        tensors("green.average", 3, 4, 4);
        Jacobians lens = Jacobians.open(directory, model(2, 4));
        assertThat(lens.has(0)).isTrue();
        assertThat(lens.at(1)[1]).isEqualTo(17);
        assertThat(lens.at(2)[0]).isEqualTo(1); // the identity, whatever the file says
        assertThatThrownBy(() -> Jacobians.open(directory, model(3, 4)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("shape [3, 4, 4], expected [4, 4, 4]");
        tensors("field", 3, 4, 4);
        assertThatThrownBy(() -> Jacobians.open(directory, model(2, 4)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no tensor green.average");
    }

    private Path archive(byte[] pickle) throws IOException {
        Path file = directory.resolve("lens.pt");
        try (OutputStream out = Files.newOutputStream(file);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.putNextEntry(new ZipEntry("lens/data.pkl"));
            zip.write(pickle);
            zip.closeEntry();
        }
        return file;
    }

    private static byte[] pickle(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
        return bytes.toByteArray();
    }

    /** A pickle may name any function of Python: none is run here, and none but a tensor's is read. */
    @Test
    void refusesWhatIsNoLens() throws IOException {
        for (String pickle : new String[] {
            "\u0080\u0002cos\nsystem\nX\u0004\0\0\0echo\u0085R.", // a call
            "\u0080\u0002}.", // an empty map
            "\u0080\u0002}q\0X\u0001\0\0\0J}K\0K\u0001su.", // marks that do not match
            "\u0080\u0002X\u00ff\u00ff\u00ff\u00ff", // a length beyond the end
            "\u0080\u0002", // cut off
            "q\0", // nothing to remember
            "h\u0007." // nothing remembered
        }) {
            assertThatThrownBy(() -> Jacobians.open(archive(pickle(pickle)), model(2, 16)))
                    .as(pickle)
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("as a Jacobian lens")
                    .hasMessageNotContaining("\n");
        }
        byte[] damaged = Files.readAllBytes(PUBLISHED);
        Path cut = directory.resolve("cut.pt");
        Files.write(cut, Arrays.copyOf(damaged, damaged.length / 2));
        assertThatThrownBy(() -> Jacobians.open(cut, model(2, 16))).isInstanceOf(InputException.class);
        Path text = Files.writeString(directory.resolve("text.pt"), "not a lens at all");
        assertThatThrownBy(() -> Jacobians.open(text, model(2, 16)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("as a Jacobian lens");
    }
}
