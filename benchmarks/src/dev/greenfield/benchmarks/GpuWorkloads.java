package dev.greenfield.benchmarks;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.MemoryBudget;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.engine.Visitor;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.model.Architecture;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.ModelSource;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import java.util.Arrays;

/** One model on the backend, and each kind of work on it: to time, and once more to show its results. */
final class GpuWorkloads implements AutoCloseable {
    private final DeviceModel model;
    final Backend backend;
    private final MemoryBudget budget;
    private final int layers;
    private final int width;

    /** @param budgetBytes memory that weights, runs and sweeps may take together */
    GpuWorkloads(ModelSource source, Backend backend, long budgetBytes) {
        this.model = new DeviceModel(source, backend);
        this.backend = backend;
        this.budget = new MemoryBudget(backend, budgetBytes);
        this.layers = source.config().layers();
        this.width = source.config().width();
    }

    /** What there is to time, and the numbers to compare with the peers'. Closing it frees its runs. */
    interface Prepared extends AutoCloseable {
        /** Does the work; returns when the device is done. */
        void run();

        /** Does it again and returns the results that are compared. */
        double[] result();

        /** Flops of the matrix products that cannot be done without: 24 D^2 a row and block of GPT-2. */
        double usefulFlops();

        /** Rows of a typical matrix product of this work. */
        int rows();

        @Override
        void close();
    }

    Prepared prepare(GpuCase.Work work) {
        return switch (work.kind()) {
            case "tangent" -> new Columns(work, true);
            case "adjoint" -> new Columns(work, false);
            case "sensitivity" -> new Sensitivity(work);
            case "patch" -> new Patch(work);
            case "map" -> new AllSites(work);
            default ->
                throw new IllegalArgumentException(
                        "unknown work '" + work.kind() + "': expected tangent, adjoint, sensitivity, patch or map");
        };
    }

    private Scope linearize(int which, int tokens) {
        int[] prompt = GpuCase.prompt(which, tokens, model.config().vocabulary());
        return new Scope(new Linearization(model, prompt), budget);
    }

    private static Observable observable() {
        return Observable.logitDifference(GpuCase.ANSWER, GpuCase.FOIL);
    }

    /** From and to how many columns each matrix of a block leads: queries, keys and values; projection; up; down. */
    int[][] products() {
        ModelConfig config = model.config();
        Architecture.Attention attention = config.architecture().attention();
        return new int[][] {
            {width, attention.projectedWidth()},
            {attention.queryWidth(), width},
            {width, config.architecture().mlp().upWidth()},
            {config.inner(), width}
        };
    }

    private double flopsPerRowBlock() {
        return Arrays.stream(products())
                .mapToDouble(shape -> 2.0 * shape[0] * shape[1])
                .sum();
    }

    /** What a row and block take where only one token is read: all before attention, and of what follows one row. */
    private double flopsOfLastBlock(int tokens) {
        int[] projection = products()[0];
        double before = 2.0 * projection[0] * projection[1];
        return flopsPerRowBlock() - before + before * tokens;
    }

    @Override
    public void close() {
        model.close();
    }

    /**
     * Tangents from the first token of depth 0 to every token of the final depth, or cotangents from the last token of the final
     * depth to every token of depth 0. Results stay on the device.
     */
    private final class Columns implements Prepared {
        private final Scope run;
        private final double[][] directions;
        private final boolean forward;
        private final int tokens;

        Columns(GpuCase.Work work, boolean forward) {
            this.run = linearize(0, work.tokens());
            this.directions = GpuCase.directions(work.columns(), width);
            this.forward = forward;
            this.tokens = work.tokens();
        }

        @Override
        public void run() {
            HalfDepth end = HalfDepth.ofDepth(forward ? layers : 0);
            sweep((from, level, rows, columns, x) -> {
                if (level.equals(end)) {
                    DeviceRates.await(backend, x.buffer());
                }
            });
        }

        /** A visitor that also knows which direction is the first column of the batch. */
        private interface BatchVisitor {
            void visit(int from, HalfDepth level, RaggedRows rows, int[] columns, Matrix x);
        }

        private void sweep(BatchVisitor visitor) {
            int[] rowsEach = new int[directions.length];
            Arrays.fill(rowsEach, tokens);
            for (Batches.Range range : Batches.cut(model, rowsEach, run.freeBytes())) {
                Seeds seeds = new Seeds();
                for (int c = range.from(); c < range.to(); c++) {
                    seeds.column(HalfDepth.ofDepth(forward ? 0 : layers), forward ? 0 : tokens - 1, directions[c]);
                }
                Visitor one = (level, rows, columns, x) -> visitor.visit(range.from(), level, rows, columns, x);
                if (forward) {
                    new Sweep(run.run()).tangents(seeds, HalfDepth.ofDepth(layers), 0, tokens - 1, one);
                } else {
                    new Sweep(run.run()).cotangents(seeds, HalfDepth.ofDepth(0), 0, one);
                }
            }
        }

