package dev.greenfield.fuzz;

import dev.greenfield.study.StudyFiles;
import dev.greenfield.text.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** A study's directory of which one file is changed: what was measured comes back as it was, or is measured again. */
final class StudySubject implements Subject {
    private static final int SUM = 64;

    private final Path folder = Folders.create();
    private final Path manifest = folder.resolve("study.json");
    private final Path prompt = folder.resolve("prompts").resolve("0001.json");
    private final byte[] goodManifest;
    private final byte[] goodPrompt;
    private final String expected;

    StudySubject() throws IOException {
        StudyFiles.write(folder);
        goodManifest = Files.readAllBytes(manifest);
        goodPrompt = Files.readAllBytes(prompt);
        expected = StudyFiles.read(folder).orElseThrow();
    }

    @Override
    public void read(Choices choices) throws IOException {
        Files.write(manifest, goodManifest);
        Files.write(prompt, goodPrompt);
        boolean honest = true;
        switch (choices.below(3)) {
            case 0 -> Files.write(manifest, JsonMutants.mutant(goodManifest, choices));
            case 1 -> Files.write(prompt, JsonMutants.mutant(goodPrompt, choices));
            default -> {
                honest = false;
                Files.write(prompt, signed(JsonMutants.mutant(goodPrompt, choices)));
            }
        }
        Optional<String> found = StudyFiles.read(folder);
        if (honest && found.isPresent() && !found.get().equals(expected)) {
            throw new AssertionError("a damaged file was believed");
        }
    }

    /** The file with the sum that it should have, where it is long enough to have one. */
    private static byte[] signed(byte[] file) {
        if (file.length < SUM + 2) {
            return file;
        }
        byte[] sealed = file.clone();
        int at = file.length - SUM - 2;
        Arrays.fill(sealed, at, at + SUM, (byte) '0');
        System.arraycopy(Digest.sha256(sealed).getBytes(StandardCharsets.US_ASCII), 0, sealed, at, SUM);
        return sealed;
    }

    @Override
    public void close() throws IOException {
        Folders.delete(folder);
    }
}
