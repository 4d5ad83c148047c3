package dev.greenfield.benchmarks;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.lattice.Observable;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The host's part of GPU work: the calling thread's processor time, and what it asks of the driver, with a driver that does nothing. A GPU
 * that is faster than this waits for its host. Each work is repeated until its time is spent; the first half is warm-up.
 */
@Command(name = "HostTime", mixinStandardHelpOptions = true, sortOptions = false)
public final class HostTime implements Callable<Integer> {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    @Option(names = "--model", description = "Default: ${DEFAULT-VALUE}.")
    private String spec = "random:gpt2";

    @Option(names = "--seconds", description = "For each work. Default: ${DEFAULT-VALUE}.")
    private double seconds = 20;

    @Option(names = "--tokens", description = "Of the maps; a sensitivity field has 16. Default: ${DEFAULT-VALUE}.")
    private int tokens = 64;

    @Option(names = "--only", description = "Part of the name of the work to do. Default: all.")
    private String only = "";

    /** Prints the figures. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new HostTime()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        try (Model model = Greenfield.load(spec, Options.defaults().backend("cuda"))) {
            System.out.println(spec + " on a driver that does nothing, Java " + Runtime.version());
            Observable observable = Observable.logitDifference(1, 2);
            int[] few = prompt(model, Math.min(16, tokens));
            int[] many = prompt(model, tokens);
            Map<String, Runnable> works = new LinkedHashMap<>();
            works.put("field and sensitivity, T = " + few.length, () -> {
                try (Run run = model.run(few)) {
                    run.sensitivity(observable);
                }
            });
            try (Run run = model.run(many)) {
                works.put(
                        "map of 16 probes, T = " + many.length,
                        () -> run.responseMap().probes(16).compute());
                works.put(
                        "exact map, T = " + many.length,
                        () -> run.responseMap().exact().compute());
                works.forEach((name, work) -> {
                    if (name.contains(only)) {
                        measure(name, work);
                    }
                });
            }
        }
        return 0;
    }

    private static int[] prompt(Model model, int length) {
        return new Random(1)
                .ints(length, 0, Math.min(1000, model.config().vocabulary()))
                .toArray();
    }

    private void measure(String name, Runnable work) {
        work.run();
        long end = System.nanoTime() + (long) (1e9 * seconds);
        double[] times = new double[1 << 20];
        int n = 0;
        HostCounts before;
        do {
            before = HostCounts.now();
            long start = THREADS.getCurrentThreadCpuTime();
            work.run();
            times[n++] = (THREADS.getCurrentThreadCpuTime() - start) / 1e6;
        } while (n < times.length && (System.nanoTime() < end || n < 3));
        HostCounts counts = HostCounts.now().since(before);
        TimeSpread spread =
                TimeSpread.ofAll(Arrays.stream(times, n / 2, n).boxed().toList());
        System.out.printf(
                Locale.ROOT,
                "%n%s: %.3g ms of the calling thread (5 %%: %.3g, 95 %%: %.3g, n = %d)%n",
                name,
                spread.median(),
                spread.low(),
                spread.high(),
                n);
        System.out.println(Arrays.stream(HostCounts.Kind.values())
                .filter(kind -> counts.of(kind) > 0)
                .map(kind -> String.format(Locale.ROOT, "%,d %s", counts.of(kind), kind.label))
                .collect(Collectors.joining(", ", "  ", "")));
    }
}
