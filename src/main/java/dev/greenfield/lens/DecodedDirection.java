package dev.greenfield.lens;

import java.util.List;

/**
 * A direction in words.
 *
 * @param top the tokens of the largest scores, falling
 * @param bottom the tokens of the smallest scores, rising; those of the opposite direction
 */
public record DecodedDirection(List<TokenScore> top, List<TokenScore> bottom) {
    /** Copies. */
    public DecodedDirection {
        top = List.copyOf(top);
        bottom = List.copyOf(bottom);
    }
}
