/**
 * The commands {@code map} and {@code merge}: options, suites, shards, and the figures of propagation.
 */
package dev.greenfield.cli.map;
