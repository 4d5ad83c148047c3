package dev.greenfield.lens;

/**
 * A token and what a direction does to it, or has in common with it.
 *
 * @param id the token
 * @param text what it reads
 * @param score see {@link DirectionDecoder}
 */
public record TokenScore(int id, String text, double score) {}
