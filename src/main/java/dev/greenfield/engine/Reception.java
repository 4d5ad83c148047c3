package dev.greenfield.engine;

/**
 * What the stream receives when the sum of a block's heads' outputs changes at a token of a run: the change itself, or what a norm of
 * what attention adds makes of it. It holds what it needs of the run on the host.
 */
@FunctionalInterface
public interface Reception {
    /**
     * What arrives.
     *
     * @param change of the sum, [D]
     * @return [D]
     */
    double[] received(int token, double[] change);
}
