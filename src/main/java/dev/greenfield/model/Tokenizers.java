package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.NativeLibraryException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Chooses the tokenizer of a model by the files that it has. */
final class Tokenizers {
    /** What other tokenizers keep in files of these names cannot be read here. */
    private static final List<String> OTHERS = List.of(
            "vocab.txt",
            "tokenizer.model",
            "spiece.model",
            "sentencepiece.bpe.model",
            "spm.model",
            "tekken.json",
            "tiktoken.model",
            "vocab.bpe",
            "encoder.json");

    private static final String END_OF_TEXT = "<|endoftext|>";

    private Tokenizers() {}

    /** The files that the choice depends on, of those that there are. */
    static List<String> files(ModelFiles files) {
        List<String> names = new ArrayList<>(List.of(ModelFiles.TOKENIZER_CONFIG, ModelFiles.ADDED_TOKENS));
        if (files.has(ModelFiles.TOKENIZER)) {
            names.add(ModelFiles.TOKENIZER);
        } else {
            names.addAll(List.of(ModelFiles.VOCABULARY, ModelFiles.MERGES, ModelFiles.TOKENS));
            names.addAll(OTHERS);
        }
        return names.stream().filter(files::has).toList();
    }

    /**
     * The first that applies: tokenizer.json; vocab.json with merges.txt; the list tokens.json; none, where there is a file of another
     * kind; GPT-2's own for a model of its size that names no other; bare ids.
     */
    static Tokenizer of(ModelFiles files, int vocabulary) throws IOException {
        TokenizerSettings settings = TokenizerSettings.read(files);
        if (files.has(ModelFiles.TOKENIZER)) {
            return json(files, settings, vocabulary);
        }
        if (files.has(ModelFiles.VOCABULARY) || files.has(ModelFiles.MERGES)) {
            return pairs(files, settings, vocabulary);
        }
        if (files.has(ModelFiles.TOKENS)) {
            return ListedTokens.read(files.read(ModelFiles.TOKENS), files.origin(ModelFiles.TOKENS), vocabulary);
        }
        for (String other : OTHERS) {
            if (files.has(other)) {
                return ListedTokens.unnamed(vocabulary, files.origin(other) + " is a tokenizer of another kind");
            }
        }
        if (settings.named() != null && !settings.ofGpt2()) {
            return ListedTokens.unnamed(
                    vocabulary,
                    files.origin(ModelFiles.TOKENIZER_CONFIG) + " names " + Lines.quoted(settings.named())
                            + ", whose files are not here");
        }
        return vocabulary == Gpt2Tokens.VOCABULARY ? new Gpt2Tokens() : ListedTokens.unnamed(vocabulary);
    }

    private static Tokenizer json(ModelFiles files, TokenizerSettings settings, int vocabulary) throws IOException {
        byte[] bytes = files.read(ModelFiles.TOKENIZER);
        String origin = files.origin(ModelFiles.TOKENIZER);
        TokenizerJson json = TokenizerJson.read(bytes, origin, vocabulary);
        Map<String, Integer> stored = new LinkedHashMap<>(json.added());
        boolean gpt2 = settings.ofGpt2() && json.plainBytePairs();
        settings.added().forEach((content, id) -> {
            Integer other = stored.get(content);
            if (!(other == null ? gpt2 : other.equals(id))
                    && !id.equals(json.words().get(content))) {
                throw new InputException(files.origin(ModelFiles.TOKENIZER_CONFIG) + ": the added token "
                        + Lines.quoted(content) + " has id " + id + ", tokenizer.json "
                        + (other == null ? "lacks it" : "gives it " + other)
                        + ", expected the same in both; get both of one model, or " + Remedy.USE_TOKEN_IDS);
            }
            stored.putIfAbsent(content, id);
        });
        Map<String, Integer> added = AddedTokens.ids(json.words(), stored, origin);
        AbstractTokenizer tokenizer;
        if (json.plainWords()) {
            tokenizer = new WordTokens(json, origin, vocabulary);
        } else if (json.plainBytePairs()) {
            boolean blank = gpt2 ? settings.prefixesBlank() : json.prefixesBlank();
            special(settings, gpt2, json.words(), added);
            tokenizer = new BytePairs(
                    json.words(),
                    json.merges(),
                    added,
                    new BytePairs.Variant(blank, json.wholeWords()),
                    json,
                    origin,
                    vocabulary);
        } else {
            tokenizer = huggingFace(bytes, json, origin, vocabulary);
        }
        String beginning = gpt2 ? beginning(settings) : json.beginning();
        return checked(tokenizer, added, beginning, origin);
    }

