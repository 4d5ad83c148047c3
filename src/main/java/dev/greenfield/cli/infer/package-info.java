/**
 * The command {@code infer}.
 */
package dev.greenfield.cli.infer;
