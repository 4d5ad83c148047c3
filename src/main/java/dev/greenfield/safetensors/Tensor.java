package dev.greenfield.safetensors;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;

/**
 * One tensor of a file: a name, a type, a shape and its elements in row-major order (the last index runs fastest). Elements
 * are converted as they are read; nothing is kept. Safe for use by several threads. Every read throws
 * {@link IllegalStateException} once the file is closed.
 */
public final class Tensor {
    /** The longest array that every Java machine can make. */
    private static final int LONGEST_ARRAY = Integer.MAX_VALUE - 8;

    private final Data data;
    private final Header.StoredTensor entry;
    private final long position; // of the first element, in bytes from the start of the file

    Tensor(Data data, Header.StoredTensor entry, long position) {
        this.data = data;
        this.entry = entry;
        this.position = position;
    }

    /** Returns the name in the file. */
    public String name() {
        return entry.name();
    }

    /** Returns the type of the elements in the file. */
    public DType dtype() {
        return entry.dtype();
    }

    /** Returns a copy of the dimensions: empty for a scalar, and any of them may be 0. */
    public long[] shape() {
        return entry.shape().clone();
    }

    /** Returns the number of elements: the product of the dimensions, 1 for a scalar. */
    public long elements() {
        return entry.elements();
    }

    /** Returns the byte of the file at which the elements begin, for readers that have no use for the header. */
    public long offset() {
        return position;
    }

    /**
     * Reads elements as doubles; exact for every type but {@link DType#I64} beyond 2^53, which is rounded.
     *
     * @param from index of the first element, in row-major order
     * @param into receives {@code count} values from index {@code at} on
     * @throws IndexOutOfBoundsException if the elements or the places for them do not exist
     */
    public void read(long from, double[] into, int at, int count) {
        check(from, into.length, at, count);
        int bytes = dtype().bytes();
        for (int done = 0; done < count; ) {
            ByteBuffer run = data.run(position + (from + done) * bytes, bytes, count - done);
            int length = run.remaining() / bytes;
            int offset = done;
            guarded(() -> Decoder.decode(dtype(), run, into, at + offset, length));
            done += length;
        }
    }

    /**
     * Reads elements as floats; exact for {@link DType#F32}, {@link DType#F16}, {@link DType#BF16} and integers up to 2^24,
     * rounded to nearest otherwise, to infinity where a {@link DType#F64} is too large.
     *
     * @param from index of the first element, in row-major order
     * @param into receives {@code count} values from index {@code at} on
     * @throws IndexOutOfBoundsException if the elements or the places for them do not exist
     */
    public void read(long from, float[] into, int at, int count) {
        check(from, into.length, at, count);
        int bytes = dtype().bytes();
        for (int done = 0; done < count; ) {
            ByteBuffer run = data.run(position + (from + done) * bytes, bytes, count - done);
            int length = run.remaining() / bytes;
            int offset = done;
            guarded(() -> Decoder.decode(dtype(), run, into, at + offset, length));
            done += length;
        }
    }

    /**
     * Returns all elements as doubles, converted as by {@link #read(long, double[], int, int)}.
     *
     * @throws UnsupportedOperationException if there are more than an array can hold
     */
    public double[] toDoubles() {
        double[] all = new double[arrayLength()];
        read(0, all, 0, all.length);
        return all;
    }

    /**
     * Returns all elements as floats, converted as by {@link #read(long, float[], int, int)}.
     *
     * @throws UnsupportedOperationException if there are more than an array can hold
     */
    public float[] toFloats() {
        float[] all = new float[arrayLength()];
        read(0, all, 0, all.length);
        return all;
    }

    /**
     * Returns all elements of an integer tensor, exactly; of a {@link DType#BOOL} tensor as 0 and 1.
     *
     * @throws UnsupportedOperationException if the type is a floating-point one, or there are more than an array can hold
     */
    public long[] toLongs() {
        if (dtype().floating() || !dtype().readable()) {
            throw new UnsupportedOperationException("tensor " + Text.quote(name()) + " is " + dtype()
                    + ", expected an integer type; read it with toDoubles or toFloats");
        }
        long[] all = new long[arrayLength()];
        int bytes = dtype().bytes();
        for (int done = 0; done < all.length; ) {
            ByteBuffer run = data.run(position + (long) done * bytes, bytes, all.length - done);
            int length = run.remaining() / bytes;
            int offset = done;
            guarded(() -> Decoder.decode(dtype(), run, all, offset, length));
            done += length;
        }
        return all;
    }

    /** Returns for example {@code 'wte.weight' F32 [50257, 768]}. */
    @Override
    public String toString() {
        return Text.quote(name()) + " " + dtype() + " " + Arrays.toString(entry.shape());
    }

    /** Reading where a file was cut short under its mapping fails as an error of the virtual machine, which says nothing of files. */
    private void guarded(Runnable reading) {
        try {
            reading.run();
        } catch (InternalError fault) {
            throw data.cut(fault);
        }
    }

    private int arrayLength() {
        if (elements() > LONGEST_ARRAY) {
            throw new UnsupportedOperationException("tensor " + Text.quote(name()) + " has " + elements()
                    + " elements, more than the " + LONGEST_ARRAY + " that an array can hold; read it in parts");
        }
        return (int) elements();
    }

    private void check(long from, int length, int at, int count) {
        if (!dtype().readable()) {
            throw new UnsupportedOperationException("tensor " + Text.quote(name()) + " is " + dtype()
                    + ", whose elements are not read here; convert it to F32 first");
        }
        if (count < 0 || from < 0 || from > elements() - count) {
            throw new IndexOutOfBoundsException("tensor " + Text.quote(name()) + ": " + count + " elements from " + from
                    + " were asked for, but it has " + elements());
        }
        Objects.checkFromIndexSize(at, count, length);
    }
}
