package dev.greenfield.benchmarks;

import dev.greenfield.Greenfield;
import dev.greenfield.OpenBackend;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.cuda.CudaBackend;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Times tangents, adjoints, sensitivities and patch sweeps on a backend, against the rate of plain matrix products in the same
 * process and against what the peers measured on the same models. Every measured time ends with the device done.
 */
@Command(name = "GpuSuite", mixinStandardHelpOptions = true, sortOptions = false)
public final class GpuSuite implements Callable<Integer> {
    /**
     * Peers may be off by so many units of roundoff of the precision, but not more than by {@link #MOST_TOLERANCE}: errors of
     * that size meet in long sums.
     */
    private static final double TOLERANCE_UNITS = 64;

    /** What float32 is held to: peers sum in another order. */
    private static final double LEAST_TOLERANCE = 1e-3;

    private static final double MOST_TOLERANCE = 0.1;

    /** Rows and width of products that are measured alone: GPT-2 small from a tile that fits the cache on, and XL. */
    private static final int[][] DEVICE_PRODUCTS = {{2816, 768}, {4096, 768}, {65536, 768}, {4096, 1600}, {32768, 1600}
    };

    private static final int[][] TINY_PRODUCTS = {{64, 32}};

    /** Width, heads, tokens and columns of batches on which operations are measured alone. */
    private static final int[][] DEVICE_OPERATIONS = {
        {768, 12, 64, 64}, {768, 12, 64, 16}, {768, 12, 64, 1024}, {1600, 25, 128, 64}
    };

    private static final int[][] TINY_OPERATIONS = {{32, 2, 7, 6}};

    /** Heads, heads of keys, their width, F, tokens and columns of blocks after GPT-2's: Llama 3.2 of 1 billion parameters. */
    private static final int[] DEVICE_BLOCK = {32, 8, 64, 8192, 64, 64};

    private static final int[] TINY_BLOCK = {4, 2, 8, 28, 7, 6};

    /** Heads, their width, tokens, columns and the window of attention. */
    private static final int[] DEVICE_WINDOW = {12, 64, 512, 16, 64};

    private static final int[] TINY_WINDOW = {2, 8, 20, 3, 5};

    @Option(names = "--backend", description = "Default: ${DEFAULT-VALUE}.")
    private String backendName = "cuda";

    @Option(names = "--precision", description = "fp32 or tf32. Default: the backend's own.")
    private String precision;

    @Option(names = "--cases", description = "Default: ${DEFAULT-VALUE}.")
    private Path cases = Path.of("benchmarks", "cases.json");

    @Option(names = "--set", description = "full, quick or tiny. Default: ${DEFAULT-VALUE}.")
    private String set = "full";

    @Option(names = "--quick", description = "The same as --set quick --seconds 0.5.")
    private boolean quick;

    @Option(
            names = "--models",
            description = "Exported models, one directory each; made from their seed where missing.")
    private Path models;

    @Option(names = "--peers", description = "What the peers wrote, one JSON file a measurement.")
    private Path peers;

    @Option(names = "--out", description = "Receives table.txt and table.json.")
    private Path out = Path.of(".");

    @Option(names = "--only", description = "Only this model.")
    private String only;

    @Option(names = "--kinds", split = ",", description = "Only these kinds of work.")
    private List<String> kinds = List.of("tangent", "adjoint", "sensitivity", "patch", "map");

    @Option(
            names = "--operations",
            description = "Also measure each operation alone, the fused attention against cuDNN.")
    private boolean operations;

    @Option(
            names = "--products",
            description = "Also measure each of a block's products alone, weights as they are and transposed.")
    private boolean products;

    @Option(
            names = "--tried",
            description =
                    "What is set differently in this run: instead of a table, one line a piece of work is added to"
                            + " profile.txt in --out.")
    private String tried;

    @Option(names = "--seconds", description = "About how long to measure each thing. Default: ${DEFAULT-VALUE}.")
    private double seconds = 2;

    @Option(names = "--square", description = "Rows of the large square product. Default: 8192, or 1024 without a GPU.")
    private int square;

    @Option(names = "--memory", description = "GiB that weights, runs and sweeps may take. Default: the backend's own.")
    private double memory;

    /** Runs the suite; the exit status is 1 if any work failed or disagrees with a peer. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new GpuSuite()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        if (quick) {
            set = "quick";
            seconds = 0.5;
        }
        Precision wanted = precision == null ? null : Precision.valueOf(precision.toUpperCase(Locale.ROOT));
        List<GpuCase> chosen = GpuCase.read(cases, set);
        PeerResults others = PeerResults.read(peers);
        try (Backend backend = OpenBackend.of(backendName, wanted)) {
            SuiteReport report = measure(backend, chosen, others);
            if (tried == null) {
                report.lines().forEach(System.out::println);
            }
            report.problems().forEach(problem -> System.out.println("PROBLEM " + problem));
            return report.problems().isEmpty() ? 0 : 1;
        }
    }

    /** Writes the table after each row, so that what ends the process early takes only the row that was under way. */
    private SuiteReport measure(Backend backend, List<GpuCase> chosen, PeerResults others) throws IOException {
        long budget = memory > 0 ? (long) (memory * (1L << 30)) : backend.defaultBudget();
        backend.keepWithin(budget);
        boolean device = backend.name().equals("cuda") && !set.equals("tiny");
        int rows = square > 0 ? square : device ? 8192 : 1024;
        DeviceRates rates = new DeviceRates(backend, seconds);
        // Ceilings are the same whatever is tried.
        SuiteReport report = new SuiteReport(
                machine(backend),
                tried == null ? rates.squareProduct(rows) : 0,
                tried == null ? rates.bandwidth(8 * rows, rows / 2) : 0,
                tolerance(backend.precision()));
        if (tried == null) {
            write(report);
        }
        if (products) {
            for (int[] size : device ? DEVICE_PRODUCTS : TINY_PRODUCTS) {
                new DeviceRates(backend, seconds / 3).products(size[0], size[1], row -> {
                    report.add(row);
                    write(report);
                });
            }
        }
        boolean alone = operations;
        for (GpuCase model : chosen) {
            if (only == null || only.equals(model.model())) {
                measure(backend, budget, rates, model, others, report);
            }
            if (alone) { // after the first model: that is wanted most, a second one may find no time
                alone = false;
                operations(backend, device, report);
            }
        }
        return report;
    }

