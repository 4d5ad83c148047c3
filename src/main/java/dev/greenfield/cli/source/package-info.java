/**
 * The commands about one source: {@code regime} and {@code propagate}.
 */
package dev.greenfield.cli.source;
