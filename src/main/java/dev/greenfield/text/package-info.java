/**
 * Text in and out: JSON, digests, and lines that people see, with what could harm a terminal escaped. Knows nothing of models.
 */
package dev.greenfield.text;
