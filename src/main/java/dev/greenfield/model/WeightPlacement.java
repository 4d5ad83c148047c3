package dev.greenfield.model;

/** Where the weights of a model's blocks are while it is used. Results are the same to the bit. */
public enum WeightPlacement {
    /** {@link #RESIDENT} where they fit the memory budget, else {@link #STREAMED}. */
    AUTO("auto"),
    /** All of them in the backend's memory, in its precision: each is read once. */
    RESIDENT("resident"),
    /** In the model's file, in the precision of the file; those of a block or two are read, and widened, as a sweep comes to them. */
    STREAMED("streamed");

    private final String label;

    WeightPlacement(String label) {
        this.label = label;
    }

    /** What results and messages call it. */
    public String label() {
        return label;
    }
}
