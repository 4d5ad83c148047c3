/**
 * What commands read and write: the terminal, the directory of {@code --out}, result files, exit status.
 */
package dev.greenfield.cli.io;
