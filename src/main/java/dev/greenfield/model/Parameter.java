package dev.greenfield.model;

/**
 * One named array of a model's numbers, read in row-major order where and when it is needed. Safe for use by several
 * threads.
 */
public interface Parameter {
    /** The canonical name, such as {@code h.0.attn.c_attn.weight}: Hugging Face's, with no {@code transformer.} in front. */
    String name();

    /** The extents, outermost first, such as [D, 3D]; a copy. */
    long[] shape();

    /** Whether every element is a float32: read as one it is what it is as float64. */
    boolean single();

    /**
     * Reads a run of elements as float64.
     *
     * @param from the first element, counted in row-major order
     * @param into receives the elements at {@code at} and after
     * @param at the first index written
     * @param count how many
     * @throws IndexOutOfBoundsException if the run is not inside the parameter or not inside the array
     * @throws IllegalStateException if the parameter is stored in a file that has been closed
     */
    void read(long from, double[] into, int at, int count);

    /**
     * Reads a run of elements as float32, rounded to nearest where more is stored.
     *
     * @param from the first element, counted in row-major order
     * @param into receives the elements at {@code at} and after
     * @param at the first index written
     * @param count how many
     * @throws IndexOutOfBoundsException if the run is not inside the parameter or not inside the array
     * @throws IllegalStateException if the parameter is stored in a file that has been closed
     */
    void read(long from, float[] into, int at, int count);
}
