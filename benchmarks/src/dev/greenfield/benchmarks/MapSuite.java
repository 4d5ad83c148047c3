package dev.greenfield.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.greenfield.Greenfield;
import dev.greenfield.OpenBackend;
import dev.greenfield.backend.Backend;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.MemoryBudget;
import dev.greenfield.engine.Scope;
import dev.greenfield.map.MapProbes;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.model.ModelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Response maps on the CPU, ours and PyTorch's in turn: plain products, our map, the peer's map, and again, so that all three see the
 * same machine. The same weights, tokens and directions, so that every squared norm is compared. Long work is repeated less often.
 */
@Command(name = "MapSuite", mixinStandardHelpOptions = true, sortOptions = false)
public final class MapSuite implements Callable<Integer> {
    private static final double TOLERANCE = 1e-4;
    private static final int PRODUCT_ROWS = 4096;

    @Option(names = "--cases", description = "Default: ${DEFAULT-VALUE}.")
    private Path cases = Path.of("benchmarks", "cases.json");

    @Option(names = "--set", description = "Whose maps: maps, or tiny for a look. Default: ${DEFAULT-VALUE}.")
    private String set = "maps";

    @Option(names = "--models", required = true, description = "Exported models, one directory each.")
    private Path models;

    @Option(names = "--python", description = "A Python with PyTorch; without it ours alone.")
    private String python;

    @Option(names = "--chunks", description = "Chunk sizes that the peer tries. Default: ${DEFAULT-VALUE}.")
    private String chunks = "8,16,32,64,128,256";

    @Option(names = "--out", required = true, description = "Receives maps.txt and maps.json.")
    private Path out;

    private final List<String> lines = new ArrayList<>();
    private final List<Map<String, Object>> found = new ArrayList<>();
    private int problems;

