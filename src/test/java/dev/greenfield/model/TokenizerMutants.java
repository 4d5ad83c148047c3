package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Mutated tokenizer files, each loaded and applied. Its program is the campaign: {@code java dev.greenfield.model.TokenizerMutants 100000
 * SEED} prints how many were read, how many were refused, and how often the library's process ended.
 */
final class TokenizerMutants {
    private static final int VOCABULARY = 300;
    private static final Pattern VALUE = Pattern.compile("(?<=: )(true|false|null|[0-9.]+|\"[^\"\\\\]*\")(?=[,}])");

    private static final String[] VALUES = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1e400",
        "1e-400",
        "18446744073709551616",
        "4294967295",
        "0.5",
        "\"\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"\u00e9\"",
        "[]",
        "{}",
        "[[]]",
        "{\"Regex\": \"(((((a*)*)*)*)*)*b\"}",
        "{\"String\": \"\"}",
        "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"////fwAA\"}",
        "{\"type\": \"Lowercase\"}",
        "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"" + "(".repeat(2000) + ")".repeat(2000)
                + "\"}, \"content\": \"\"}",
        "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"\\\\\"}, \"behavior\": \"Isolated\", \"invert\": true}",
        "{\"type\": \"Metaspace\", \"replacement\": \"\u2581\", \"prepend_scheme\": \"always\", \"split\": true}",
        "{\"type\": \"Prepend\", \"prepend\": \"\"}",
        "{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}",
        "{\"type\": \"Sequence\", \"normalizers\": []}",
        "{\"type\": \"Digits\", \"individual_digits\": true}",
        "{\"type\": \"FixedLength\", \"length\": 0}",
        "{\"type\": \"CTC\"}",
        "{\"type\": \"BertNormalizer\"}",
        "\"WordLevel\"",
        "\"Unigram\"",
        "\"WordPiece\""
    };

    private TokenizerMutants() {}

    /** The files that are mutated. */
    static List<String> seeds() {
        String pairs = SmallTokenizer.json(false, "", "267 <|x|>");
        String unigram =
                "{\"version\": \"1.0\", \"added_tokens\": [], \"normalizer\": {\"type\": \"Prepend\", \"prepend\": \"\u2581\"},"
                        + " \"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"\u2581\", \"prepend_scheme\": \"always\", \"split\": true},"
                        + " \"post_processor\": null, \"decoder\": null, \"model\": {\"type\": \"Unigram\", \"unk_id\": 0,"
                        + " \"byte_fallback\": false, \"vocab\": [[\"<unk>\", 0.0], [\"\u2581a\", -1.0], [\"\u2581P\", -2.5], [\"aris\", -3.0]]}}";
        String words =
                "{\"version\": \"1.0\", \"added_tokens\": [], \"normalizer\": {\"type\": \"NFC\"}, \"pre_tokenizer\":"
                        + " {\"type\": \"BertPreTokenizer\"}, \"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\":"
                        + " {\"id\": \"a\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": [],"
                        + " \"special_tokens\": {\"a\": {\"id\": \"a\", \"ids\": [0], \"tokens\": [\"a\"]}}}, \"decoder\": {\"type\":"
                        + " \"WordPiece\", \"prefix\": \"##\", \"cleanup\": true}, \"model\": {\"type\": \"WordPiece\", \"unk_token\": \"u\","
                        + " \"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 100, \"vocab\": {\"a\": 0, \"##b\": 1, \"u\": 2}}}";
        return List.of(
                pairs,
                pairs.replace("\"normalizer\": null", "\"normalizer\": {\"type\": \"NFC\"}"),
                pairs.replace("\"continuing_subword_prefix\": \"\"", "\"continuing_subword_prefix\": \"##\""),
                unigram,
                words);
    }

    private static byte[] mutant(List<String> seeds, Random random) {
        String json = seeds.get(random.nextInt(seeds.size()));
        for (int rounds = 1 + random.nextInt(3); rounds > 0; rounds--) {
            List<int[]> places = new ArrayList<>();
            for (Matcher value = VALUE.matcher(json); value.find(); ) {
                places.add(new int[] {value.start(), value.end()});
            }
            if (places.isEmpty()) {
                break;
            }
            int[] place = places.get(
                    random.nextInt(4) == 0
                            ? random.nextInt(places.size())
                            : random.nextInt(Math.min(30, places.size())));
            json = json.substring(0, place[0]) + VALUES[random.nextInt(VALUES.length)] + json.substring(place[1]);
        }
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        for (int flips = random.nextInt(4) == 0 ? random.nextInt(4) : 0; flips > 0; flips--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return random.nextInt(50) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
    }

    /** Returns how many files were read or refused, how many of these were refused, and how many ended the library's process. */
    static int[] run(int count, Random random) throws IOException {
        List<String> seeds = seeds();
        int[] outcome = new int[3];
        for (int i = 0; i < count; i++) {
            try (Tokenizer tokenizer = Tokenizers.of(new OneFile(mutant(seeds, random)), VOCABULARY)) {
                tokenizer.encode("a Paris<|x|> 12 \u00e9\ud83d\ude00 ##b");
            } catch (InputException refused) {
                outcome[1]++;
                outcome[2] += refused.getMessage().contains("broke down") ? 1 : 0;
            }
            outcome[0]++;
        }
        return outcome;
    }

    /** A model of one file. */
    private record OneFile(byte[] bytes) implements ModelFiles {
        @Override
        public boolean has(String name) {
            return name.equals(TOKENIZER);
        }

        @Override
        public java.io.InputStream stream(String name) {
            return new java.io.ByteArrayInputStream(bytes);
        }

        @Override
        public dev.greenfield.safetensors.Safetensors tensors(String name) throws IOException {
            throw new IOException("no tensors");
        }

        @Override
        public String origin(String name) {
            return name;
        }
    }

    /** The campaign: count, seed. */
    public static void main(String[] arguments) throws IOException {
        int count = Integer.parseInt(arguments[0]);
        long seed = Long.parseLong(arguments[1]);
        long start = System.nanoTime();
        int[] outcome = run(count, new Random(seed));
        System.out.printf(
                Locale.ROOT,
                "%d mutated tokenizers, seed %d: %d read, %d refused, of which %d ended the library's process; this process lives; %.0f s%n",
                outcome[0],
                seed,
                outcome[0] - outcome[1],
                outcome[1],
                outcome[2],
                (System.nanoTime() - start) / 1e9);
    }
}
