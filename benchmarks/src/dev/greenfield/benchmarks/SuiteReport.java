package dev.greenfield.benchmarks;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the suite found: as a table for people and as JSON. */
final class SuiteReport {
    /**
     * One piece of work.
     *
     * @param seconds ours; null if it failed
     * @param usefulFlops see {@link GpuWorkloads.Prepared#usefulFlops}
     * @param shapesRate flops a second of the plain products of this work's own shapes
     * @param result our numbers
     * @param error what went wrong, or null
     * @param peers the others on the same work
     */
    record Row(
            String model,
            GpuCase.Work work,
            TimeSpread seconds,
            double usefulFlops,
            double shapesRate,
            double[] result,
            String error,
            List<PeerResults.Peer> peers) {
        boolean measured() {
            return seconds != null;
        }
    }

    private final Map<String, String> machine;
    private final double squareRate;
    private final double bandwidth;
    private final double tolerance;
    private final List<Row> rows = new ArrayList<>();
    private final List<DeviceRates.Product> products = new ArrayList<>();
    private final List<OperationRates.Row> operations = new ArrayList<>();

    /**
     * @param machine backend, device, versions and settings, for people
     * @param squareRate flops a second of a large square product
     * @param bandwidth bytes a second
     * @param tolerance the largest relative difference to a peer that counts as agreement
     */
    SuiteReport(Map<String, String> machine, double squareRate, double bandwidth, double tolerance) {
        this.machine = machine;
        this.squareRate = squareRate;
        this.bandwidth = bandwidth;
        this.tolerance = tolerance;
    }

    void add(OperationRates.Row alone) {
        operations.add(alone);
    }

    void add(DeviceRates.Product alone) {
        products.add(alone);
    }

    void add(Row row) {
        rows.add(row);
    }

