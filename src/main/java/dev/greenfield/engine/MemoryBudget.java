package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.WeightPlacement;

/**
 * The bytes that models, runs and sweeps on one backend may take together. What is free is what the backend's ledger does not hold at
 * the moment of asking. Each refusal names what was needed and what is left.
 */
public final class MemoryBudget {
    private final Backend backend;
    private final long bytes;

    /**
     * A budget on a backend.
     *
     * @param bytes the most that its buffers may take together
     */
    public MemoryBudget(Backend backend, long bytes) {
        this.backend = backend;
        this.bytes = bytes;
    }

    /**
     * The budget of a backend that is to hold a model; the backend then keeps within it.
     *
     * @param askedBytes what the user asked for, or 0 for the backend's own default
     */
    public static MemoryBudget open(Backend backend, long askedBytes) {
        long bytes = askedBytes > 0 ? askedBytes : backend.defaultBudget();
        backend.keepWithin(bytes);
        return new MemoryBudget(backend, bytes);
    }

    /** Bytes that nothing holds now. */
    public long freeBytes() {
        return Math.max(0, bytes - backend.ledger().bytes());
    }

    /**
     * Where the weights of a model go, beside what is there.
     *
     * @param name of the weights, for the message
     * @param asked where the user wants them
     * @throws MemoryBudgetException if they do not fit there; where the choice is free, if not even one block does
     */
    public WeightPlan placeWeights(String name, ModelConfig config, WeightPlacement asked) {
        long free = freeBytes();
        WeightPlan plan = WeightPlan.of(backend, config, asked, free);
        long need = plan.bytes(backend, config);
        if (need > free) {
            boolean resident = plan.placement() == WeightPlacement.RESIDENT;
            throw new MemoryBudgetException((resident ? name + " take " : "one block of " + name + " takes ")
                    + MemoryBudgetException.amount(need) + " on the " + backend.name()
                    + " backend, the memory budget " + (free < bytes ? "leaves " : "is ")
                    + MemoryBudgetException.amount(free) + ": " + Remedy.RAISE_MEMORY
                    + (resident ? " or " + Remedy.STREAM_WEIGHTS : "")
                    + (backend.precision().bytes() == Double.BYTES
                            ? " (and Java's -Xmx for the reference backend)"
                            : ""));
        }
        backend.expectFactors(config.parameters());
        return plan;
    }

    /**
     * Checks that a run over so many tokens fits, with one sweep over all of them.
     *
     * @throws MemoryBudgetException if it does not
     */
    public void requireRun(DeviceModel model, int tokens) {
        long need = Linearization.bytes(model, tokens) + Batches.bytes(model, tokens);
        if (need > freeBytes()) {
            throw new MemoryBudgetException("a run of " + tokens + " tokens takes "
                    + MemoryBudgetException.amount(need) + ", the memory budget leaves "
                    + MemoryBudgetException.amount(freeBytes()) + ": " + Remedy.RAISE_MEMORY
                    + (model.weights() == WeightPlacement.RESIDENT ? ", " + Remedy.STREAM_WEIGHTS : "")
                    + " or close earlier runs");
        }
    }

    /**
     * Checks that the output matrix, which full logits need on the backend, is there or fits.
     *
     * @throws MemoryBudgetException if it does not
     */
    public void requireUnembedding(DeviceModel model) {
        long need = model.missingUnembeddingBytes();
        if (need > freeBytes()) {
            throw new MemoryBudgetException(
                    "the output matrix takes " + MemoryBudgetException.amount(need) + ", the memory budget leaves "
                            + MemoryBudgetException.amount(freeBytes()) + ": " + Remedy.RAISE_MEMORY);
        }
    }
}
