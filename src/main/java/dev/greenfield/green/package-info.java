/**
 * Green operators: the linear maps from sources to targets, their algebra, spectra and low-rank parts, and Jacobians averaged over
 * prompts. Rows come from the engine's sweeps; small dense algebra is done here.
 */
package dev.greenfield.green;
