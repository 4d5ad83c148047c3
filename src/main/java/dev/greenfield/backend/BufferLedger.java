package dev.greenfield.backend;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The open buffers of a backend: how many bytes they hold now, the most they ever held, and who forgot to close one. With
 * the system property {@code greenfield.leaks=trace} each buffer also remembers where it was made.
 */
public final class BufferLedger {
    private static final boolean TRACE = "trace".equals(System.getProperty("greenfield.leaks"));

    /** One open buffer. Compared by identity: two buffers may have the same label and size. */
    static final class OpenBuffer {
        private final String label;
        private final long bytes;
        private final Throwable origin;

        private OpenBuffer(String label, long bytes) {
            this.label = label;
            this.bytes = bytes;
            this.origin = TRACE ? new Throwable("allocated here: " + label) : null;
        }
    }

    private final Set<OpenBuffer> open = new HashSet<>();
    private long bytes;
    private long peakBytes;

    synchronized OpenBuffer opened(String label, long size) {
        OpenBuffer entry = new OpenBuffer(label, size);
        open.add(entry);
        bytes += size;
        peakBytes = Math.max(peakBytes, bytes);
        return entry;
    }

    synchronized void closed(OpenBuffer entry) {
        if (open.remove(entry)) {
            bytes -= entry.bytes;
        }
    }

    /** Number of buffers that are open. */
    public synchronized int openCount() {
        return open.size();
    }

    /** Bytes held by the open buffers. */
    public synchronized long bytes() {
        return bytes;
    }

    /** The most bytes ever held at once since this ledger was made or {@link #resetPeak()} was called. */
    public synchronized long peakBytes() {
        return peakBytes;
    }

    /** Starts a new measurement of the peak. */
    public synchronized void resetPeak() {
        peakBytes = bytes;
    }

    /** The labels of the open buffers with how many bear each, empty when none is open; with origins when traced. */
    public synchronized String describeOpen() {
        Map<String, Long> count =
                open.stream().collect(Collectors.groupingBy(entry -> entry.label, Collectors.counting()));
        StringBuilder text = new StringBuilder(count.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(e -> e.getKey() + " x" + e.getValue())
                .collect(Collectors.joining(", ")));
        for (OpenBuffer entry : open) {
            if (entry.origin != null) {
                text.append(System.lineSeparator()).append(entry.origin.getMessage());
                for (StackTraceElement frame : entry.origin.getStackTrace()) {
                    text.append(System.lineSeparator()).append("    at ").append(frame);
                }
            }
        }
        return text.toString();
    }
}
