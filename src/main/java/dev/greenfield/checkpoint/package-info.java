/**
 * What survives a kill: of a response map the batches that are done, in a directory that says what they belong to; and the lock that
 * keeps a second process out of a directory.
 */
package dev.greenfield.checkpoint;
