package dev.greenfield.model;

/**
 * Whether the token that a model's own tokenizer puts in front of every text, if it has one, is put in front of a prompt. It is never
 * put there twice: a prompt that has it written out stays as it is.
 */
public enum Beginning {
    /** As the model's own tokenizer does it: what the model was trained on. */
    AUTO,
    /** It must be there: a tokenizer that has no such token is refused. */
    YES,
    /** The text as it stands, for protocols without it. */
    NO
}
