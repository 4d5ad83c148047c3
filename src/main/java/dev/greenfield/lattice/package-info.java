/**
 * The objects of the theory: sites, sources, fields and observables of a residual stream. Plain values with no engine behind
 * them; this package depends on no other.
 */
package dev.greenfield.lattice;
