package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.model.ModelConfig;

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
     * @param config of the first model
     * @throws MemoryBudgetException if the weights alone are more
     */
    public static MemoryBudget open(Backend backend, long askedBytes, ModelConfig config) {
        long bytes = askedBytes > 0 ? askedBytes : backend.defaultBudget();
        long weights = weightBytes(backend, config);
        if (weights > bytes) {
            throw new MemoryBudgetException("the weights take " + MemoryBudgetException.amount(weights) + " on the "
                    + backend.name()
                    + " backend, the memory budget is " + MemoryBudgetException.amount(bytes) + ": "
                    + Remedy.RAISE_MEMORY
                    + (askedBytes == 0 ? " (and Java's -Xmx for the reference backend)" : ""));
        }
        backend.keepWithin(bytes);
        backend.expectFactors(config.parameters());
        return new MemoryBudget(backend, bytes);
    }

    private static long weightBytes(Backend backend, ModelConfig config) {
        return (backend.precision().bytes() + backend.factorBytes()) * config.parameters();
    }

    /** Bytes that nothing holds now. */
    public long freeBytes() {
        return Math.max(0, bytes - backend.ledger().bytes());
    }

    /**
     * Checks that the weights of a further model fit beside what is there.
     *
     * @param name of the model, for the message
     * @throws MemoryBudgetException if they do not
     */
    public void requireWeights(String name, ModelConfig config) {
        long weights = weightBytes(backend, config);
        if (weights > freeBytes()) {
            throw new MemoryBudgetException("the weights of " + name + " take " + MemoryBudgetException.amount(weights)
                    + ", the memory budget leaves " + MemoryBudgetException.amount(freeBytes()) + ": "
                    + Remedy.RAISE_MEMORY);
        }
        backend.expectFactors(config.parameters());
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
