package dev.greenfield.green;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Site;
import java.util.Collection;
import java.util.List;

/**
 * A linear map A of one run, a matrix [outputs, inputs] that is applied and never formed unless {@link #materialize} is called. Its
 * inputs stand at source sites and its outputs at target sites. A {@link GreenOperator} is one; others are made of it by
 * {@link #slice}, {@link #onInputs}, {@link #onOutputs} and {@link #then}, in any order and any number.
 *
 * <p>A vector is the stream at the sites, one after another in their order, [n D]; or, on a side that was restricted to k
 * directions, k coefficients. Numbers are in the units of the residual stream. An operator may be used while its run is open;
 * once that is closed, every product throws {@link IllegalStateException}.
 */
public abstract sealed class LinearOperator extends Factored permits GreenOperator, Restriction, Composition {
    private static final int MOST_LINES = 256;

    final Scope scope;
    final OperatorSide in;
    final OperatorSide out;

    LinearOperator(Scope scope, OperatorSide in, OperatorSide out) {
        this.scope = scope;
        this.in = in;
        this.out = out;
    }

    /** A u for inputs whose lengths are checked. */
    abstract double[][] images(double[][] inputs);

    /** A'v for vectors whose lengths are checked. */
    abstract double[][] adjointImages(double[][] vectors);

    /**
     * The same operator for a method that takes many images, which then share what all need; see
     * {@link dev.greenfield.engine.Scope#inBatchesOfMany}. It counts them: each method has one of its own, so that its numbers do not depend
     * on what was computed before.
     */
    abstract LinearOperator forManyImages();

    /** What it is called in messages. */
    abstract String noun();

    /** The source sites that inputs stand at, in their order; on directions, the sites that those reach over. */
    public final List<Site> sources() {
        return in.sites();
    }

    /** The target sites that outputs stand at, in their order; on directions, the sites that those reach over. */
    public final List<Site> targets() {
        return out.sites();
    }

    /** Length of an input and number of columns: n D for n source sites, k for k input directions. */
    @Override
    public final int inputs() {
        return in.size();
    }

    /** Length of an output and number of rows: m D for m target sites, k for k output directions. */
    @Override
    public final int outputs() {
        return out.size();
    }

    /** Bytes that the materialized matrix takes, 8 for each of outputs x inputs entries. */
    public final long materializedBytes() {
        return 8L * inputs() * outputs();
    }

    /** A u for one input [inputs]: [outputs]. */
    public final double[] apply(double[] u) {
        return applyAll(new double[][] {u})[0];
    }

    /** A'v for one output-sized vector [outputs]: [inputs]. */
    public final double[] adjoint(double[] v) {
        return adjointAll(new double[][] {v})[0];
    }

    /**
     * A u for many inputs [c][inputs], in one sweep as far as memory allows: [c][outputs].
     *
     * @throws InputException when a vector has another length
     */
    @Override
    public final double[][] applyAll(double[][] inputs) {
        require("apply", in, inputs);
        return Task.whole("products", "vectors", inputs.length, () -> images(inputs));
    }

    /**
     * A'v for many vectors [c][outputs], in one sweep as far as memory allows: [c][inputs].
     *
     * @throws InputException when a vector has another length
     */
    @Override
    public final double[][] adjointAll(double[][] vectors) {
        require("adjoint", out, vectors);
        return Task.whole("products", "vectors", vectors.length, () -> adjointImages(vectors));
    }

    private static void require(String operation, OperatorSide space, double[][] vectors) {
        for (double[] vector : vectors) {
            if (vector.length != space.size()) {
                throw new InputException(operation + ": the vector has " + vector.length + " components, expected "
                        + space.size() + ", " + space.unit());
            }
        }
    }

    /**
     * This operator, then the next on what it gives: the product N A, with this operator's inputs and the next one's outputs.
     *
     * <p>Where both are Green operators, this is the part of the response that goes through the sites between. Through all tokens
     * of one depth from the sources' to the targets' goes everything, so the composition is then exactly the Green operator from
     * the sources to the targets; through fewer sites, only the paths that pass there. Between sites at different depths, a path
     * through two of them counts twice.
     *
     * @param next an operator of the same run whose sources are this one's targets, the same sites in the same order, restricted to
     *     the same directions if to any
     * @throws InputException when it is not
     */
    public final LinearOperator then(LinearOperator next) {
        if (scope != next.scope) {
            throw new InputException("then: the next operator belongs to another run, expected one of the same run: "
                    + "a response goes on in the run that it began in");
        }
        out.requireContinuedBy(next.in);
        return new Composition(this, next);
    }

    /**
     * The blocks of some of the source and target sites. To keep all of a side, pass {@link #sources} or {@link #targets}.
     *
     * @param sources some of this operator's sources, at least one, each once, in the order that inputs shall have
     * @param targets some of this operator's targets, likewise
     * @throws InputException when a site is not among them, or when a side that is on directions would lose sites
     */
    public abstract LinearOperator slice(Collection<Site> sources, Collection<Site> targets);

    /**
     * The operator on inputs that are combinations of directions b: A B' [outputs, k], which takes coefficients c to
     * A(sum of c_i b_i). The directions may be of any length and angle; where they are orthonormal, the singular values are those of
     * A on their span.
     *
     * @param basis the directions, [k][inputs], at least one; they are copied
     * @throws InputException when a direction has another length or is not finite
     */
    public abstract LinearOperator onInputs(double[][] basis);

