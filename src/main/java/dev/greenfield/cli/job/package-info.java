/**
 * What commands have in common: options, suites of prompts, and the model, run and observable that a command works on.
 */
package dev.greenfield.cli.job;
