/**
 * The commands {@code transfer}, {@code reduce} and {@code scale}.
 */
package dev.greenfield.cli.transfer;
