package dev.greenfield.response;

/** From which side the map is computed. Both give the same map; a side's cost is the rows that it pushes. */
public enum SweepMode {
    /**
     * The cheaper of the two; with projections or gains and random directions the adjoint, which gives these exactly, unless it
     * costs more than twice the other.
     */
    AUTO,
    /** Tangents from each source upward: cheap for few sources. */
    FORWARD,
    /** Cotangents from each target downward: cheap for few targets. */
    ADJOINT
}