    /** What is wrong, one line each: work that failed and results that do not agree with a peer's. */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        for (Row row : rows) {
            if (!row.measured()) {
                problems.add(title(row) + ": " + row.error());
                continue;
            }
            for (PeerResults.Peer peer : row.peers()) {
                double difference = PeerResults.difference(row.result(), peer.result());
                // Written so that NaN is a disagreement.
                if (compared(row, peer) && peer.seconds() != null && !(difference <= tolerance)) {
                    problems.add(line(
                            "%s: differs from %s by %.1e, expected at most %.0e: one of them is wrong",
                            title(row), peer.name(), difference, tolerance));
                }
            }
        }
        return problems;
    }

    /** Estimates from different random directions give no results to compare. */
    private static boolean compared(Row row, PeerResults.Peer peer) {
        return row.result().length > 0 || peer.result().length > 0;
    }

    private static String title(Row row) {
        GpuCase.Work w = row.work();
        return line("%s %s T=%d", row.model(), w.kind(), w.tokens()) + (w.columns() > 0 ? " N=" + w.columns() : "");
    }

    /** The table, aligned. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        machine.forEach((name, value) -> lines.add(line("%-12s%s", name, value)));
        lines.add(line("%-12s%.2f TFLOP/s for a large square product", "GEMM", squareRate / 1e12));
        lines.add(line("%-12s%.3f TB/s, read and written, adding a bias", "bandwidth", bandwidth / 1e12));
        if (!products.isEmpty()) {
            lines.add("");
            lines.add(line("%-34s %10s %10s", "product", "weights", "TFLOP/s"));
            products.forEach(p -> lines.add(line("%-34s %10s %10.3f", p.shape(), p.way(), p.rate() / 1e12)));
        }
        lines.add("");
        lines.add(line(
                "%-34s %10s %21s %9s %9s %9s %9s  %s",
                "work",
                "median ms",
                "5 % .. 95 % ms",
                "TFLOP/s",
                "of shapes",
                "of square",
                "ours is",
                "difference, choice"));
        for (Row row : rows) {
            lines.add(ours(row));
            row.peers().forEach(peer -> lines.add(theirs(row, peer)));
        }
        if (!operations.isEmpty()) {
            lines.add("");
            lines.add(line(
                    "%-20s %-26s %10s %9s %12s %9s  %s",
                    "operation", "shape", "median ms", "TB/s", "of bandwidth", "TFLOP/s", "cuBLAS and cuDNN take"));
            operations.forEach(row -> lines.add(alone(row)));
        }
        return lines;
    }

    private String alone(OperationRates.Row row) {
        double bytes = row.bytes() / row.seconds();
        String unfused = row.note() == null ? "" : "not measured: " + row.note();
        if (row.unfusedSeconds() > 0) {
            unfused = line("%.3f ms, %.2fx", 1e3 * row.unfusedSeconds(), row.unfusedSeconds() / row.seconds());
        }
        return line(
                        "%-20s %-26s %10.3f %9.3f %12.3f %9s  %s",
                        row.operation(),
                        row.shape(),
                        1e3 * row.seconds(),
                        bytes / 1e12,
                        bytes / bandwidth,
                        row.flops() > 0 ? line("%.2f", row.flops() / row.seconds() / 1e12) : "",
                        unfused)
                .stripTrailing();
    }

    private String ours(Row row) {
        if (!row.measured()) {
            return line("%-34s FAILED: %s", title(row), row.error());
        }
        double rate = row.usefulFlops() / row.seconds().median();
        return line(
                "%-34s %s %9.3f %9.3f %9.3f",
                title(row), times(row.seconds()), rate / 1e12, rate / row.shapesRate(), rate / squareRate);
    }

    private String theirs(Row row, PeerResults.Peer peer) {
        String name =
                "  " + peer.name() + (peer.precision().equals(machine.get("precision")) ? "" : " " + peer.precision());
        if (peer.seconds() == null) {
            return line("%-34s FAILED: %s", name, peer.error());
        }
        double rate = row.usefulFlops() / peer.seconds().median();
        String ratio = row.measured()
                ? line("%.2fx", peer.seconds().median() / row.seconds().median())
                : "";
        String difference = row.measured() && compared(row, peer)
                ? line("%.1e", PeerResults.difference(row.result(), peer.result()))
                : "not compared";
        return line(
                "%-34s %s %9.3f %9s %9.3f %9s  %s, %s",
                name, times(peer.seconds()), rate / 1e12, "", rate / squareRate, ratio, difference, peer.choice());
    }

    private static String times(TimeSpread s) {
        return line("%10.3f %21s", 1e3 * s.median(), line("%.3f .. %.3f", 1e3 * s.low(), 1e3 * s.high()));
    }

    private static String line(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }

    /** The latest piece of work and its time, for a file that collects those of several runs. */
    String lastTime() {
        Row row = rows.get(rows.size() - 1);
        return row.measured()
                ? line("%-34s %s ms", title(row), times(row.seconds()))
                : line("%-34s FAILED: %s", title(row), row.error());
    }

    /** Writes {@code table.txt} and {@code table.json}; each is there whole, as it was or as it is, whenever the process ends. */
    void write(Path directory) throws IOException {
        Files.createDirectories(directory);
        replace(directory.resolve("table.txt"), part -> Files.write(part, lines()));
        replace(directory.resolve("table.json"), this::writeJson);
    }

    private interface Writer {
        void write(Path file) throws IOException;
    }

    private static void replace(Path file, Writer writer) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        writer.write(part);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void writeJson(Path file) throws IOException {
        try (JsonGenerator json = new JsonFactory()
                .createGenerator(file.toFile(), JsonEncoding.UTF8)
                .useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeObjectFieldStart("machine");
            for (Map.Entry<String, String> entry : machine.entrySet()) {
                json.writeStringField(entry.getKey(), entry.getValue());
            }
            json.writeEndObject();
            json.writeNumberField("square_product_flops_per_second", squareRate);
            json.writeNumberField("bandwidth_bytes_per_second", bandwidth);
            json.writeArrayFieldStart("products");
            for (DeviceRates.Product product : products) {
                json.writeStartObject();
                json.writeStringField("shape", product.shape());
                json.writeStringField("weights", product.way());
                json.writeNumberField("flops_per_second", product.rate());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeArrayFieldStart("work");
            for (Row row : rows) {
                write(json, row);
            }
            json.writeEndArray();
            json.writeArrayFieldStart("operations");
            for (OperationRates.Row row : operations) {
                json.writeStartObject();
                json.writeStringField("operation", row.operation());
                json.writeStringField("shape", row.shape());
                json.writeNumberField("seconds", row.seconds());
                json.writeNumberField("bytes", row.bytes());
                json.writeNumberField("flops", row.flops());
                if (row.unfusedSeconds() > 0) {
                    json.writeNumberField("unfused_seconds", row.unfusedSeconds());
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeArrayFieldStart("problems");
            for (String problem : problems()) {
                json.writeString(problem);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private static void write(JsonGenerator json, Row row) throws IOException {
        json.writeStartObject();
        json.writeStringField("model", row.model());
        json.writeStringField("kind", row.work().kind());
        json.writeNumberField("tokens", row.work().tokens());
        json.writeNumberField("columns", row.work().columns());
        json.writeNumberField("useful_flops", row.usefulFlops());
        json.writeNumberField("products_flops_per_second", row.shapesRate());
        write(json, row.seconds(), row.error());
        json.writeArrayFieldStart("peers");
        for (PeerResults.Peer peer : row.peers()) {
            json.writeStartObject();
            json.writeStringField("peer", peer.name());
            json.writeStringField("precision", peer.precision());
            json.writeStringField("choice", peer.choice());
            write(json, peer.seconds(), peer.error());
            if (row.measured() && peer.seconds() != null) {
                json.writeNumberField(
                        "ratio", peer.seconds().median() / row.seconds().median());
            }
            if (row.measured() && peer.seconds() != null && compared(row, peer)) {
                json.writeNumberField("difference", PeerResults.difference(row.result(), peer.result()));
            }
            json.writeFieldName("machine");
            json.writeRawValue(peer.machine());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, TimeSpread seconds, String error) throws IOException {
        if (seconds == null) {
            json.writeStringField("error", error);
            return;
        }
        json.writeObjectFieldStart("seconds");
        json.writeNumberField("median", seconds.median());
        json.writeNumberField("p05", seconds.low());
        json.writeNumberField("p95", seconds.high());
        json.writeNumberField("repeats", seconds.repeats());
        json.writeEndObject();
    }
}
