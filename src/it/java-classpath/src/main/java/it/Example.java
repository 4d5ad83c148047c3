package it;

import com.fasterxml.jackson.databind.cfg.PackageVersion;
import dev.greenfield.BackendChoice;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.failure.NativeLibraryException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.response.SensitivityField;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The library with nothing optional beside it. */
public final class Example {
    private static final Logger LOG = LoggerFactory.getLogger(Example.class);

    private Example() {}

    public static void main(String[] args) throws IOException {
        try (Model model = Greenfield.demo()) {
            Run run = model.run("<|endoftext|> The capital of Korea is");
            SensitivityField field = run.sensitivity(Observable.logitDifference("Seoul", "Oslo"));
            LOG.info("sensitivity of the answer at {} depths", field.field().depths());
            System.out.println("logit difference " + field.value());
        }
        System.out.println("Jackson " + PackageVersion.VERSION);
        BackendChoice.survey().forEach(System.out::println);
        Path directory = withABytePairTokenizer();
        try (Model model = Greenfield.load(directory)) {
            model.run("a");
        } catch (NativeLibraryException missing) {
            System.out.println("refused: " + missing.getMessage());
        }
    }

    /** The demo model, with a tokenizer that needs Hugging Face's library. */
    private static Path withABytePairTokenizer() throws IOException {
        Path directory = Files.createTempDirectory(Path.of("target"), "model");
        for (String file : new String[] {"config.json", "model.safetensors"}) {
            try (InputStream in = Greenfield.class.getResourceAsStream("demo/" + file)) {
                Files.copy(in, directory.resolve(file));
            }
        }
        Files.writeString(directory.resolve("tokenizer.json"), """
                {"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}
                """);
        return directory;
    }
}
