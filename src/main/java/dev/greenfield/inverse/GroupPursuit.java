package dev.greenfield.inverse;

import dev.greenfield.failure.Task;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which few sites are enough: orthogonal matching pursuit over sites as groups (Tropp, Gilbert and Strauss 2006; Eldar, Kuppinger
 * and Bölcskei 2010), on the penalized problem. Each round takes the site whose own best source lowers |A J - r|^2 + lambda |J|^2
 * most for the residual r, then solves anew for all sites taken so far. A plain correlation |A_i'r| would favour the sites with the
 * largest blocks whatever they can explain.
 */
final class GroupPursuit {
    private final Tangent a;
    private final double[] wanted;
    private final double lambda;

    GroupPursuit(Tangent a, double[] wanted, double lambda) {
        this.a = a;
        this.wanted = wanted;
        this.lambda = lambda;
    }

    /**
     * The places of the sites in the map's list, best first.
     *
     * @param most how many there may be
     * @param stop of the solutions on the way; its misfit also ends the pursuit
     */
    List<Integer> choose(int most, LeastSquares.Stop stop) {
        return Task.call("choice of sites", "sites", a.sites().size() + most, task -> choose(most, stop, task));
    }

    private List<Integer> choose(int most, LeastSquares.Stop stop, Task task) {
        List<SiteBlock> blocks = new ArrayList<>();
        for (int i = 0; i < a.sites().size(); i++) {
            int site = i;
            blocks.add(task.call(1, () -> SiteBlock.of(a.block(site), false)));
        }
        int width = a.adjoint(wanted).length / blocks.size();
        List<Integer> chosen = new ArrayList<>();
        double[] residual = wanted.clone();
        while (chosen.size() < Math.min(most, blocks.size())) {
            double[] gradient = a.adjoint(residual);
            int best = -1;
            double largest = 0;
            for (int i = 0; i < blocks.size(); i++) {
                if (!chosen.contains(i)) {
                    double gain = blocks.get(i).gain(Arrays.copyOfRange(gradient, i * width, (i + 1) * width), lambda);
                    if (gain > largest) {
                        largest = gain;
                        best = i;
                    }
                }
            }
            if (best < 0) {
                break; // no other site can lower it
            }
            chosen.add(best);
            Tangent part = a.at(chosen);
            LeastSquares.Solution solution = task.call(1, () -> part.solve(wanted, lambda, stop));
            residual = wanted.clone();
            LeastSquares.add(residual, -1, part.apply(solution.x()));
            if (LeastSquares.norm(residual) <= stop.misfit() * LeastSquares.norm(wanted)) {
                break;
            }
        }
        return chosen;
    }
}
