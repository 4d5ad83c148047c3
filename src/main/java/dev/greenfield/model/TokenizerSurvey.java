package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.NativeLibraryException;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Which kinds of tokenizer work on this machine, tried out. */
public final class TokenizerSurvey {
    /** As small as a tokenizer for the library can be. */
    private static final String SMALLEST = """
            {"version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
             "post_processor": null, "decoder": null,
             "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"}}
            """;

    private TokenizerSurvey() {}

    /** One line a kind, which says whether it works and why not. */
    public static List<String> lines() {
        return List.of(
                "words (the demo model's): yes, in Java",
                "gpt2 (50257 tokens without a tokenizer.json): yes, in Java",
                huggingFace());
    }

    private static String huggingFace() {
        String kind = "tokenizer.json (any other model's): ";
        byte[] bytes = SMALLEST.getBytes(StandardCharsets.UTF_8);
        try {
            TokenizerJson json = TokenizerJson.read(bytes, "a test", 2);
            try (AbstractTokenizer tokenizer = Tokenizers.huggingFace(bytes, json, "a test", 2)) {
                return tokenizer.encode("b").length == 1
                        ? kind + "yes, by Hugging Face's library"
                        : kind + "no, Hugging Face's library loads and gives wrong tokens";
            }
        } catch (NativeLibraryException absent) {
            return kind + "no, " + Lines.escaped(absent.getMessage());
        } catch (IOException | InputException refused) {
            return kind + "no, " + Lines.reason(refused);
        }
    }
}
