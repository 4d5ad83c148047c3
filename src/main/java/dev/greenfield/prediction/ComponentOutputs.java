package dev.greenfield.prediction;

import dev.greenfield.engine.Reception;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Field;
import dev.greenfield.model.ModelConfig;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/**
 * What each component of one run writes to the stream at each token. Interventions on a component are made of its outputs, as {@link
 * Interventions} says. Read from the run when first asked for, so while it is open; kept on the heap.
 */
public final class ComponentOutputs {
    private final Scope scope;
    private final Map<Component, Field> outputs = new EnumMap<>(Component.class);
    private final Map<Integer, Reception> receptions = new HashMap<>(); // by block

    /** Of a run. */
    public ComponentOutputs(Scope scope) {
        this.scope = scope;
    }

    /** Outputs [rows, T, D], with as many rows as {@link Component#rows} says. */
    public Field of(Component component) {
        Field known = outputs.get(component);
        if (known == null) {
            known = switch (component) {
                case RESIDUAL -> scope.run().field();
                case ATTENTION -> between(scope.run().middleField(), of(Component.RESIDUAL), 0, -1);
                case MLP -> between(scope.run().middleField(), of(Component.RESIDUAL), 1, 1);
                case HEAD -> heads();
            };
            outputs.put(component, known);
        }
        return known;
    }

    /** sign (whole[l + shift] - middle[l]) for every block l, [L, T, D]. */
    private static Field between(Field middle, Field whole, int shift, int sign) {
        double[] difference = middle.toArray();
        double[] other = whole.toArray();
        int from = shift * whole.tokens() * whole.width();
        for (int i = 0; i < difference.length; i++) {
            difference[i] = sign * (other[from + i] - difference[i]);
        }
        return Field.wrap(middle.depths(), middle.tokens(), middle.width(), difference);
    }

    /**
     * What the stream receives when an output is replaced: the change, or for a head whose block normalizes what attention adds, what that
     * norm makes of it.
     *
     * @param change the new output less the old, [D]
     */
    double[] received(Component component, int row, int token, double[] change) {
        if (component != Component.HEAD) {
            return change;
        }
        return receptions
                .computeIfAbsent(row / config().heads(), block -> scope.run().reception(block))
                .received(token, change);
    }

    private Field heads() {
        ModelConfig config = config();
        int perBlock = Math.multiplyExact(config.heads() * scope.length(), config.width());
        double[] all = new double[Math.multiplyExact(config.layers(), perBlock)];
        Task.run("outputs of heads", "blocks", config.layers(), task -> {
            for (int l = 0; l < config.layers(); l++) {
                task.to(l);
                System.arraycopy(scope.run().headOutputs(l), 0, all, l * perBlock, perBlock);
            }
        });
        return Field.wrap(Component.HEAD.rows(config), scope.length(), config.width(), all);
    }

    ModelConfig config() {
        return scope.config();
    }

    Scope scope() {
        return scope;
    }
}
