package dev.greenfield.transfer;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Field;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.rng.sampling.ListSampler;

/**
 * Affine maps from the residual stream of a model A to that of a model B, one for each depth of the grid of {@link RelativeDepths},
 * fitted on the residuals of the same prompts in both, every token a pair. Immutable.
 */
public final class ResidualMaps {
    private final RelativeDepths depths;
    private final List<AffineMap> maps;

    private ResidualMaps(RelativeDepths depths, List<AffineMap> maps) {
        this.depths = depths;
        this.maps = List.copyOf(maps);
    }

    /**
     * Fits them.
     *
     * @param a fields of A, [L_A+1, T, D_A] each
     * @param b fields of B of the same prompts in the same order
     * @param ridge as {@link AffineMap#fit} takes it
     */
    public static ResidualMaps fit(List<Field> a, List<Field> b, double ridge) {
        if (a.isEmpty() || a.size() != b.size()) {
            throw new InputException("residuals of " + a.size() + " runs of one model and " + b.size()
                    + " of the other: expected those of the same prompts, at least one");
        }
        int[] same = IntStream.range(0, a.size()).toArray();
        return fit(a, b, same, ridge);
    }

    /**
     * The control: fitted on residuals of A paired with those of B for <em>another</em> prompt at the same token. What such maps carry
     * follows from place and from what all prompts share, not from what the models read. Tokens that the other prompt lacks are left out.
     *
     * @param seed of the pairing
     */
    public static ResidualMaps shuffled(List<Field> a, List<Field> b, double ridge, long seed) {
        if (a.size() < 2 || a.size() != b.size()) {
            throw new InputException("a shuffled pairing of " + a.size() + " and " + b.size()
                    + " runs: expected as many of both, and at least two");
        }
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, a.size()).boxed().toList());
        ListSampler.shuffle(RandomStreams.of(seed, Purpose.PAIRING), order);
        // Each takes the place of the next one of a random round, so that none is paired with itself.
        List<Integer> next = new ArrayList<>(order);
        Collections.rotate(next, 1);
        int[] partner = new int[a.size()];
        for (int i = 0; i < partner.length; i++) {
            partner[order.get(i)] = next.get(i);
        }
        return fit(a, b, partner, ridge);
    }

    private static ResidualMaps fit(List<Field> a, List<Field> b, int[] partner, double ridge) {
        RelativeDepths depths =
                new RelativeDepths(a.get(0).depths() - 1, b.get(0).depths() - 1);
        List<AffineMap> maps = new ArrayList<>();
        Task.run("maps between models", "depths", depths.steps() + 1, task -> {
            for (int g = 0; g <= depths.steps(); g++) {
                task.to(g);
                List<double[]> x = new ArrayList<>();
                List<double[]> y = new ArrayList<>();
                for (int p = 0; p < partner.length; p++) {
                    Field of = b.get(partner[p]);
                    for (int t = 0; t < Math.min(a.get(p).tokens(), of.tokens()); t++) {
                        x.add(depths.ofA(a.get(p), depths.depthInB(g), t));
                        y.add(of.vector(depths.depthInB(g), t));
                    }
                }
                maps.add(AffineMap.fit(x.toArray(double[][]::new), y.toArray(double[][]::new), ridge));
            }
        });
        return new ResidualMaps(depths, maps);
    }

    /** The depths that the maps are between. */
    public RelativeDepths depths() {
        return depths;
    }

    /** The map at grid depth g. */
    public AffineMap at(int g) {
        return maps.get(g);
    }

    /** Where a displacement of A goes at grid depth g, at each token of B's depth there, [T][D_B]. */
    public double[][] displacement(Field displacementOfA, int g) {
        double[][] vectors = new double[displacementOfA.tokens()][];
        Arrays.setAll(vectors, t -> maps.get(g).direction(depths.ofA(displacementOfA, depths.depthInB(g), t)));
        return vectors;
    }
}
