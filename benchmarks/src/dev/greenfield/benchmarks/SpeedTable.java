package dev.greenfield.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Runs {@link CpuBenchmark} and prints rates and ratios: medians over the iterations, with the quartiles of the ratios. */
public final class SpeedTable {
    private SpeedTable() {}

    public static void main(String[] arguments) throws RunnerException, IOException {
        String threads = arguments.length > 0
                ? arguments[0]
                : String.valueOf(Runtime.getRuntime().availableProcessors());
        String model = arguments.length > 1 ? arguments[1] : Workloads.MODEL;
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .include(CpuBenchmark.class.getSimpleName())
                        .param("threads", threads)
                        .param("model", model)
                        .build())
                .run();
        List<IterationResult> iterations = new ArrayList<>();
        results.forEach(r -> r.getBenchmarkResults().forEach(b -> iterations.addAll(b.getIterationResults())));
        try (Workloads work = new Workloads(model, 1)) {
            print(iterations, work, model, threads);
        }
    }

    private static void print(List<IterationResult> iterations, Workloads work, String model, String threads) {
        double sweepFlops = work.flopsPerRowBlock() * work.tangentRowBlocks();
        double patchFlops = work.flopsPerRowBlock() * work.patchRowBlocks();
        double[] products = seconds(iterations, "productsOfSweep");
        double[] tangents = seconds(iterations, "tangents");
        double[] forward = seconds(iterations, "forward");
        double[] sensitivity = seconds(iterations, "sensitivity");
        double[] patches = seconds(iterations, "patches");
        double[] patchFloor = products.clone();
        for (int i = 0; i < patchFloor.length; i++) {
            patchFloor[i] *= patchFlops / sweepFlops;
        }
        line("%s, %d tokens, %s threads, %d iterations", model, Workloads.TOKENS, threads, products.length);
        line("SGEMM rate, the products of the tangent sweep:  %6.1f GFLOP/s", sweepFlops / median(products) / 1e9);
        line("tangent sweep, 256 directions, useful flops:    %6.1f GFLOP/s", sweepFlops / median(tangents) / 1e9);
        line("  fraction of the SGEMM rate (want >= 0.75):    %s", ratio(products, tangents));
        line(
                "products of one forward pass alone:             %6.2f ms",
                1e3 * median(seconds(iterations, "productsOfForward")));
        line("forward pass, linearized:                       %6.2f ms", 1e3 * median(forward));
        line("forward pass and sensitivity field:             %6.2f ms", 1e3 * median(sensitivity));
        line("  in forward passes (want <= 3):                %s", ratio(sensitivity, forward));
        line("patch sweep over all sites:                     %6.1f ms", 1e3 * median(patches));
        line("  over its forward flops at the SGEMM rate (want <= 1.3): %s", ratio(patches, patchFloor));
    }

    private static double[] seconds(List<IterationResult> iterations, String part) {
        return iterations.stream()
                .mapToDouble(i -> i.getSecondaryResults().get(part).getScore())
                .toArray();
    }

    private static String ratio(double[] above, double[] below) {
        double[] ratios = new double[above.length];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = above[i] / below[i];
        }
        Arrays.sort(ratios);
        int n = ratios.length;
        return String.format(
                Locale.ROOT, "%.3f (quartiles %.3f to %.3f)", ratios[n / 2], ratios[n / 4], ratios[3 * n / 4]);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static void line(String format, Object... arguments) {
        System.out.printf(Locale.ROOT, format + "%n", arguments);
    }
}
