/** What survives a kill: of a response map the batches that are done, in a directory that says what they belong to. */
package dev.greenfield.checkpoint;
