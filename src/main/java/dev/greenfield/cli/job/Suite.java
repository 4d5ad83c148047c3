package dev.greenfield.cli.job;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Model;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Digest;
import dev.greenfield.text.Json;
import dev.greenfield.text.Nearest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of prompts: a JSON list of objects, each with its prompt as {@code clean}, {@code prompt} or {@code tokens} (ids). {@code
 * corrupt}, {@code answer} and {@code foil} must be texts where they are given, {@code corrupt_tokens} ids; other keys may hold
 * anything.
 *
 * @param path as it was given
 * @param sha256 of the file
 * @param entries its prompts in order
 */
record Suite(String path, String sha256, List<Item> entries) {
    private static final List<String> PROMPTS = List.of("clean", "prompt", "tokens");
    private static final List<String> TEXTS = List.of("clean", "prompt", "corrupt", "answer", "foil");
    private static final String EXPECTED =
            "expected a list of prompts such as [{\"clean\": \"The capital of Korea is\"}]";

    /**
     * A prompt as the file gives it.
     *
     * @param number from 1
     * @param key which of its keys has the prompt
     * @param text null where there are ids
     * @param ids null where there is a text
     * @param other what it is compared with
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    record Item(int number, String key, String text, int[] ids, Other other) {}

    /**
     * What an entry says about its comparison; each is null where it is missing.
     *
     * @param corrupt text of the other prompt
     * @param corruptIds or its token ids
     * @param answer a token's text, or #id
     * @param foil likewise
     * @param task what kind of prompt it is
     * @param differs the token that the task hangs on, from {@code differs_at_token}
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    record Other(String corrupt, int[] corruptIds, String answer, String foil, String task, Integer differs) {}

    /**
     * Reads a suite.
     *
     * @throws InputException if it is not one; the message names the entry and the key
     * @throws IOException if the file cannot be read
     */
    static Suite read(String given) throws IOException {
        String origin = "--suite " + Quantities.quoted(given);
        byte[] bytes;
        try {
            Path file = Path.of(given);
            if (given.isBlank() || Files.isDirectory(file)) {
                throw new InputException(origin + ": found a directory, expected a JSON file of prompts");
            }
            if (!Files.exists(file)) {
                throw new InputException(origin + ": there is no such file"
                        + Nearest.question(file, beside -> beside.toString().endsWith(".json"))
                        + ", expected a JSON file of prompts; correct its name");
            }
            bytes = Json.bytes(file, origin);
        } catch (InvalidPathException wrong) {
            throw new InputException(origin + ": this cannot be a path (" + wrong.getReason() + ")", wrong);
        }
        JsonNode list = Json.parse(bytes, origin);
        if (!list.isArray()) {
            throw new InputException(origin + ": found " + kind(list) + ", " + EXPECTED);
        }
        if (list.isEmpty()) {
            throw new InputException(origin + ": found an empty list, " + EXPECTED);
        }
        List<Item> entries = new ArrayList<>();
        for (JsonNode entry : list) {
            entries.add(entry(origin + ", entry " + (entries.size() + 1), entries.size() + 1, entry));
        }
        return new Suite(given, Digest.sha256(bytes), List.copyOf(entries));
    }

    private static Item entry(String where, int number, JsonNode entry) {
        if (!entry.isObject()) {
            throw new InputException(where + ": found " + kind(entry)
                    + ", expected an object with a prompt, such as {\"clean\": \"The capital of Korea is\"}");
        }
        for (String key : TEXTS) {
            if (entry.has(key) && !entry.get(key).isTextual()) {
                throw new InputException(
                        where + ", key '" + key + "': found " + kind(entry.get(key)) + ", expected a text");
            }
        }
        List<String> given = PROMPTS.stream().filter(entry::has).toList();
        if (given.isEmpty()) {
            throw new InputException(where + ": found no prompt, expected one of the keys 'clean', 'prompt', 'tokens'");
        }
        if (given.size() > 1) {
            throw new InputException(where + ": found both '" + given.get(0) + "' and '" + given.get(1)
                    + "', expected one prompt: leave one of them out");
        }
        String key = given.get(0);
        if (key.equals("tokens")) {
            return new Item(number, key, null, ids(where + ", key 'tokens'", entry.get(key)), other(where, entry));
        }
        if (entry.get(key).asText().isEmpty()) {
            throw new InputException(where + ", key '" + key + "': found an empty text, expected a prompt");
        }
        return new Item(number, key, entry.get(key).asText(), null, other(where, entry));
    }

    private static Other other(String where, JsonNode entry) {
        if (entry.has("corrupt") && entry.has("corrupt_tokens")) {
            throw new InputException(where + ": found both 'corrupt' and 'corrupt_tokens', expected one other prompt:"
                    + " leave one of them out");
        }
        return new Other(
                entry.path("corrupt").textValue(),
                entry.has("corrupt_tokens") ? ids(where + ", key 'corrupt_tokens'", entry.get("corrupt_tokens")) : null,
                entry.path("answer").textValue(),
                entry.path("foil").textValue(),
                entry.path("task").textValue(),
                entry.path("differs_at_token").canConvertToInt()
                        ? (Integer) entry.get("differs_at_token").intValue()
                        : null);
    }

    private static int[] ids(String where, JsonNode list) {
        if (!list.isArray() || list.isEmpty()) {
            throw new InputException(where + ": found " + (list.isArray() ? "an empty list" : kind(list))
                    + ", expected a list of token ids such as [1, 2, 3]");
        }
        int[] ids = new int[list.size()];
        for (int i = 0; i < ids.length; i++) {
            if (!list.get(i).isIntegralNumber() || !list.get(i).canConvertToInt()) {
                throw new InputException(
                        where + ": found " + Quantities.quoted(list.get(i).toString()) + " at place " + i
                                + ", expected token ids such as [1, 2, 3]");
            }
            ids[i] = list.get(i).intValue();
        }
        return ids;
    }

    private static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case ARRAY -> "a list";
            case OBJECT -> "an object";
            case STRING -> "a text";
            case NUMBER -> "a number";
            case BOOLEAN -> node.asText();
            default -> "null";
        };
    }

    /**
     * The prompts in a model's tokens.
     *
     * @throws InputException if the model cannot read one of them
     */
    List<SuitePrompt> prompts(Model model) {
        List<SuitePrompt> prompts = new ArrayList<>();
        for (Item entry : entries) {
            try {
                int[] tokens = entry.ids() != null ? entry.ids() : model.encode(entry.text());
                model.config().checkTokens(tokens);
                List<String> text = new ArrayList<>();
                for (int token : tokens) {
                    text.add(model.tokenizer().text(token));
                }
                prompts.add(new SuitePrompt(entry.number(), entry.text(), tokens, List.copyOf(text)));
            } catch (InputException wrong) {
                throw new InputException(
                        "--suite " + Quantities.quoted(path) + ", entry " + entry.number() + ", key '" + entry.key()
                                + "': " + ofSuite(wrong.getMessage()),
                        wrong);
            }
        }
        return prompts;
    }

    /** A message in a suite's own words: its prompts have no option for token ids. */
    static String ofSuite(String message) {
        return message.replace(
                Remedy.USE_TOKEN_IDS.phrase(), "give token ids under the keys 'tokens' and 'corrupt_tokens'");
    }
}
