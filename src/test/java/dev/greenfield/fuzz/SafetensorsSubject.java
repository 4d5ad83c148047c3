package dev.greenfield.fuzz;

import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.PublishedReader;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsException;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Tensor files whose header is changed as JSON, whose length and data fit or not; judged by the published reader's rules too. */
final class SafetensorsSubject implements Subject {
    private final List<byte[]> seeds = new ArrayList<>();

    SafetensorsSubject() throws IOException {
        for (int i = 0; i < 3; i++) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            SafetensorsWriter.Builder builder = SafetensorsWriter.to(out);
            if (i > 0) {
                builder.metadata("format", "pt").metadata("b", "c");
            }
            builder.tensor("wte.weight", DType.F32, 2, 3).tensor("none", DType.I8, 0, 5);
            if (i == 2) {
                builder.tensor("h.0.b", DType.BF16, 4).tensor("scalar", DType.F64);
            }
            try (SafetensorsWriter writer = builder.open()) {
                writer.write(new double[i == 2 ? 11 : 6]);
                writer.commit();
            }
            seeds.add(out.toByteArray());
        }
    }

    private byte[] file(Choices choices) {
        byte[] seed = choices.of(seeds);
        int length = (int) ByteBuffer.wrap(seed).order(ByteOrder.LITTLE_ENDIAN).getLong();
        byte[] header = JsonMutants.mutant(Arrays.copyOfRange(seed, 8, 8 + length), choices);
        long claimed = switch (choices.below(16)) {
            case 0 -> choices.any();
            case 1 -> header.length + choices.below(64) - 32;
            default -> header.length;
        };
        int data = Math.max(0, seed.length - 8 - length + (choices.below(8) == 0 ? choices.below(32) - 16 : 0));
        return ByteBuffer.allocate(8 + header.length + data)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(claimed)
                .put(header)
                .array();
    }

    @Override
    public void read(Choices choices) throws IOException {
        byte[] bytes = file(choices);
        PublishedReader.Outcome published = PublishedReader.read(bytes);
        try (Safetensors file = Safetensors.of(ByteBuffer.wrap(bytes), "file")) {
            for (String name : file.names()) {
                boolean readable = file.tensor(name).dtype().readable();
                if (readable
                        && file.tensor(name).toDoubles().length
                                != file.tensor(name).elements()) {
                    throw new AssertionError(name);
                }
            }
            if (!published.taken() || !published.leniently().isEmpty()) {
                throw new AssertionError("read, but the published reader has it " + published);
            }
        } catch (SafetensorsException refused) {
            if (published.taken() && published.leniently().isEmpty()) {
                throw new AssertionError("refused without one of our reasons to be stricter", refused);
            }
            throw refused;
        }
    }
}