    private void operations(Backend backend, boolean device, SuiteReport report) {
        OperationRates rates = new OperationRates(backend, new DeviceRates(backend, seconds / 3), row -> {
            report.add(row);
            write(report);
        });
        for (int[] size : device ? DEVICE_OPERATIONS : TINY_OPERATIONS) {
            rates.measure(size[0], size[1], size[2], size[3]);
        }
        BlockRates later = new BlockRates(backend, new DeviceRates(backend, seconds / 3), row -> {
            report.add(row);
            write(report);
        });
        int[] block = device ? DEVICE_BLOCK : TINY_BLOCK;
        later.measure(block[0], block[1], block[2], block[3], block[4], block[5]);
        int[] window = device ? DEVICE_WINDOW : TINY_WINDOW;
        later.attention(window[0], window[1], window[2], window[3], window[4]);
    }

    /** How far peers may be from a result. */
    private static double tolerance(Precision precision) {
        return Math.min(MOST_TOLERANCE, Math.max(LEAST_TOLERANCE, TOLERANCE_UNITS * precision.unitRoundoff()));
    }

    private void write(SuiteReport report) {
        if (tried == null) {
            try {
                report.write(out);
            } catch (IOException e) {
                throw new UncheckedIOException("writing the table to " + out, e);
            }
        } else {
            System.out.println("tried " + tried + ": " + report.lastTime());
        }
    }

    private void measure(
            Backend backend, long budget, DeviceRates rates, GpuCase model, PeerResults others, SuiteReport report)
            throws IOException {
        Path exported = models == null ? null : models.resolve(model.model());
        String spec = model.spec();
        if (exported != null && Files.exists(exported.resolve("config.json"))) {
            spec = exported.toString();
        } else if (spec.startsWith(LlamaFolder.PREFIX)) {
            Path folder = exported == null ? Files.createTempDirectory("greenfield-llama") : exported;
            spec = LlamaFolder.parse(spec).write(folder).toString();
        }
        try (ModelSource source = ModelSource.open(spec);
                GpuWorkloads workloads = new GpuWorkloads(source, backend, budget)) {
            for (GpuCase.Work work : model.work()) {
                if (kinds.contains(work.kind())) {
                    System.err.println("measuring " + model.model() + " " + work);
                    List<PeerResults.Peer> peers = others.of(model.model(), work);
                    report.add(measure(workloads, rates, model.model(), source, work, peers));
                    write(report);
                }
            }
        } catch (RuntimeException e) { // a model that does not fit does not stop the others
            report.add(new SuiteReport.Row(
                    model.model(), model.work().get(0), null, 0, 0, new double[0], e.toString(), List.of()));
            write(report);
        }
    }

    private SuiteReport.Row measure(
            GpuWorkloads workloads,
            DeviceRates rates,
            String model,
            ModelSource source,
            GpuCase.Work work,
            List<PeerResults.Peer> peers) {
        double flops = 0;
        double rate = 0;
        try (GpuWorkloads.Prepared prepared = workloads.prepare(work)) {
            flops = prepared.usefulFlops();
            rate = tried != null
                    ? 0
                    : rates.blockProducts(
                            prepared.rows(),
                            workloads.products(),
                            source.config().layers(),
                            work.kind().equals("adjoint"));
            double[] result = peers.isEmpty() ? new double[0] : prepared.result();
            printProfile(workloads.backend, prepared);
            TimeSpread spread = TimeSpread.measure(seconds, prepared::run);
            return new SuiteReport.Row(model, work, spread, flops, rate, result, null, peers);
        } catch (RuntimeException e) {
            return new SuiteReport.Row(model, work, null, flops, rate, new double[0], e.toString(), peers);
        }
    }

    /** On standard error, where launches are measured; the second run's, since the first one loads kernels. */
    private static void printProfile(Backend backend, GpuWorkloads.Prepared prepared) {
        if (backend instanceof CudaBackend cuda && Boolean.getBoolean("greenfield.cuda.profile")) {
            prepared.run();
            long begin = System.nanoTime();
            List<String> lines = cuda.profileOf(prepared::run);
            System.err.printf(
                    Locale.ROOT, "profile of one run, which took %.3f ms%n", (System.nanoTime() - begin) / 1e6);
            lines.forEach(System.err::println);
        }
    }

    private Map<String, String> machine(Backend backend) {
        Map<String, String> machine = new LinkedHashMap<>();
        machine.put("greenfield", Greenfield.version());
        machine.put("backend", backend.name());
        machine.put("device", backend.device());
        machine.put("precision", backend.precision().label());
        machine.put("java", Runtime.version() + ", " + System.getProperty("java.vm.name"));
        machine.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        machine.put("set", set + ", about " + seconds + " s a measurement");
        return machine;
    }
}
