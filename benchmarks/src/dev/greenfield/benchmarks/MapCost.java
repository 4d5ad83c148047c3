package dev.greenfield.benchmarks;

import dev.greenfield.Greenfield;
import dev.greenfield.OpenBackend;
import dev.greenfield.backend.Backend;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.MemoryBudget;
import dev.greenfield.engine.Scope;
import dev.greenfield.map.MapPlan;
import dev.greenfield.map.MapRequest;
import dev.greenfield.model.ModelSource;
import dev.greenfield.report.LineChart;
import dev.greenfield.report.ReportPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What a response map costs: tokens T, layers L, width D and probes k are varied one at a time around a base, and each map's time is set
 * beside the plan's flops at the rate of plain products just before. Then the most memory that a sweep takes against the number of
 * sites, with and without a limit.
 */
@Command(name = "MapCost", mixinStandardHelpOptions = true, sortOptions = false)
public final class MapCost implements Callable<Integer> {
    private static final int HEAD = 64;
    private static final int PRODUCT_ROWS = 2048;

    @Option(names = "--out", required = true, description = "Receives map-cost.csv and map-cost.html.")
    private Path out;

    @Option(names = "--dry-run", description = "Tiny shapes.")
    private boolean tiny;

    @Option(names = "--repeats", description = "Of each map. Default: ${DEFAULT-VALUE}.")
    private int repeats = 3;

    @Option(names = "--limit", description = "MiB that a limited sweep may take. Default: ${DEFAULT-VALUE}.")
    private int limit = 128;

    /** A map's shape. */
    private record Shape(int layers, int width, int tokens, int probes) {
        String spec() {
            return "random:" + layers + "," + Math.max(1, width / HEAD) + "," + width + ",1000,64";
        }
    }

    /**
     * One measurement.
     *
     * @param varied which of T, L, D, k differs from the base, or "memory" and "limited memory"
     * @param value its value; for memory the number of sites
     * @param rate flops a second of plain products
     * @param peak bytes that the sweeps took at most, beside weights and run
     */
    private record Point(
            String varied, double value, Shape shape, TimeSpread seconds, MapPlan plan, double rate, long peak) {
        double predicted() {
            return plan.flops() / rate;
        }
    }

