package dev.greenfield.backend;

import java.util.IdentityHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The open buffers of a backend: how many bytes they hold now, the most they ever held, and who forgot to close one. With
 * the system property {@code greenfield.leaks=trace} each buffer also remembers where it was made.
 */
public final class BufferLedger {
    private static final boolean TRACE = "trace".equals(System.getProperty("greenfield.leaks"));

    private record Entry(long bytes, Throwable origin) {}

    private final IdentityHashMap<Buffer, Entry> open = new IdentityHashMap<>();
    private long bytes;
    private long peakBytes;

    synchronized void opened(Buffer buffer, long size) {
        open.put(buffer, new Entry(size, TRACE ? new Throwable("allocated here: " + buffer.label()) : null));
        bytes += size;
        peakBytes = Math.max(peakBytes, bytes);
    }

    synchronized void closed(Buffer buffer) {
        Entry entry = open.remove(buffer);
        if (entry != null) {
            bytes -= entry.bytes();
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
                open.keySet().stream().collect(Collectors.groupingBy(Buffer::label, Collectors.counting()));
        StringBuilder text = new StringBuilder(count.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(e -> e.getKey() + " x" + e.getValue())
                .collect(Collectors.joining(", ")));
        for (Entry entry : open.values()) {
            if (entry.origin() != null) {
                text.append(System.lineSeparator()).append(entry.origin().getMessage());
                for (StackTraceElement frame : entry.origin().getStackTrace()) {
                    text.append(System.lineSeparator()).append("    at ").append(frame);
                }
            }
        }
        return text.toString();
    }
}
