package dev.greenfield.green;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;

/**
 * The Green operator G of a run between source sites and target sites: the response at the targets, to first order, to
 * sources at the source sites, {@code G(l', t' <- l, t) = dR[l'][t'] / dR[l][t]}. As a matrix it has shape [m D, n D] for m targets
 * and n sources; it is never formed unless {@link #materialize} is called. Blocks that causality forbids are exactly zero.
 */
public final class GreenOperator extends LinearOperator {
    private final List<Site> sources;
    private final List<Site> targets;
    private final int width;
    private AtomicLong pushed; // columns, up and down; null where they are not counted

    /**
     * An operator of a run.
     *
     * @param sources source sites, at least one
     * @param targets target sites, at least one
     */
    public GreenOperator(Scope scope, List<Site> sources, List<Site> targets) {
        super(scope, stream(scope, sources), stream(scope, targets));
        this.sources = sources();
        this.targets = targets();
        this.width = scope.config().width();
        if (sources.isEmpty() || targets.isEmpty()) {
            throw new InputException("a Green operator needs at least one source site and one target site");
        }
        requireDistinct("source", this.sources);
        requireDistinct("target", this.targets);
    }

    private static OperatorSide stream(Scope scope, List<Site> sites) {
        return OperatorSide.stream(sites, scope.config().width());
    }

    private static void requireDistinct(String what, List<Site> sites) {
        Set<Site> seen = new HashSet<>();
        for (Site site : sites) {
            if (!seen.add(site)) {
                throw new InputException(what + " site " + site + " is named twice: name each site once");
            }
        }
    }

    @Override
    GreenOperator forManyImages() {
        GreenOperator counting = new GreenOperator(scope, sources, targets);
        counting.pushed = new AtomicLong();
        return counting;
    }

    @Override
    long numbersEach() {
        return (long) inputs() + outputs();
    }

    @Override
    String noun() {
        return "Green operator";
    }

    @Override
    public GreenOperator slice(Collection<Site> sources, Collection<Site> targets) {
        return new GreenOperator(
                scope,
                in.slice("source", sources).sites(),
                out.slice("target", targets).sites());
    }

    @Override
    public LinearOperator onInputs(double[][] basis) {
        return new Restriction(this, in.along("input directions", basis), out);
    }

    @Override
    public LinearOperator onOutputs(double[][] basis) {
        return new Restriction(this, in, out.along("output directions", basis));
    }

    @Override
    double[][] images(double[][] inputs) {
        double[][] outputs = new double[inputs.length][outputs()];
        forward(inputs.length, c -> inputs[c], (from, level, rows, columns, x) -> {
            for (int s = 0; s < targets.size(); s++) {
                if (targets.get(s).halfDepth().equals(level)) {
                    collect(targets.get(s).token(), s, from, rows, columns, x, outputs);
                }
            }
        });
        return outputs;
    }

    @Override
    double[][] adjointImages(double[][] vectors) {
        double[][] inputs = new double[vectors.length][inputs()];
        HalfDepth lowest = sources.stream()
                .map(Site::halfDepth)
                .min(Comparator.naturalOrder())
                .orElseThrow();
        int firstToken = sources.stream().mapToInt(Site::token).min().orElseThrow();
        int lastToken = targets.stream().mapToInt(Site::token).max().orElseThrow();
        List<Site> reachable = targets.stream()
                .filter(s -> !s.halfDepth().isBelow(lowest) && s.token() >= firstToken)
                .toList();
        if (reachable.isEmpty()) {
            return inputs;
        }
        forEachBatch(vectors.length, lastToken - firstToken + 1, (range, sweep) -> {
            Seeds seeds = new Seeds();
            for (int c = range.from(); c < range.to(); c++) {
                enter(seeds, reachable, targets, vectors[c]);
            }
            sweep.cotangents(seeds, lowest, firstToken, (level, rows, columns, x) -> {
                for (int s = 0; s < sources.size(); s++) {
                    if (sources.get(s).halfDepth().equals(level)) {
                        collect(sources.get(s).token(), s, range.from(), rows, columns, x, inputs);
                    }
                }
            });
        });
        return inputs;
    }

    private interface Input {
        double[] vector(int column);
    }

    private interface BatchVisitor {
        void visit(int firstColumn, HalfDepth level, RaggedRows rows, int[] columns, Matrix x);
    }

