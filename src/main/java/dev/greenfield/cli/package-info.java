/**
 * The command line: options, the files of {@code --out}, texts for the terminal, and which report a command writes. What is
 * computed lives below the façade; nothing here does arithmetic on fields beyond sorting and summing them for display.
 */
package dev.greenfield.cli;
