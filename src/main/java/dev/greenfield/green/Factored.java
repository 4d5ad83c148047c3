package dev.greenfield.green;

/** What a factorization asks of a matrix A [outputs, inputs] that it only applies. Vectors are kept one an array. */
abstract class Factored {
    abstract int inputs();

    abstract int outputs();

    /** A u for each u: [c][inputs] to [c][outputs]. */
    abstract double[][] applyAll(double[][] inputs);

    /** A'v for each v: [c][outputs] to [c][inputs]. */
    abstract double[][] adjointAll(double[][] vectors);

    /** The sum of the squares of all entries. */
    abstract double squaredFrobenius();

    /** How many products {@link #squaredFrobenius} takes. */
    abstract int productsOfNorm();

    /** Relative size of the rounding of the numbers that products are computed in. */
    abstract double roundoff();

    /** How many numbers one input and all that is made of it take on the host. */
    abstract long numbersEach();

    /** How many pairs of an input and an output there is room for on the host. */
    abstract long vectorsInBudget();

    /** Products of the vectors of a factorization, on the threads that it may use. */
    abstract HostProducts products();
}
