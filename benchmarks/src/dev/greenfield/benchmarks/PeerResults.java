package dev.greenfield.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The measurements that the peers left, one JSON file each. */
final class PeerResults {
    /**
     * One measurement.
     *
     * @param name the peer
     * @param precision {@code fp32} or {@code tf32}
     * @param choice its fastest form and chunk size, for people; empty if it failed
     * @param seconds null if it failed
     * @param result the numbers to compare; empty if it failed
     * @param error what went wrong, or null
     * @param machine its hardware and versions
     */
    record Peer(
            String name,
            String precision,
            String choice,
            TimeSpread seconds,
            double[] result,
            String error,
            String machine) {}

    private record PeerResult(String model, GpuCase.Work work, Peer peer) {}

    private final List<PeerResult> entries = new ArrayList<>();

    /** Reads the files of a directory; null for no peers. */
    static PeerResults read(Path directory) throws IOException {
        PeerResults results = new PeerResults();
        if (directory == null || !Files.isDirectory(directory)) {
            return results;
        }
        ObjectMapper mapper = new ObjectMapper();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.json")) {
            for (Path file : files) {
                results.entries.add(entry(mapper.readTree(file.toFile())));
            }
        }
        results.entries.sort(Comparator.comparing(e -> e.peer().name()));
        return results;
    }

    private static PeerResult entry(JsonNode json) {
        GpuCase.Work work = new GpuCase.Work(
                json.path("kind").asText(),
                json.path("tokens").asInt(),
                json.path("columns").asInt(0));
        JsonNode time = json.path("seconds");
        TimeSpread seconds = time.isMissingNode()
                ? null
                : new TimeSpread(
                        time.path("median").asDouble(),
                        time.path("p05").asDouble(),
                        time.path("p95").asDouble(),
                        time.path("repeats").asInt());
        double[] result = new double[json.path("result").size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = json.path("result").get(i).asDouble();
        }
        List<String> choice = new ArrayList<>();
        json.path("best")
                .fields()
                .forEachRemaining(f -> choice.add(
                        f.getValue().isNumber()
                                ? f.getKey() + " " + f.getValue().asText()
                                : f.getValue().asText()));
        return new PeerResult(
                json.path("model").asText(),
                work,
                new Peer(
                        json.path("peer").asText(),
                        json.path("precision").asText(),
                        String.join(", ", choice),
                        seconds,
                        result,
                        json.path("error").asText(null),
                        json.path("machine").toString()));
    }

    /** The peers that did, or tried to do, this work on this model. */
    List<Peer> of(String model, GpuCase.Work work) {
        return entries.stream()
                .filter(e -> e.model().equals(model) && e.work().equals(work))
                .map(PeerResult::peer)
                .toList();
    }

    /** Norm of the difference over the norm of {@code other}; NaN if the lengths differ. */
    static double difference(double[] ours, double[] other) {
        if (ours.length != other.length) {
            return Double.NaN;
        }
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < ours.length; i++) {
            difference += (ours[i] - other[i]) * (ours[i] - other[i]);
            norm += other[i] * other[i];
        }
        return Math.sqrt(difference / norm);
    }
}
