/**
 * How well interventions are predicted: patches, ablations and steering of the stream and of what components write, measured and by
 * first order, second order and path integrals.
 */
package dev.greenfield.prediction;
