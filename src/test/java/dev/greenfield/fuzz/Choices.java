package dev.greenfield.fuzz;

/** Choices that follow from bytes: a fuzzer that changes the bytes changes the choices. What is asked for beyond the end is 0. */
final class Choices {
    private final byte[] bytes;
    private int at;

    Choices(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Whether there are bytes left. */
    boolean more() {
        return at < bytes.length;
    }

    private int take() {
        return at < bytes.length ? bytes[at++] & 0xff : 0;
    }

    /** A number from 0 to below {@code bound}, which is at most 2^24. */
    int below(int bound) {
        int value = take();
        if (bound > 256) {
            value = value << 8 | take();
        }
        if (bound > 1 << 16) {
            value = value << 8 | take();
        }
        return value % bound;
    }

    /** One of several. */
    <T> T of(java.util.List<T> all) {
        return all.get(below(all.size()));
    }

    /** Eight bytes as they are. */
    long any() {
        long value = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            value = value << 8 | take();
        }
        return value;
    }
}
