/**
 * What of a response map survives a kill: the batches that are done, in a directory that says what they belong to.
 */
package dev.greenfield.checkpoint;
