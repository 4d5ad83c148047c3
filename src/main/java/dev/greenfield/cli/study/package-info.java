/**
 * The command {@code study}.
 */
package dev.greenfield.cli.study;
