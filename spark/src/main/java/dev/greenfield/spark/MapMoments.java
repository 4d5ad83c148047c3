package dev.greenfield.spark;

/** Mean and variance of maps, as Spark's encoder of beans wants them. */
public final class MapMoments {
    private int levels;
    private int length;
    private long prompts;
    private double[] mean = new double[0];
    private double[] variance = new double[0];

    /** Of no map. */
    public MapMoments() {}

    /** Levels of the maps. */
    public int getLevels() {
        return levels;
    }

    /** Sets what {@link #getLevels} returns. */
    public void setLevels(int value) {
        levels = value;
    }

    /** T of the maps. */
    public int getLength() {
        return length;
    }

    /** Sets what {@link #getLength} returns. */
    public void setLength(int value) {
        length = value;
    }

    /** How many maps. */
    public long getPrompts() {
        return prompts;
    }

    /** Sets what {@link #getPrompts} returns. */
    public void setPrompts(long value) {
        prompts = value;
    }

    /** The mean norms, [levels, T, levels, T]; not copied. */
    public double[] getMean() {
        return mean;
    }

    /** Sets what {@link #getMean} returns. */
    public void setMean(double[] value) {
        mean = value;
    }

    /** Their unbiased variances, [levels, T, levels, T]; empty for fewer than two maps; not copied. */
    public double[] getVariance() {
        return variance;
    }

    /** Sets what {@link #getVariance} returns. */
    public void setVariance(double[] value) {
        variance = value;
    }
}