    private void forward(int count, Input input, BatchVisitor visitor) {
        HalfDepth highest = targets.stream()
                .map(Site::halfDepth)
                .max(Comparator.naturalOrder())
                .orElseThrow();
        int lastToken = targets.stream().mapToInt(Site::token).max().orElseThrow();
        // Whatever stands above the last attention's input sees only the rows that this attention was asked for.
        HalfDepth lastAttention = Causality.lastAttentionBelow(highest);
        int fromToken = targets.stream()
                .filter(s -> s.halfDepth().isAbove(lastAttention) || lastAttention.equals(highest))
                .mapToInt(Site::token)
                .min()
                .orElseThrow();
        List<Site> effective = sources.stream()
                .filter(s -> !s.halfDepth().isAbove(highest) && s.token() <= lastToken)
                .toList();
        if (effective.isEmpty()) {
            return;
        }
        int firstToken = effective.stream().mapToInt(Site::token).min().orElseThrow();
        forEachBatch(count, lastToken - firstToken + 1, (range, sweep) -> {
            Seeds seeds = new Seeds();
            for (int c = range.from(); c < range.to(); c++) {
                enter(seeds, effective, sources, input.vector(c));
            }
            sweep.tangents(
                    seeds,
                    highest,
                    fromToken,
                    lastToken,
                    (level, rows, columns, x) -> visitor.visit(range.from(), level, rows, columns, x));
        });
    }

    private void forEachBatch(int columns, int rowsEach, BiConsumer<Batches.Range, Sweep> work) {
        int[] rows = new int[columns];
        Arrays.fill(rows, rowsEach);
        if (pushed == null) {
            scope.inBatches(rows, range -> work.accept(range, new Sweep(scope.run())));
        } else {
            scope.inBatchesOfMany(rows, pushed.getAndAdd(columns), work);
        }
    }

    /** A new column with the vector's parts at those of its sites that matter; parts that are zero need no rows. */
    private void enter(Seeds seeds, List<Site> matter, List<Site> all, double[] vector) {
        int column = seeds.column();
        boolean entered = false;
        for (Site site : matter) {
            double[] part = part(vector, all.indexOf(site));
            if (Arrays.stream(part).anyMatch(x -> x != 0)) {
                seeds.add(column, site.halfDepth(), site.token(), part);
                entered = true;
            }
        }
        if (!entered) {
            Site any = matter.get(0);
            seeds.add(column, any.halfDepth(), any.token(), new double[width]);
        }
    }

    private double[] part(double[] vector, int site) {
        return Arrays.copyOfRange(vector, site * width, (site + 1) * width);
    }

    /** Copies the batch's rows at a token into part {@code site} of each column's result. */
    private void collect(
            int token, int site, int firstColumn, RaggedRows rows, int[] columns, Matrix x, double[][] into) {
        int n = rows.count(token);
        if (n == 0) {
            return;
        }
        Backend backend = scope.model().backend();
        double[] block = HostMemory.doubles("the rows of a batch", n, width);
        backend.download(x.buffer(), x.at(rows.start(token)), block, 0, n * width);
        for (int c = 0; c < n; c++) {
            System.arraycopy(block, c * width, into[firstColumn + columns[c]], site * width, width);
        }
    }

    /**
     * The squared Frobenius norm, exactly: one tangent an input direction, reduced as they pass, never kept.
     */
    @Override
    public double squaredFrobenius() {
        double[][] squares = new double[targets.size()][inputs()];
        Backend backend = scope.model().backend();
        BatchVisitor sum = (from, level, rows, columns, x) -> {
            for (int s = 0; s < targets.size(); s++) {
                Site target = targets.get(s);
                double[] part = new double[target.halfDepth().equals(level) ? rows.count(target.token()) : 0];
                backend.squaredNorms(x.rows(rows.start(target.token()), part.length), part, 0);
                for (int c = 0; c < part.length; c++) {
                    squares[s][from + columns[c]] = part[c];
                }
            }
        };
        Task.run("norm", "columns", inputs(), task -> task.run(inputs(), () -> forward(inputs(), this::unit, sum)));
        return Arrays.stream(squares).flatMapToDouble(Arrays::stream).sum();
    }

    @Override
    int productsOfNorm() {
        return inputs();
    }

    private double[] unit(int i) {
        double[] u = new double[inputs()];
        u[i] = 1;
        return u;
    }
}
