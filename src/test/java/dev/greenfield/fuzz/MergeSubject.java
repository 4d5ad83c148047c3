package dev.greenfield.fuzz;

import dev.greenfield.cli.Cli;
import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A shard's directory of which one file is changed, merged with the other: exit 0, or 2 with one line. */
final class MergeSubject implements Subject {
    private final Path folder = Folders.create();
    private final Path result = folder.resolve("1").resolve("result.json");
    private final Path tensors = folder.resolve("1").resolve("tensors.safetensors");
    private final byte[] goodResult;
    private final byte[] goodTensors;

    MergeSubject() throws IOException {
        Path suite = folder.resolve("suite.json");
        Files.writeString(suite, "[{\"tokens\": [1, 2]}, {\"tokens\": [3, 4, 5]}, {\"tokens\": [6, 7]}]");
        for (int i = 1; i <= 2; i++) {
            Cli.done(
                    "map",
                    "--model",
                    Cli.SMALL,
                    "--suite",
                    suite.toString(),
                    "--shard",
                    i + "/2",
                    "--probes",
                    "2",
                    "--backend",
                    "reference",
                    "--out",
                    folder.resolve(Integer.toString(i)).toString());
        }
        goodResult = Files.readAllBytes(result);
        goodTensors = Files.readAllBytes(tensors);
    }

    @Override
    public void read(Choices choices) throws IOException {
        Files.write(result, goodResult);
        Files.write(tensors, goodTensors);
        if (choices.below(3) > 0) {
            Files.write(result, JsonMutants.mutant(goodResult, choices));
        } else {
            int length = (int)
                    ByteBuffer.wrap(goodTensors).order(ByteOrder.LITTLE_ENDIAN).getLong();
            byte[] header = JsonMutants.mutant(Arrays.copyOfRange(goodTensors, 8, 8 + length), choices);
            int data = goodTensors.length - 8 - length;
            Files.write(
                    tensors,
                    ByteBuffer.allocate(8 + header.length + data)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(header.length)
                            .put(header)
                            .put(goodTensors, 8 + length, data)
                            .array());
        }
        Cli merged = Cli.run(
                "merge",
                folder.resolve("1").toString(),
                folder.resolve("2").toString(),
                "--out",
                folder.resolve("out").toString());
        if (merged.exit() == 2) {
            throw new InputException(merged.err().strip());
        }
        if (merged.exit() != 0) {
            throw new AssertionError("exit " + merged.exit() + ": " + merged.err());
        }
    }

    @Override
    public void close() throws IOException {
        Folders.delete(folder);
    }
}
