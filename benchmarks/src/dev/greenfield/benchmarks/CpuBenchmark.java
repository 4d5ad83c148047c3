package dev.greenfield.benchmarks;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * The CPU backend against the matrix products it consists of. One invocation does everything once, one thing after another,
 * and notes the time of each: the speed of shared machines drifts within seconds, so what is compared must run side by side
 * in one JVM. {@link SpeedTable} runs this and prints the ratios.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@State(Scope.Benchmark)
@Fork(1)
@Warmup(iterations = 4)
@Measurement(iterations = 15)
public class CpuBenchmark {
    /** Rows of the tangent sweep: 256 directions at 32 tokens. */
    private static final int ROWS = Workloads.DIRECTIONS * Workloads.TOKENS;

    @Param("2")
    public int threads;

    @Param(Workloads.MODEL)
    public String model;

    private Workloads workloads;

    /** Seconds of each part of one invocation. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Seconds {
        public double productsOfSweep;
        public double tangents;
        public double productsOfForward;
        public double forward;
        public double sensitivity;
        public double patches;

        @Setup(Level.Iteration)
        public void clear() {
            productsOfSweep = 0;
            tangents = 0;
            productsOfForward = 0;
            forward = 0;
            sensitivity = 0;
            patches = 0;
        }
    }

    @Setup
    public void open() throws IOException {
        workloads = new Workloads(model, threads);
    }

    @TearDown
    public void close() {
        workloads.close();
    }

    @Benchmark
    public void everythingOnce(Seconds seconds, Blackhole sink) {
        seconds.productsOfSweep += time(() -> sink.consume(workloads.products(ROWS, 4)));
        seconds.tangents += time(() -> sink.consume(workloads.tangents()));
        seconds.productsOfForward += time(() -> sink.consume(workloads.products(Workloads.TOKENS, 4)));
        seconds.forward += time(() -> sink.consume(workloads.forward()));
        seconds.sensitivity += time(() -> sink.consume(workloads.sensitivity()));
        seconds.patches += time(() -> sink.consume(workloads.patches()));
    }

    private static double time(Runnable work) {
        long start = System.nanoTime();
        work.run();
        return (System.nanoTime() - start) / 1e9;
    }
}
