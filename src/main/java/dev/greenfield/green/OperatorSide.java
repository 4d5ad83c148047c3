package dev.greenfield.green;

import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * What the components of an operator's inputs, or of its outputs, stand for: the residual stream at n sites, [n D], one after
 * another; or k coefficients of directions B there, [k], with B [k, n D].
 */
final class OperatorSide {
    private final List<Site> sites;
    private final int width;
    private final double[][] directions; // [k][n D]; null: the stream itself

    private OperatorSide(List<Site> sites, int width, double[][] directions) {
        this.sites = sites;
        this.width = width;
        this.directions = directions;
    }

    /** The whole stream at sites. */
    static OperatorSide stream(List<Site> sites, int width) {
        return new OperatorSide(List.copyOf(sites), width, null);
    }

    List<Site> sites() {
        return sites;
    }

    int size() {
        return directions == null ? Math.multiplyExact(sites.size(), width) : directions.length;
    }

    /** What {@link #size} counts, for messages. */
    String unit() {
        return directions == null ? "the sites times the width of the stream" : "one for each direction";
    }

    /**
     * The coefficients of directions that are themselves given in this space.
     *
     * @param what whose directions they are, for messages
     * @param basis [k][size]
     */
    OperatorSide along(String what, double[][] basis) {
        if (basis.length == 0) {
            throw new InputException(what + ": there are no directions, expected at least one");
        }
        for (int i = 0; i < basis.length; i++) {
            if (basis[i].length != size()) {
                throw new InputException(what + ": direction " + i + " has " + basis[i].length
                        + " components, expected " + size() + ", " + unit());
            }
            for (double x : basis[i]) {
                if (!Double.isFinite(x)) {
                    throw new InputException(
                            what + ": direction " + i + " has a component " + x + ", expected finite numbers");
                }
            }
        }
        double[][] copies = Arrays.stream(basis).map(double[]::clone).toArray(double[][]::new);
        return new OperatorSide(sites, width, toStream(copies));
    }

    /** These sites alone, in the order given. Directions reach over all of their sites, so those are not to be cut. */
    OperatorSide slice(String what, Collection<Site> kept) {
        if (directions != null) {
            if (!sites.equals(List.copyOf(kept))) {
                throw new InputException("slice: the " + what + " side is already restricted to " + directions.length
                        + " directions over its " + sites.size()
                        + " sites: slice the sites first, then restrict to directions");
            }
            return this;
        }
        for (Site site : kept) {
            if (!sites.contains(site)) {
                throw new InputException("slice: " + site + " is not a " + what + " of this operator, expected some of "
                        + "its " + sites.size() + " " + what + " sites: ask the run for an operator that has it");
            }
        }
        return stream(List.copyOf(kept), width);
    }

    /** Refuses a next operator whose inputs are not what is put out here. */
    void requireContinuedBy(OperatorSide next) {
        if (sites.size() != next.sites.size()) {
            throw new InputException("then: the next operator has " + next.sites.size() + " source sites, expected the "
                    + sites.size() + " target sites of this one, in their order");
        }
        for (int s = 0; s < sites.size(); s++) {
            if (!sites.get(s).equals(next.sites.get(s))) {
                throw new InputException(
                        "then: source " + s + " of the next operator is " + next.sites.get(s) + ", expected "
                                + sites.get(s) + ": its sources must be the targets of this one, in their order");
            }
        }
        if (!Arrays.deepEquals(directions, next.directions)) {
            throw new InputException("then: the next operator takes " + next.components() + ", expected " + components()
                    + ", which this one gives: restrict both to the same directions, or neither");
        }
    }

    private String components() {
        return directions == null
                ? "the whole stream at its sites"
                : "coefficients of " + directions.length + " directions of its own";
    }

    /** B'c for each c [size]: what the components stand for in the stream, [n D]. */
    double[][] toStream(double[][] coefficients) {
        if (directions == null) {
            return coefficients;
        }
        double[][] vectors = new double[coefficients.length][sites.size() * width];
        for (int c = 0; c < vectors.length; c++) {
            for (int k = 0; k < directions.length; k++) {
                double weight = coefficients[c][k];
                double[] direction = directions[k];
                for (int i = 0; i < direction.length; i++) {
                    vectors[c][i] += weight * direction[i];
                }
            }
        }
        return vectors;
    }

    /** B x for each x [n D] of the stream: its inner products with the directions, [size]. */
    double[][] fromStream(double[][] vectors) {
        if (directions == null) {
            return vectors;
        }
        double[][] products = new double[vectors.length][directions.length];
        for (int c = 0; c < vectors.length; c++) {
            for (int k = 0; k < directions.length; k++) {
                double sum = 0;
                for (int i = 0; i < directions[k].length; i++) {
                    sum += directions[k][i] * vectors[c][i];
                }
                products[c][k] = sum;
            }
        }
        return products;
    }
}