    private static Tokenizer pairs(ModelFiles files, TokenizerSettings settings, int vocabulary) throws IOException {
        for (String name : List.of(ModelFiles.VOCABULARY, ModelFiles.MERGES)) {
            if (!files.has(name)) {
                return ListedTokens.unnamed(
                        vocabulary, files.origin(name) + " is missing beside the other half of its tokenizer");
            }
        }
        if (!settings.ofGpt2()) {
            return ListedTokens.unnamed(
                    vocabulary,
                    files.origin(ModelFiles.TOKENIZER_CONFIG) + " names " + Lines.quoted(settings.named())
                            + ", which splits text by other rules than GPT-2's");
        }
        String origin = files.origin(ModelFiles.VOCABULARY);
        JsonNode tree = Json.parse(files.read(ModelFiles.VOCABULARY), origin);
        Map<String, Integer> words = new LinkedHashMap<>();
        tree.properties().forEach(word -> {
            if (!word.getValue().canConvertToInt() || !word.getValue().isIntegralNumber()) {
                throw new InputException(origin + ": the id of " + Lines.quoted(word.getKey()) + " is "
                        + Lines.one(word.getValue().toString()) + ", expected a whole number; get the file again");
            }
            words.put(word.getKey(), word.getValue().intValue());
        });
        if (words.isEmpty()) {
            throw new InputException(
                    origin + ": found no vocabulary, expected an object of ids by piece; get the file again");
        }
        List<String[]> merges = BytePairs.merges(files.read(ModelFiles.MERGES), files.origin(ModelFiles.MERGES));
        Map<String, Integer> added = AddedTokens.ids(words, settings.added(), origin);
        special(settings, true, words, added);
        BytePairs.Variant variant = new BytePairs.Variant(settings.prefixesBlank(), false);
        return checked(
                new BytePairs(words, merges, added, variant, null, files.origin(ModelFiles.MERGES), vocabulary),
                added,
                beginning(settings),
                origin);
    }

    /** GPT-2's own class recognizes the token that ends texts, whether or not a file lists it. */
    private static void special(
            TokenizerSettings settings, boolean gpt2, Map<String, Integer> words, Map<String, Integer> added) {
        String content = settings.beginning() == null ? END_OF_TEXT : settings.beginning();
        if (gpt2 && words.containsKey(content)) {
            added.putIfAbsent(content, words.get(content));
        }
    }

    private static String beginning(TokenizerSettings settings) {
        return !settings.prefixesBeginning() ? null : settings.beginning() == null ? END_OF_TEXT : settings.beginning();
    }

    private static Tokenizer checked(
            AbstractTokenizer tokenizer, Map<String, Integer> added, String beginning, String origin) {
        try {
            AddedTokens.check(tokenizer, added, origin);
            Integer id = beginning == null ? null : added.get(beginning);
            if (id != null && id < tokenizer.vocabulary()) {
                tokenizer.beginsWith(id);
            }
            return tokenizer;
        } catch (RuntimeException | Error refused) {
            tokenizer.close();
            throw refused;
        }
    }

    /** By Hugging Face's own library, which is optional. */
    static AbstractTokenizer huggingFace(byte[] bytes, TokenizerJson json, String origin, int vocabulary)
            throws IOException {
        if (!OptionalLibrary.TOKENIZERS.present()) {
            throw new NativeLibraryException(
                    origin + " needs Hugging Face's tokenizer library, which is not here: "
                            + OptionalLibrary.TOKENIZERS.remedy() + ", or " + Remedy.USE_TOKEN_IDS,
                    null);
        }
        return HuggingFaceTokens.load(PlainTokenizerJson.of(bytes, origin), json, origin, vocabulary);
    }
}
