/**
 * First answers of a run: sensitivity fields, responses of sources, second order and patch sweeps, and the directions that maps and
 * regimes push from each site. Each turns a question into sweeps of the engine and their rows into plain arrays.
 */
package dev.greenfield.response;
