package dev.greenfield.lens;

/**
 * A token that a lens reads at a site.
 *
 * @param id the token
 * @param text what it reads
 * @param logit what the last norm and the output matrix make of the stream there
 * @param probability the softmax of the logits over the whole vocabulary, at this token
 */
public record LensToken(int id, String text, double logit, double probability) {}
