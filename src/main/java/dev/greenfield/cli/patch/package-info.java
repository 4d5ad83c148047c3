/**
 * The commands {@code patch} and {@code predict}.
 */
package dev.greenfield.cli.patch;
