package dev.greenfield.model;

import dev.greenfield.failure.NativeLibraryException;
import dev.greenfield.failure.Remedy;
import java.io.IOException;

/** Chooses the tokenizer of a model by the files that it has. */
final class Tokenizers {
    private Tokenizers() {}

    /** The first that applies: tokenizer.json, GPT-2's own by the size of the vocabulary, tokens.json, bare ids. */
    static Tokenizer of(ModelFiles files, int vocabulary) throws IOException {
        if (files.has(ModelFiles.TOKENIZER)) {
            byte[] bytes = files.read(ModelFiles.TOKENIZER);
            String origin = files.origin(ModelFiles.TOKENIZER);
            TokenizerJson json = TokenizerJson.read(bytes, origin, vocabulary);
            if (json.plainWords()) {
                return new WordTokens(json, origin, vocabulary);
            }
            return huggingFace(bytes, json, origin, vocabulary);
        }
        if (vocabulary == Gpt2Tokens.VOCABULARY) {
            return new Gpt2Tokens();
        }
        if (files.has(ModelFiles.TOKENS)) {
            return ListedTokens.read(files.read(ModelFiles.TOKENS), files.origin(ModelFiles.TOKENS), vocabulary);
        }
        return ListedTokens.unnamed(vocabulary);
    }

    /** By Hugging Face's own library, which is optional. */
    static Tokenizer huggingFace(byte[] bytes, TokenizerJson json, String origin, int vocabulary) throws IOException {
        if (!OptionalLibrary.TOKENIZERS.present()) {
            throw new NativeLibraryException(
                    origin + " needs Hugging Face's tokenizer library, which is not here: "
                            + OptionalLibrary.TOKENIZERS.remedy() + ", or " + Remedy.USE_TOKEN_IDS,
                    null);
        }
        return HuggingFaceTokens.load(bytes, json, origin, vocabulary);
    }
}
