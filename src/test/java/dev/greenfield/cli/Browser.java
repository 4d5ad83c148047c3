package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Chromium without a window: opens a page, lets its scripts run and says what became of it. */
final class Browser {
    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome");
    static final List<String> OPTIONS = List.of(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1200,900");

    private Browser() {}

    /** The document after its scripts have run. Skips the calling test, and says why, where no browser is installed. */
    static String document(Path page, String fragment, Path temporary) throws IOException, InterruptedException {
        Path program = program();
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(OPTIONS);
        command.add("--user-data-dir=" + Files.createTempDirectory(temporary, "profile"));
        command.add("--dump-dom");
        command.add(page.toUri() + fragment);
        Path document = Files.createTempFile(temporary, "document", ".html");
        Path messages = Files.createTempFile(temporary, "browser", ".log");
        Process process = new ProcessBuilder(command)
                .redirectOutput(document.toFile())
                .redirectError(messages.toFile())
                .start();
        boolean ended = process.waitFor(90, TimeUnit.SECONDS);
        process.destroyForcibly();
        assertThat(ended && process.exitValue() == 0)
                .as("%s ended within 90 s; it said: %s", program, Files.readString(messages))
                .isTrue();
        return Files.readString(document, StandardCharsets.UTF_8);
    }

    /** The browser. Skips the calling test, and says why, where none is installed. */
    static Path program() {
        Path program = find();
        if (program == null) {
            Assumptions.abort("no browser, found none of " + String.join(", ", NAMES) + " on the PATH");
        }
        return program;
    }

    private static Path find() {
        String path = System.getenv().getOrDefault("PATH", "");
        return NAMES.stream()
                .flatMap(name -> Stream.of(path.split(File.pathSeparator, -1)).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }
}
