/**
 * Estimates, intervals and random numbers: means with bootstrap intervals, line fits, rank correlations, and the one generator that
 * every random draw comes from. Knows nothing of models.
 */
package dev.greenfield.statistics;