    /** Runs the suite; the exit status is 1 if a result disagrees with the peer's. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new MapSuite()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        Files.createDirectories(out);
        try (Backend backend = OpenBackend.of("cpu", null);
                MapPeer peer = python == null ? null : new MapPeer(python, models, chunks)) {
            say("Greenfield %s, %s, Java %s", Greenfield.version(), backend.device(), Runtime.version());
            for (GpuCase model : GpuCase.read(cases, set)) {
                try (ModelSource source =
                                ModelSource.open(models.resolve(model.model()).toString());
                        DeviceModel device = new DeviceModel(source, backend)) {
                    for (GpuCase.Work work : model.work()) {
                        if (work.kind().equals("map")) {
                            measure(model, work, device, peer);
                        }
                    }
                }
            }
        } finally {
            Files.write(out.resolve("maps.txt"), lines);
            new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .writeValue(out.resolve("maps.json").toFile(), found);
        }
        return problems == 0 ? 0 : 1;
    }

    private void measure(GpuCase model, GpuCase.Work work, DeviceModel device, MapPeer peer) throws IOException {
        Backend backend = device.backend();
        int tokens = work.tokens();
        int probes = work.columns();
        int width = device.config().width();
        int layers = device.config().layers();
        DeviceRates rates = new DeviceRates(backend, 0.5);
        try (Linearization run = new Linearization(
                device, GpuCase.prompt(0, tokens, device.config().vocabulary()))) {
            say("");
            say("%s, T = %d, %s", model.spec(), tokens, probes == 0 ? "exact" : probes + " probes a site");
            JsonNode choice = peer == null ? null : choice(peer, model, tokens, run, probes);
            Scope scope = new Scope(run, new MemoryBudget(backend, backend.defaultBudget()));
            MapRequest request = new MapRequest(scope);
            request.probes(2).compute(); // the host's code is compiled as it runs
            request = probes == 0 ? request.exact() : request.probes(probes);
            double useful = 24.0
                    * width
                    * width
                    * (probes == 0 ? width : probes)
                    * tokens
                    * (tokens + 1)
                    / 2
                    * layers
                    * (layers + 1)
                    / 2;

            List<Double> products = new ArrayList<>();
            List<Double> ours = new ArrayList<>();
            List<Double> theirs = new ArrayList<>();
            ResponseMap map = null;
            double plain = Double.NaN;
            int repeats = 1;
            for (int i = 0; i < repeats; i++) {
                products.add(rates.blockProducts(PRODUCT_ROWS, width, 2, false));
                long start = System.nanoTime();
                map = request.compute();
                ours.add((System.nanoTime() - start) / 1e9);
                if (i == 0 && choice != null && !choice.path("plain").equals(choice.path("best"))) {
                    plain = peer.runPlain();
                }
                if (peer != null) {
                    theirs.add(peer.run());
                }
                if (i == 0) {
                    repeats = repeats(Math.max(ours.get(0), peer == null ? 0 : theirs.get(0)));
                }
            }
            products.add(rates.blockProducts(PRODUCT_ROWS, width, 2, false));
            TimeSpread rate = TimeSpread.ofAll(products);
            TimeSpread own = TimeSpread.ofAll(ours);
            say("  product rate  %s GFLOP/s", text(rate, 1e9));
            say("  ours          %s s", text(own, 1));
            say(
                    "    %.4g useful Tflop: %.1f GFLOP/s, %.3f of the product rate (wanted 0.80); the plan counts %.4g Tflop",
                    useful / 1e12,
                    useful / own.median() / 1e9,
                    useful / own.median() / rate.median(),
                    request.plan().flops() / 1e12);
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("model", model.spec());
            entry.put("tokens", tokens);
            entry.put("probes", probes);
            entry.put("useful_flops", useful);
            entry.put("plan_flops", request.plan().flops());
            entry.put("product_rates", products);
            entry.put("ours_seconds", ours);
            if (peer != null) {
                TimeSpread other = TimeSpread.ofAll(theirs);
                double[] differences = differences(map, layers, peer.result(out.resolve("squares.json")));
                say("  PyTorch       %s s, %s", text(other, 1), choice.path("best"));
                say("    ours is %.2f times as fast (wanted 2.8)", other.median() / own.median());
                if (!Double.isNaN(plain)) {
                    say(
                            "  PyTorch, all rows  %.4g s (n = 1), %s: ours is %.2f times as fast",
                            plain, choice.path("plain"), plain / own.median());
                }
                say(
                        "    squared norms differ by %.1e of their norm, the worst by %.1e of itself",
                        differences[0], differences[1]);
                entry.put("peer_seconds", theirs);
                entry.put("peer_all_rows_seconds", Double.isNaN(plain) ? null : plain);
                entry.put("peer", choice);
                entry.put("differences", differences);
                // Written so that NaN is a disagreement.
                if (!(differences[0] <= TOLERANCE)) {
                    problem("the maps differ by more than %.0e: one of them is wrong", TOLERANCE);
                }
                if (choice.path("product_rate").asDouble() < 0.6 * rate.median() && width >= 256) {
                    problem(
                            "the peer's products are slow: its BLAS does not know this processor, see benchmarks/README.md");
                }
            }
            found.add(entry);
        }
    }

    private JsonNode choice(MapPeer peer, GpuCase model, int tokens, Linearization run, int probes) throws IOException {
        Path directions = probes == 0 ? null : out.resolve("directions.safetensors");
        if (directions != null) {
            MapProbes.write(run, probes, directions);
        }
        try {
            JsonNode choice = peer.prepare(model.model(), tokens, directions);
            say(
                    "  peer on a part of the work, products at %.1f GFLOP/s",
                    choice.path("product_rate").asDouble() / 1e9);
            choice.path("tried").forEach(tried -> say("    %s", tried));
            return choice;
        } finally {
            if (directions != null) {
                Files.deleteIfExists(directions);
            }
        }
    }

    /** Norm of the difference over the norm of the peer's, and the largest difference of a number over that number. */
    private static double[] differences(ResponseMap map, int layers, double[] squares) {
        double[] norms = map.frobenius();
        int tokens = map.tokens();
        double difference = 0;
        double norm = 0;
        double worst = 0;
        for (int i = 0; i < squares.length; i++) {
            int source = i / (layers * tokens);
            int target = i % (layers * tokens) + tokens;
            double mine = target < (source / tokens + 1) * tokens
                    ? 0
                    : square(norms[source * (layers + 1) * tokens + target]);
            difference += square(mine - squares[i]);
            norm += square(squares[i]);
            if (mine != squares[i]) {
                worst = Math.max(worst, Math.abs(mine - squares[i]) / Math.max(mine, squares[i]));
            }
        }
        return new double[] {Math.sqrt(difference / norm), worst};
    }

    private static double square(double x) {
        return x * x;
    }

    /** How often work is done of which one run takes so long. */
    private static int repeats(double seconds) {
        return seconds < 20 ? 5 : seconds < 150 ? 3 : 1;
    }

    private static String text(TimeSpread spread, double unit) {
        return String.format(
                Locale.ROOT,
                "%.4g (%.4g to %.4g, n = %d)",
                spread.median() / unit,
                spread.low() / unit,
                spread.high() / unit,
                spread.repeats());
    }

    private void problem(String format, Object... arguments) {
        problems++;
        say("  PROBLEM " + format, arguments);
    }

    private void say(String format, Object... arguments) {
        String line = String.format(Locale.ROOT, format, arguments);
        lines.add(line);
        System.out.println(line);
    }
}
