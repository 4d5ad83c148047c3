/**
 * The command {@code green}, and averages of it over prompts.
 */
package dev.greenfield.cli.green;
