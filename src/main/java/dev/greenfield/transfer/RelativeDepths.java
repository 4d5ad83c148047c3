package dev.greenfield.transfer;

import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;

/**
 * Depths of two models with L_A and L_B layers as parts of the whole, l / L. What both have is compared on the grid of the shallower one,
 * g / G with G = min(L_A, L_B): values of the deeper model are interpolated linearly between the two depths around g L / G, which is one
 * depth where L is a multiple of G.
 *
 * @param layersA L_A
 * @param layersB L_B
 */
public record RelativeDepths(int layersA, int layersB) {
    public RelativeDepths {
        if (layersA < 1 || layersB < 1) {
            throw new InputException("models of " + layersA + " and " + layersB + " layers: expected 1 or more");
        }
    }

    /** G, one less than there are depths on the grid. */
    public int steps() {
        return Math.min(layersA, layersB);
    }

    /** Values over depths and tokens of a model, [L+1][T], on the grid, [G+1][T]. */
    public double[][] onGrid(double[][] values) {
        double[][] grid = new double[steps() + 1][values[0].length];
        for (int g = 0; g <= steps(); g++) {
            Between at = between(g, steps(), values.length - 1);
            for (int t = 0; t < grid[g].length; t++) {
                grid[g][t] = at.low() * values[at.depth()][t] + at.high() * values[at.above()][t];
            }
        }
        return grid;
    }

    /**
     * A response map [L+1, T, L+1, T] on the grid, [G+1, T, G+1, T], interpolated in the depth of the source and in that of the target. For
     * a source and a target at different grid depths no value of a target below its source is used, since grid depths are a block apart at
     * least.
     */
    public double[] onGrid(double[] map, int layers, int tokens) {
        int row = (layers + 1) * tokens;
        int gridRow = (steps() + 1) * tokens;
        if (map.length != row * row) {
            throw new IllegalArgumentException(
                    map.length + " values for a map of " + layers + " layers and " + tokens + " tokens");
        }
        double[] grid = new double[gridRow * gridRow];
        for (int from = 0; from < gridRow; from++) {
            Between source = between(from / tokens, steps(), layers);
            for (int to = 0; to < gridRow; to++) {
                Between target = between(to / tokens, steps(), layers);
                int s = from % tokens;
                int t = to % tokens;
                double sum = 0;
                for (int corner = 0; corner < 4; corner++) {
                    int l = corner / 2 == 0 ? source.depth() : source.above();
                    int m = corner % 2 == 0 ? target.depth() : target.above();
                    double weight = (corner / 2 == 0 ? source.low() : source.high())
                            * (corner % 2 == 0 ? target.low() : target.high());
                    sum += weight == 0 ? 0 : weight * map[(l * tokens + s) * row + m * tokens + t];
                }
                grid[from * gridRow + to] = sum;
            }
        }
        return grid;
    }

    /** The depth of B where things at grid depth g are put in: the nearest to g L_B / G. */
    public int depthInB(int g) {
        return (int) Math.round((double) g * layersB / steps());
    }

    /** The site of B that a site of A stands for: the same token at the nearest relative depth. */
    public Site inB(Site site) {
        return Site.of((int) Math.round((double) site.depth() * layersB / layersA), site.token());
    }

    /** The vector of a field of A [L_A+1, T, D_A] at the relative depth of depth {@code depthInB} of B, between two depths if need be. */
    public double[] ofA(Field field, int depthInB, int token) {
        Between at = between(depthInB, layersB, layersA);
        double[] vector = field.vector(at.depth(), token);
        if (at.high() == 0) {
            return vector;
        }
        double[] above = field.vector(at.above(), token);
        for (int i = 0; i < vector.length; i++) {
            vector[i] = at.low() * vector[i] + at.high() * above[i];
        }
        return vector;
    }

    /** A place between a depth and the one above it, by weights that sum to 1. */
    private record Between(int depth, int above, double low, double high) {}

    /** The place of depth {@code part} of {@code of} in a model of {@code layers}; a whole depth where it is one, to the bit. */
    private static Between between(int part, int of, int layers) {
        int depth = part * layers / of;
        double high = (double) (part * layers % of) / of;
        return new Between(depth, Math.min(depth + 1, layers), 1 - high, high);
    }
}
