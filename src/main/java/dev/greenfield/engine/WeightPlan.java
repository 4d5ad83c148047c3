package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.model.Architecture;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.WeightPlacement;

/**
 * Where the weights of a model's blocks are, and what memory that takes.
 *
 * @param placement resident or streamed
 * @param blocksAtOnce how many blocks there is memory for where they are streamed, 1 or 2: with two, the next is read while one computes
 * @param outputElements elements of the output matrix that are in one part at most; see {@link Unembedding}
 */
public record WeightPlan(WeightPlacement placement, int blocksAtOnce, long outputElements) {
    /** 512 MiB of float32. */
    private static final long OUTPUT_ELEMENTS = 1L << 27;

    /** The part of a budget that two blocks may take, as a divisor: runs and sweeps need the rest. */
    private static final int SHARE = 2;

    public WeightPlan {
        if (placement == WeightPlacement.AUTO) {
            throw new IllegalArgumentException("a plan is resident or streamed");
        }
    }

    /** All weights on the backend. */
    public static WeightPlan resident() {
        return new WeightPlan(WeightPlacement.RESIDENT, 0, OUTPUT_ELEMENTS);
    }

    /** Weights of one or two blocks at a time. */
    public static WeightPlan streamed(int blocksAtOnce) {
        return new WeightPlan(WeightPlacement.STREAMED, blocksAtOnce, OUTPUT_ELEMENTS);
    }

    /**
     * The plan for a model where so many bytes are free. Whether they suffice for it is for the caller to see.
     *
     * @param asked what the user wants
     */
    static WeightPlan of(Backend backend, ModelConfig config, WeightPlacement asked, long freeBytes) {
        WeightPlan resident = resident();
        boolean fits = resident.bytes(backend, config) <= freeBytes;
        if (asked == WeightPlacement.RESIDENT || (asked == WeightPlacement.AUTO && fits)) {
            return resident;
        }
        WeightPlan two = streamed(2);
        return two.bytes(backend, config) <= freeBytes / SHARE ? two : streamed(1);
    }

    /** Bytes that the weights take all the time. */
    long bytes(Backend backend, ModelConfig config) {
        long perElement = (long) backend.precision().bytes() + backend.factorBytes();
        return perElement
                * (placement == WeightPlacement.RESIDENT
                        ? config.parameters()
                        : blockElements(config) * Math.min(blocksAtOnce, config.layers()));
    }

    /** Elements of the matrices and biases of a block. */
    private static long blockElements(ModelConfig config) {
        Architecture.Attention attention = config.architecture().attention();
        Architecture.Mlp mlp = config.architecture().mlp();
        long width = config.width();
        return (width + 1) * attention.projectedWidth()
                + (attention.queryWidth() + 1L) * width
                + (width + 1) * mlp.upWidth()
                + (mlp.inner() + 1L) * width;
    }
}
