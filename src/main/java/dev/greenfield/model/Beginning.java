package dev.greenfield.model;

/**
 * Whether the token that a model's own tokenizer puts in front of every text, if it has one, is put in front of a prompt. It is never
 * put there twice: a prompt that has it written out stays as it is.
 */
public enum Beginning {
    /** As the model's own tokenizer does it: what the model was trained on. */
    AUTO,
    /** It must be there, also where the tokenizer has one and does not put it in front; a tokenizer without one is refused. */
    YES,
    /** The text as it stands, for protocols without it. */
    NO
}
