/**
 * The objects of the theory: sites, levels, sources, fields and observables of a residual stream, and who reaches whom. Plain
 * values with no engine behind them; this package depends on no other.
 */
package dev.greenfield.lattice;
