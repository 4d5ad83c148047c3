package dev.greenfield.backend.cuda;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Time of each kernel and of each class of matrix product, from a pair of CUDA events around every launch. Events are read in
 * batches, when the device is done with them, so that launches still follow one another without waiting; a launch costs the
 * host some microseconds more, and a kernel shorter than that runs with gaps that are not counted. Not safe for several threads:
 * the backend's lock guards it. With {@code -Dgreenfield.cuda.profile=true} a backend prints its table when it is closed.
 */
final class KernelProfile {
    /** Set to {@code true} so that backends measure their launches. */
    static final String PROPERTY = "greenfield.cuda.profile";

    /** Launches that are measured before the host waits for the device to read their times. */
    private static final int MOST_OPEN = 4096;

    /** What the launches of one kernel, or of one class of products, came to. */
    static final class Total {
        private long launches;
        private double seconds;
        private double hostSeconds;
        private double bytes;
        private double flops;

        long launches() {
            return launches;
        }

        double seconds() {
            return seconds;
        }

        /** How long the host took to queue them, without the events around them. */
        double hostSeconds() {
            return hostSeconds;
        }

        /** Bytes that must be read or written at least; 0 where the launch does not know. */
        double bytes() {
            return bytes;
        }

        /** Flops that must be done at least; 0 where the launch does not know, or where memory bounds it. */
        double flops() {
            return flops;
        }
    }

    private record Pair(CUevent before, CUevent after) {}

    private record Open(String what, Pair events, long hostNanos, double bytes, double flops) {}

    private final CUstream stream;
    private final ArrayDeque<Pair> idle = new ArrayDeque<>();
    private final List<Open> open = new ArrayList<>();
    private final Map<String, Total> totals = new LinkedHashMap<>();
    private Pair begun;
    private long begunNanos;

    KernelProfile(CUstream stream) {
        this.stream = stream;
    }

    /** A profile if {@link #PROPERTY} asks for one, else null. */
    static KernelProfile ifAsked(CUstream stream) {
        return Boolean.getBoolean(PROPERTY) ? new KernelProfile(stream) : null;
    }

    /** Call directly before a launch. */
    void begin() {
        if (open.size() == MOST_OPEN) {
            read();
        }
        begun = idle.isEmpty() ? new Pair(event(), event()) : idle.pop();
        Cuda.check(JCudaDriver.cuEventRecord(begun.before, stream), "marking the beginning of a launch");
        begunNanos = System.nanoTime();
    }

    /**
     * Call directly after the launch.
     *
     * @param what the kernel, or the class of products
     * @param bytes that must be read or written at least; 0 if that is not known
     * @param flops that must be done at least; 0 if that is not known
     */
    void end(String what, double bytes, double flops) {
        long hostNanos = System.nanoTime() - begunNanos;
        Cuda.check(JCudaDriver.cuEventRecord(begun.after, stream), "marking the end of a launch");
        open.add(new Open(what, begun, hostNanos, bytes, flops));
    }

    private static CUevent event() {
        CUevent event = new CUevent();
        Cuda.check(JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DEFAULT), "making an event");
        return event;
    }

    private void read() {
        float[] milliseconds = {0};
        for (Open launch : open) {
            Cuda.check(JCudaDriver.cuEventSynchronize(launch.events.after), "waiting for " + launch.what);
            Cuda.check(
                    JCudaDriver.cuEventElapsedTime(milliseconds, launch.events.before, launch.events.after),
                    "reading the time of " + launch.what);
            Total total = totals.computeIfAbsent(launch.what, w -> new Total());
            total.launches++;
            total.seconds += milliseconds[0] / 1e3;
            total.hostSeconds += launch.hostNanos / 1e9;
            total.bytes += launch.bytes;
            total.flops += launch.flops;
            idle.push(launch.events);
        }
        open.clear();
    }

    /** Forgets what was measured, such as runs that loaded kernels; waits for the device. */
    void restart() {
        read();
        totals.clear();
    }

    /** Everything measured so far, by kernel or class of products; waits for the device. */
    Map<String, Total> totals() {
        read();
        return totals;
    }

    /** The table, longest first: launches, time, the host's time to queue one, share of the sum, and the rates of bytes and flops. */
    List<String> lines() {
        double sum = totals().values().stream().mapToDouble(Total::seconds).sum();
        List<String> lines = new ArrayList<>();
        lines.add(line(
                "%-52s %9s %11s %10s %10s %7s %8s %8s",
                "kernel or product", "launches", "total ms", "each us", "queue us", "share", "TB/s", "TFLOP/s"));
        totals.entrySet().stream()
                .sorted(Comparator.comparingDouble(e -> -e.getValue().seconds))
                .forEach(e -> lines.add(line(e.getKey(), e.getValue(), sum)));
        long launches = totals.values().stream().mapToLong(Total::launches).sum();
        double host = totals.values().stream().mapToDouble(Total::hostSeconds).sum();
        lines.add(line("%-52s %9d %11.3f, queued by the host in %.3f ms", "sum", launches, 1e3 * sum, 1e3 * host));
        return lines;
    }

    private static String line(String what, Total t, double sum) {
        return line(
                        "%-52s %9d %11.3f %10.2f %10.2f %6.1f%% %8s %8s",
                        what,
                        t.launches,
                        1e3 * t.seconds,
                        1e6 * t.seconds / t.launches,
                        1e6 * t.hostSeconds / t.launches,
                        sum > 0 ? 100 * t.seconds / sum : 0,
                        rate(t.bytes, t.seconds),
                        rate(t.flops, t.seconds))
                .stripTrailing();
    }

    /** In units of 10^12 a second; empty where nothing is known. */
    private static String rate(double amount, double seconds) {
        return amount > 0 && seconds > 0 ? line("%.3f", amount / seconds / 1e12) : "";
    }

    private static String line(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }

    /** Prints the table of a profile, on standard error; nothing for null. */
    static void printIfAny(KernelProfile profile, String of) {
        if (profile != null) {
            List<String> lines = profile.lines();
            lines.add(0, "profile of " + of);
            lines.forEach(System.err::println);
        }
    }

    /** Closes a profile; nothing for null. */
    static void closeIfAny(KernelProfile profile) {
        if (profile != null) {
            profile.close();
        }
    }

    /** Gives the events back. After an error on the device that fails too; there is nothing left to do about it. */
    void close() {
        open.forEach(launch -> idle.push(launch.events));
        open.clear();
        for (Pair pair : idle) {
            JCudaDriver.cuEventDestroy(pair.before);
            JCudaDriver.cuEventDestroy(pair.after);
        }
        idle.clear();
    }
}
