/**
 * How native libraries leave the jars that carry them: into a folder that only this user can write to, whole and verified. All natives
 * go this way: JCuda's, OpenBLAS's, the tokenizer library's. Internal; knows nothing of what the libraries are for.
 */
package dev.greenfield.natives;
