package dev.greenfield.hub;

/**
 * A file of a model on the hub.
 *
 * @param name below the repository
 * @param bytes its size
 * @param here whether the cache has it
 */
public record HubFile(String name, long bytes, boolean here) {}
