/** How processes share a folder: the lock that keeps a second one out. Internal: it changes without notice. */
package dev.greenfield.files;