    private final List<Point> points = new ArrayList<>();

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new MapCost()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        Files.createDirectories(out);
        Shape base = tiny ? new Shape(2, 64, 8, 4) : new Shape(6, 768, 24, 8);
        int[] tokens = tiny ? new int[] {4, 8, 16} : new int[] {8, 16, 24, 32, 48};
        int[] layers = tiny ? new int[] {1, 2, 4} : new int[] {2, 4, 6, 8, 12};
        int[] widths = tiny ? new int[] {64, 128, 192} : new int[] {256, 512, 768, 1024};
        int[] probes = tiny ? new int[] {2, 4, 8} : new int[] {2, 4, 8, 16, 32};
        try (Backend backend = OpenBackend.of("cpu", null)) {
            open(backend, base, (device, rates) -> {
                measure(device, rates, base, "warm-up", 0, 0, 1);
                points.clear();
                for (int t : tokens) {
                    Shape shape = new Shape(base.layers(), base.width(), t, base.probes());
                    measure(device, rates, shape, "T", t, 0, repeats);
                }
                for (int k : probes) {
                    measure(
                            device,
                            rates,
                            new Shape(base.layers(), base.width(), base.tokens(), k),
                            "k",
                            k,
                            0,
                            repeats);
                }
                for (int t : tokens) {
                    Shape shape = new Shape(base.layers(), base.width(), t, base.probes());
                    double sites = (base.layers() + 1.0) * t;
                    measure(device, rates, shape, "memory", sites, 0, 1);
                    measure(device, rates, shape, "limited memory", sites, (long) limit << 20, 1);
                }
            });
            for (int l : layers) {
                Shape shape = new Shape(l, base.width(), base.tokens(), base.probes());
                open(backend, shape, (device, rates) -> measure(device, rates, shape, "L", l, 0, repeats));
            }
            for (int d : widths) {
                Shape shape = new Shape(base.layers(), d, base.tokens(), base.probes());
                open(backend, shape, (device, rates) -> measure(device, rates, shape, "D", d, 0, repeats));
            }
            Files.write(out.resolve("map-cost.csv"), csv());
            Files.writeString(out.resolve("map-cost.html"), page(backend, base));
        }
        return 0;
    }

    private interface Work {
        void on(DeviceModel device, DeviceRates rates);
    }

    private static void open(Backend backend, Shape shape, Work work) throws IOException {
        try (ModelSource source = ModelSource.open(shape.spec());
                DeviceModel device = new DeviceModel(source, backend)) {
            work.on(device, new DeviceRates(backend, 0.2));
        }
    }

    /** @param bytes that sweeps may take; 0 for the backend's default */
    private void measure(
            DeviceModel device, DeviceRates rates, Shape shape, String varied, double value, long bytes, int times) {
        Backend backend = device.backend();
        int[] prompt = GpuCase.prompt(0, shape.tokens(), device.config().vocabulary());
        try (Linearization run = new Linearization(device, prompt)) {
            long most = bytes > 0 ? backend.ledger().bytes() + bytes : backend.defaultBudget();
            double rate = rates.blockProducts(PRODUCT_ROWS, shape.width(), 2, false);
            Scope scope = new Scope(run, new MemoryBudget(backend, most));
            MapRequest request = new MapRequest(scope).probes(shape.probes());
            long before = backend.ledger().bytes();
            backend.ledger().resetPeak();
            List<Double> seconds = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                long start = System.nanoTime();
                request.compute();
                seconds.add((System.nanoTime() - start) / 1e9);
            }
            Point point = new Point(
                    varied,
                    value,
                    shape,
                    TimeSpread.ofAll(seconds),
                    request.plan(),
                    rate,
                    backend.ledger().peakBytes() - before);
            points.add(point);
            System.out.printf(
                    Locale.ROOT,
                    "%-15s %6.0f  %8.3f s, %8.3f s of products at %.1f GFLOP/s, %d sweeps, %.1f MiB%n",
                    varied,
                    value,
                    point.seconds().median(),
                    point.predicted(),
                    rate / 1e9,
                    point.plan().sweeps(),
                    point.peak() / 1048576.0);
        }
    }

    private List<String> csv() {
        List<String> lines = new ArrayList<>();
        lines.add(
                "varied,value,layers,width,tokens,probes,seconds,low,high,repeats,flops,product_rate,sweeps,peak_bytes");
        for (Point p : points) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%s,%.0f,%d,%d,%d,%d,%.6g,%.6g,%.6g,%d,%.8g,%.6g,%d,%d",
                    p.varied(),
                    p.value(),
                    p.shape().layers(),
                    p.shape().width(),
                    p.shape().tokens(),
                    p.shape().probes(),
                    p.seconds().median(),
                    p.seconds().low(),
                    p.seconds().high(),
                    p.seconds().repeats(),
                    p.plan().flops(),
                    p.rate(),
                    p.plan().sweeps(),
                    p.peak()));
        }
        return lines;
    }

    private LineChart.Series series(String name, String varied, ToDoubleFunction<Point> x, ToDoubleFunction<Point> y) {
        List<Point> own = points.stream().filter(p -> p.varied().equals(varied)).toList();
        return new LineChart.Series(
                name,
                own.stream().mapToDouble(x).toArray(),
                own.stream().mapToDouble(y).toArray());
    }

    private String page(Backend backend, Shape base) {
        Map<String, Double> bases = new LinkedHashMap<>();
        bases.put("T", (double) base.tokens());
        bases.put("L", (double) base.layers());
        bases.put("D", (double) base.width());
        bases.put("k", (double) base.probes());
        List<LineChart.Series> times = new ArrayList<>();
        List<LineChart.Series> against = new ArrayList<>();
        bases.forEach((varied, value) -> {
            times.add(series(
                    varied, varied, p -> p.value() / value, p -> p.seconds().median()));
            against.add(
                    series(varied, varied, Point::predicted, p -> p.seconds().median()));
        });
        double[] ends = {
            points.stream().mapToDouble(Point::predicted).min().orElseThrow(),
            points.stream().mapToDouble(Point::predicted).max().orElseThrow()
        };
        against.add(new LineChart.Series("as fast as the products alone", ends, ends));
        ToDoubleFunction<Point> mebibytes = p -> p.peak() / 1048576.0;
        double[] sites = points.stream()
                .filter(p -> p.varied().equals("memory"))
                .mapToDouble(Point::value)
                .toArray();
        double[] limits = new double[sites.length];
        Arrays.fill(limits, limit);
        String shape = base.layers() + " layers, width " + base.width() + ", " + base.tokens() + " tokens, "
                + base.probes() + " probes";
        return new ReportPage("What a response map costs", "Maps over all sites around " + shape)
                .facts(Map.of("Version", Greenfield.version(), "Backend", "cpu, " + backend.device()))
                .chart(new LineChart(
                        "Time against tokens T, layers L, width D and probes k, one at a time",
                        "Median time of a map; the horizontal axis is the quantity over that of the base.",
                        "quantity / base",
                        "seconds",
                        true,
                        true,
                        times))
                .chart(new LineChart(
                        "Time against the time of the planned products alone",
                        "The plan's flops over the rate that plain products reach just before, in the same process.",
                        "planned flops / product rate, seconds",
                        "seconds",
                        true,
                        true,
                        against))
                .chart(new LineChart(
                        "Memory of the sweeps against sites",
                        "The most that buffers took at one time, beside weights and forward pass.",
                        "sites (L + 1) T",
                        "MiB",
                        false,
                        false,
                        List.of(
                                series("default limit", "memory", Point::value, mebibytes),
                                series("limited to " + limit + " MiB", "limited memory", Point::value, mebibytes),
                                new LineChart.Series("the limit", sites, limits))))
                .html();
    }
}