    /**
     * The operator's outputs seen along directions b: B A [k, inputs], which takes u to the inner products b_i . A u.
     *
     * @param basis the directions, [k][outputs], at least one; they are copied
     * @throws InputException when a direction has another length or is not finite
     */
    public abstract LinearOperator onOutputs(double[][] basis);

    /** The squared Frobenius norm, exactly: one product a unit vector of the smaller side, summed and not kept. */
    @Override
    public double squaredFrobenius() {
        double[] sum = new double[1];
        lines((index, line) -> {
            for (double x : line) {
                sum[0] += x * x;
            }
        });
        return sum[0];
    }

    /** The Frobenius norm, the root of {@link #squaredFrobenius}. */
    public final double frobenius() {
        return Math.sqrt(squaredFrobenius());
    }

    /**
     * The largest singular value: the most that an input of length 1 can become. Should the search end before it stands still, which {@link
     * #svd} says of its result, this is a lower bound.
     */
    public final double spectralNorm() {
        return RandomizedSvd.values(forManyImages(), 1, 0).values()[0];
    }

    /**
     * The whole matrix, row-major [outputs, inputs]. For the Green operator of one source site to all tokens of a depth this is
     * [t', i, j] = dR[t'][i] / dR[source][j].
     *
     * @throws MemoryBudgetException when it does not fit the memory budget; {@link #svd} then still does
     */
    public final double[] materialize() {
        long elements = (long) inputs() * outputs();
        long budgetBytes = scope.freeBytes();
        if (materializedBytes() > budgetBytes || elements > Integer.MAX_VALUE - 8) {
            throw new MemoryBudgetException("the full " + noun() + " has " + outputs() + " x " + inputs() + " entries ("
                    + MemoryBudgetException.amount(materializedBytes()) + "), the memory budget leaves "
                    + MemoryBudgetException.amount(budgetBytes)
                    + ": " + Remedy.RAISE_MEMORY + " or " + Remedy.ASK_FOR_LEADING_PART);
        }
        double[] matrix = HostMemory.doubles("the full " + noun(), outputs(), inputs());
        int n = inputs();
        boolean columns = linesAreColumns();
        lines((index, line) -> {
            if (columns) {
                for (int i = 0; i < line.length; i++) {
                    matrix[i * n + index] = line[i];
                }
            } else {
                System.arraycopy(line, 0, matrix, index * n, n);
            }
        });
        return matrix;
    }

    private interface LineVisitor {
        void visit(int index, double[] line);
    }

    private boolean linesAreColumns() {
        return inputs() <= outputs();
    }

    /** All columns of the matrix, or by adjoints all its rows if those are fewer, some at a time. */
    private void lines(LineVisitor visitor) {
        int count = Math.min(inputs(), outputs());
        int step = (int) Math.max(1, Math.min(MOST_LINES, vectorsInBudget()));
        Task.run("matrix", "lines", count, task -> {
            for (int from = 0; from < count; from += step) {
                double[][] units = new double[Math.min(step, count - from)][count];
                for (int i = 0; i < units.length; i++) {
                    units[i][from + i] = 1;
                }
                double[][] lines =
                        task.call(units.length, () -> linesAreColumns() ? applyAll(units) : adjointAll(units));
                for (int i = 0; i < lines.length; i++) {
                    visitor.visit(from + i, lines[i]);
                }
            }
        });
    }

    @Override
    int productsOfNorm() {
        return Math.min(inputs(), outputs());
    }

    @Override
    double roundoff() {
        return scope.model().backend().precision().unitRoundoff();
    }

    /** Within the memory budget too. */
    @Override
    final long vectorsInBudget() {
        return Math.min(scope.freeBytes(), HostMemory.free()) / (8L * numbersEach());
    }

    @Override
    final HostProducts products() {
        return new HostProducts(scope.model().backend());
    }

    /**
     * The leading {@code rank} singular values and vectors, from a random start of seed 0; see {@link #svd(int, long)}.
     *
     * @param rank k, from 1 to the smaller side of the matrix
     * @throws InputException when the rank is not in that range
     * @throws MemoryBudgetException when so many vectors do not fit the memory budget
     */
    public final LowRank svd(int rank) {
        return svd(rank, 0);
    }

    /**
     * The leading {@code rank} singular values and vectors, by a randomized block Krylov method (Musco
     * and Musco, 2015) on tangents and adjoints; the matrix is never formed.
     *
     * @param rank k, from 1 to the smaller side of the matrix
     * @param seed of the random start
     * @throws InputException when the rank is not in that range
     * @throws MemoryBudgetException when so many vectors do not fit the memory budget
     */
    public final LowRank svd(int rank, long seed) {
        int most = Math.min(inputs(), outputs());
        if (rank < 1 || rank > most) {
            throw new InputException("rank " + rank + ": expected 1 to " + most + ", the smaller side of the operator");
        }
        return RandomizedSvd.compute(forManyImages(), rank, seed);
    }

    /** What it is as a table in HTML, for notebooks; nothing is computed. */
    public String toHtml() {
        return "<table><tr><th>operator</th><th>from</th><th>to</th><th>shape</th></tr><tr><td>" + noun() + "</td><td>"
                + sites(sources()) + "</td><td>" + sites(targets()) + "</td><td>[" + outputs() + ", " + inputs()
                + "]</td></tr></table>";
    }

    @Override
    public String toString() {
        return noun() + " from " + sites(sources()) + " to " + sites(targets()) + ", [" + outputs() + ", " + inputs()
                + "]";
    }

    private static String sites(List<Site> sites) {
        return sites.size() == 1 ? sites.get(0).toString() : sites.size() + " sites";
    }
}
