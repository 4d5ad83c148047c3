/**
 * Models as data: configuration, parameters and tokenizer of GPT-2 style transformers, read from a Hugging Face directory,
 * from the jar or made from a seed. Nothing here computes a forward pass.
 */
package dev.greenfield.model;