        /** Of some columns, the response at the last token or the pull-back at the first, one after another. */
        @Override
        public double[] result() {
            int[] shown = GpuCase.shown(directions.length);
            double[] result = new double[shown.length * width];
            HalfDepth end = HalfDepth.ofDepth(forward ? layers : 0);
            int token = forward ? tokens - 1 : 0;
            sweep((from, level, rows, columns, x) -> {
                for (int c = 0; level.equals(end) && c < columns.length; c++) {
                    int at = Arrays.binarySearch(shown, from + columns[c]);
                    if (at >= 0) {
                        backend.download(x.buffer(), x.at(rows.row(token, c)), result, at * width, width);
                    }
                }
            });
            return result;
        }

        /** In the last block, a cotangent at one token has one row until it has passed the attention. */
        @Override
        public double usefulFlops() {
            double perColumn = forward
                    ? flopsPerRowBlock() * tokens * layers
                    : flopsPerRowBlock() * tokens * (layers - 1) + flopsOfLastBlock(tokens);
            return perColumn * directions.length;
        }

        @Override
        public int rows() {
            return directions.length * tokens;
        }

        @Override
        public void close() {
            run.close();
        }
    }

    /** The sensitivity of F to every site, from token ids: forward pass, adjoint sweep, results on the host. */
    private final class Sensitivity implements Prepared {
        private final int tokens;

        Sensitivity(GpuCase.Work work) {
            this.tokens = work.tokens();
        }

        private SensitivityField compute() {
            try (Scope run = linearize(0, tokens)) {
                return SensitivityField.compute(run, observable());
            }
        }

        @Override
        public void run() {
            compute();
        }

        /** |S| at every site [L+1, T], then S [D] at depth 0 and the last token. */
        @Override
        public double[] result() {
            SensitivityField field = compute();
            double[] result = Arrays.copyOf(
                    Arrays.stream(field.norms()).flatMapToDouble(Arrays::stream).toArray(),
                    (layers + 1) * tokens + width);
            System.arraycopy(field.field().vector(0, tokens - 1), 0, result, (layers + 1) * tokens, width);
            return result;
        }

        /** Both directions cost the same; F is read at one token, as in {@link Columns#usefulFlops}. */
        @Override
        public double usefulFlops() {
            return flopsPerRowBlock() * tokens * (2.0 * layers - 1) + flopsOfLastBlock(tokens);
        }

        @Override
        public int rows() {
            return tokens;
        }

        @Override
        public void close() {}
    }

    /** The response map over all sites, from so many random directions a site as the work has columns, or from all directions for 0. */
    private final class AllSites implements Prepared {
        private final int tokens;
        private final int probes;
        private final Scope run;

        AllSites(GpuCase.Work work) {
            this.tokens = work.tokens();
            this.probes = work.columns();
            this.run = linearize(0, tokens);
        }

        private ResponseMap compute() {
            MapRequest request = new MapRequest(run);
            return (probes == 0 ? request.exact() : request.probes(probes)).compute();
        }

        @Override
        public void run() {
            compute();
        }

        /** An exact map's squared norms from each source depth to all later depths together, [L]; estimates are not compared. */
        @Override
        public double[] result() {
            if (probes > 0) {
                return new double[0];
            }
            double[] norms = compute().frobenius();
            double[] sums = new double[layers];
            int places = (layers + 1) * tokens;
            for (int i = 0; i < norms.length; i++) {
                int from = i / places / tokens;
                if (i % places / tokens > from) {
                    sums[from] += norms[i] * norms[i];
                }
            }
            return sums;
        }

        private double rowsOfADepth() {
            return (probes == 0 ? width : probes) * (tokens * (tokens + 1) / 2.0);
        }

        @Override
        public double usefulFlops() {
            return flopsPerRowBlock() * rowsOfADepth() * layers * (layers + 1) / 2.0;
        }

        @Override
        public int rows() {
            return (int) Math.min(rowsOfADepth() * layers, 1 << 17);
        }

        @Override
        public void close() {
            run.close();
        }
    }

    /** All patches of one run by another's residuals, measured and predicted; both runs are there before. */
    private final class Patch implements Prepared {
        private final int tokens;
        private final Scope own;
        private final Scope donor;

        Patch(GpuCase.Work work) {
            this.tokens = work.tokens();
            this.own = linearize(0, tokens);
            this.donor = linearize(1, tokens);
        }

        private PatchSweep compute() {
            return PatchSweep.compute(own, donor, observable());
        }

        @Override
        public void run() {
            compute();
        }

        /** The measured changes of F, [L+1, T]. */
        @Override
        public double[] result() {
            return Arrays.stream(compute().measured())
                    .flatMapToDouble(Arrays::stream)
                    .toArray();
        }

        /** Suffix rows only: those at and after the patched token, in the blocks after its depth. */
        @Override
        public double usefulFlops() {
            return flopsPerRowBlock() * rowBlocks();
        }

        private double rowBlocks() {
            return tokens * (tokens + 1) / 2.0 * layers * (layers + 1) / 2.0;
        }

        @Override
        public int rows() {
            return (int) Math.ceil(rowBlocks() / layers);
        }

        @Override
        public void close() {
            own.close();
            donor.close();
        }
    }
}
