package dev.greenfield.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** {@code benchmarks/peers/torch_map.py --alternate} in a process of its own, which works only while it is asked to. */
final class MapPeer implements AutoCloseable {
    private final ObjectMapper json = new ObjectMapper();
    private final Process process;
    private final BufferedWriter to;
    private final BufferedReader from;

    /**
     * Starts it.
     *
     * @param python a Python with PyTorch
     * @param models exported models, one directory each
     * @param chunks the chunk sizes that it tries, separated by commas
     */
    MapPeer(String python, Path models, String chunks) throws IOException {
        process = new ProcessBuilder(List.of(
                        python,
                        Path.of("benchmarks", "peers", "torch_map.py").toString(),
                        "--alternate",
                        "--models",
                        models.toString(),
                        "--device",
                        "cpu",
                        "--precision",
                        "fp32",
                        "--chunks",
                        chunks))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        to = process.outputWriter();
        from = process.inputReader();
    }

    /**
     * Loads what is needed, and chooses its form and its chunk size on a part of the work.
     *
     * @param directions see {@link dev.greenfield.response.MapProbes}; null for an exact map
     * @return {@code best}, {@code plain} (the best over all rows), {@code tried}, {@code product_rate} (flops a second) and {@code machine}
     */
    JsonNode prepare(String model, int tokens, Path directions) throws IOException {
        Map<String, Object> work = new LinkedHashMap<>();
        work.put("model", model);
        work.put("tokens", tokens);
        work.put("directions", directions == null ? null : directions.toString());
        return ask(json.writeValueAsString(work));
    }

    /** Does the whole map once; seconds. */
    double run() throws IOException {
        return ask("run").path("seconds").asDouble();
    }

    /** The same by the best of the forms that push all rows, as most would write it. */
    double runPlain() throws IOException {
        return ask("run plain").path("seconds").asDouble();
    }

    /** The squared norms that the last run found, [L, T, L, T]: source depth, source token, target depth - 1, target token. */
    double[] result(Path temporary) throws IOException {
        ask("result " + temporary);
        double[] squares = json.readValue(temporary.toFile(), double[].class);
        Files.delete(temporary);
        return squares;
    }

    private JsonNode ask(String line) throws IOException {
        to.write(line);
        to.newLine();
        to.flush();
        String answer = from.readLine();
        if (answer == null) {
            throw new IOException("the peer ended instead of answering \"" + line + "\": see its messages above");
        }
        return json.readTree(answer);
    }

    @Override
    public void close() throws IOException {
        to.close();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
