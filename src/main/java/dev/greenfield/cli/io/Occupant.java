package dev.greenfield.cli.io;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Whose the files in a directory are that is to be written into. */
final class Occupant {
    /** What a study keeps of its work, which it is taken up by. */
    private static final String STUDY = "study.json";

    private static final int MOST_NAMED = 3;

    private Occupant() {}

    /**
     * Refuses a directory in which files are that are not of this command. Hidden files and folders in it do not count: nothing of them
     * can be replaced.
     *
     * @throws InputException if there are any
     */
    static void requireOwn(Path directory, String given, String command) {
        String found;
        try {
            found = found(directory, command);
        } catch (IOException unreadable) {
            throw new InputException(
                    "--out " + Quantities.quoted(given) + " cannot be read: " + Failure.describe(unreadable)
                            + "; choose another directory",
                    unreadable);
        }
        if (found != null) {
            throw new InputException("--out " + Quantities.quoted(given) + ": found " + found
                    + ", expected a new or empty directory or results of '" + command
                    + "'; choose another directory, or write into this one with --force");
        }
    }

    /** What of others is there; null for nothing. */
    private static String found(Path directory, String command) throws IOException {
        Path result = directory.resolve(OutputDirectory.RESULT);
        if (Files.isRegularFile(result)) {
            String owner = command(result);
            return command.equals(owner)
                    ? null
                    : owner == null
                            ? "a " + OutputDirectory.RESULT + " that is not of this program"
                            : "results of '" + Lines.one(owner) + "'";
        }
        List<String> files;
        try (Stream<Path> entries = Files.list(directory)) {
            files = entries.filter(entry -> !Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))
                    .map(entry -> entry.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
        }
        boolean own = files.isEmpty()
                || (command.equals("study") && files.contains(STUDY))
                || (files.contains(OutputDirectory.TENSORS) && command.equals(ofTensors(directory)));
        return own ? null : "files of others (" + Lines.some(files, MOST_NAMED) + ")";
    }

    /** The command whose tensors are there without their results, as a killed run may leave them; null where that is not known. */
    private static String ofTensors(Path directory) {
        try (Safetensors file = Safetensors.open(directory.resolve(OutputDirectory.TENSORS))) {
            return file.metadata().get("command");
        } catch (IOException | InputException damaged) {
            return null;
        }
    }

    /** The command whose results a file holds; null where it is no such file. Only its beginning is read: it may be long. */
    private static String command(Path result) throws IOException {
        try (InputStream stream = Files.newInputStream(result);
                JsonParser parser = Json.FACTORY.createParser(stream)) {
            boolean begins = parser.nextToken() == JsonToken.START_OBJECT
                    && parser.nextToken() == JsonToken.FIELD_NAME
                    && parser.currentName().equals("command")
                    && parser.nextToken() == JsonToken.VALUE_STRING;
            return begins ? parser.getText() : null;
        } catch (JsonProcessingException noJson) {
            return null;
        }
    }
}
