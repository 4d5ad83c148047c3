/**
 * How responses spread over depth and tokens: fronts, shares, entropies and decay with distance, of single sources and of whole maps.
 */
package dev.greenfield.propagation;
