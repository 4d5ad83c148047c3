package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * GPT-2's own kind of tokenizer over any vocabulary: words by GPT-2's pattern, their bytes as characters, and pairs of neighbours merged
 * in the order of the merges. What GPT-2 models bring needs no library. Dropout of merges is for training and left out.
 */
final class BytePairs extends AbstractTokenizer {
    // The published pattern, with Unicode's White_Space for \s as in the published library.
    private static final Pattern WORD = Pattern.compile("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+"
            + "| ?[^\\p{IsWhite_Space}\\p{L}\\p{N}]+|\\p{IsWhite_Space}+(?!\\P{IsWhite_Space})|\\p{IsWhite_Space}+");

    private static final int MOST_CACHED = 10_000;

    private final Map<String, Integer> words;
    private final Map<Long, Merge> merges = new HashMap<>(); // by the pair of ids
    private final Map<String, Integer> added;
    private final Pattern addedPattern; // null if there are none
    private final boolean prefixBlank;
    private final boolean wholeWords;
    private final TokenizerJson pieces; // null where the vocabulary alone says what tokens read
    private final String[] byId;
    private final String origin;
    private final Map<String, int[]> cache = new HashMap<>();

    private record Merge(int rank, int id) {}

    /** Options of the tokenizer: a blank before the text, and words that are in the vocabulary taken as they are. */
    record Variant(boolean prefixBlank, boolean wholeWords) {}

    /**
     * Makes the tokenizer.
     *
     * @param words ids by piece, in the byte alphabet
     * @param merges pairs of pieces, the first to be merged first
     * @param added ids of tokens that are recognized before the text is split
     * @param pieces what tokens read, or null for what the vocabulary says
     * @throws InputException if a merge is of pieces that are not in the vocabulary
     */
    BytePairs(
            Map<String, Integer> words,
            List<String[]> merges,
            Map<String, Integer> added,
            Variant variant,
            TokenizerJson pieces,
            String origin,
            int vocabulary) {
        super(vocabulary);
        this.words = words;
        this.added = added;
        this.prefixBlank = variant.prefixBlank();
        this.wholeWords = variant.wholeWords();
        this.pieces = pieces;
        this.origin = origin;
        for (int rank = 0; rank < merges.size(); rank++) {
            String[] pair = merges.get(rank);
            Integer left = words.get(pair[0]);
            Integer right = words.get(pair[1]);
            Integer both = words.get(pair[0] + pair[1]);
            if (left == null || right == null || both == null) {
                String missing = left == null ? pair[0] : right == null ? pair[1] : pair[0] + pair[1];
                throw new InputException(origin + ": found a merge of " + Lines.quoted(pair[0]) + " and "
                        + Lines.quoted(pair[1]) + ", but " + Lines.quoted(missing)
                        + " is not in the vocabulary; get both of one model");
            }
            this.merges.put(key(left, right), new Merge(rank, both)); // the last of equal pairs, as in the library
        }
        addedPattern = added.isEmpty()
                ? null
                : Pattern.compile(added.keySet().stream()
                        .sorted((a, b) -> Integer.compare(b.length(), a.length()))
                        .map(Pattern::quote)
                        .collect(Collectors.joining("|")));
        byId = new String[vocabulary];
        words.forEach((piece, id) -> {
            if (id >= 0 && id < vocabulary) {
                byId[id] = piece;
            }
        });
    }

    private static long key(int left, int right) {
        return ((long) left << 32) | (right & 0xffff_ffffL);
    }

    @Override
    int[] ids(String text) {
        IntStream.Builder ids = IntStream.builder();
        int from = 0;
        if (addedPattern != null) {
            Matcher special = addedPattern.matcher(text);
            while (special.find()) {
                split(text.substring(from, special.start()), ids);
                ids.add(added.get(special.group()));
                from = special.end();
            }
        }
        split(text.substring(from), ids);
        return ids.build().toArray();
    }

    private void split(String part, IntStream.Builder ids) {
        if (part.isEmpty()) {
            return;
        }
        String text = prefixBlank && part.charAt(0) != ' ' ? " " + part : part;
        Matcher word = WORD.matcher(text);
        while (word.find()) {
            for (int id : cached(word.group())) {
                ids.add(id);
            }
        }
    }

    private int[] cached(String word) {
        synchronized (cache) {
            int[] known = cache.get(word);
            if (known == null) {
                known = merged(word);
                if (cache.size() < MOST_CACHED && word.length() < 100) {
                    cache.put(word, known);
                }
            }
            return known;
        }
    }

    /** The neighbours of a piece, and what it is now; 0 long where it has gone into the one before. */
    private int[] merged(String word) {
        String characters = ByteLevel.characters(word.getBytes(StandardCharsets.UTF_8));
        Integer whole = wholeWords ? words.get(characters) : null;
        if (whole != null) {
            return new int[] {whole};
        }
        int n = characters.length();
        int[] ids = new int[n];
        int[] next = new int[n];
        int[] before = new int[n];
        for (int i = 0; i < n; i++) {
            Integer id = words.get(String.valueOf(characters.charAt(i)));
            if (id == null) {
                throw unknown(word, origin);
            }
            ids[i] = id;
            next[i] = i + 1;
            before[i] = i - 1;
        }
        // Of equal ranks the leftmost first.
        PriorityQueue<long[]> queue =
                new PriorityQueue<>((a, b) -> a[0] != b[0] ? Long.compare(a[0], b[0]) : Long.compare(a[1], b[1]));
        for (int i = 0; i + 1 < n; i++) {
            offer(queue, ids, i, i + 1);
        }
        while (!queue.isEmpty()) {
            long[] first = queue.remove();
            int left = (int) first[1];
            int right = ids[left] < 0 ? n : next[left];
            if (right >= n || key(ids[left], ids[right]) != first[2]) {
                continue; // one of the two has been merged since
            }
            ids[left] = merges.get(first[2]).id();
            ids[right] = -1;
            next[left] = next[right];
            if (next[left] < n) {
                before[next[left]] = left;
                offer(queue, ids, left, next[left]);
            }
            if (before[left] >= 0) {
                offer(queue, ids, before[left], left);
            }
        }
        return Arrays.stream(ids).filter(id -> id >= 0).toArray();
    }

    private void offer(PriorityQueue<long[]> queue, int[] ids, int left, int right) {
        long pair = key(ids[left], ids[right]);
        Merge merge = merges.get(pair);
        if (merge != null) {
            queue.add(new long[] {merge.rank(), left, pair});
        }
    }

    @Override
    String piece(int id) {
        if (pieces != null && pieces.piece(id) != null) {
            return pieces.shown(id);
        }
        for (Map.Entry<String, Integer> token : added.entrySet()) {
            if (token.getValue() == id) {
                return token.getKey();
            }
        }
        return byId[id] == null ? null : ByteLevel.text(byId[id]);
    }

    /** The lines of {@code merges.txt}: two pieces each, after a line that begins with {@code #version}. */
    static List<String[]> merges(byte[] file, String origin) {
        List<String[]> merges = new ArrayList<>();
        String[] lines = new String(file, StandardCharsets.UTF_8).split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            String line = lines[i].endsWith("\r") ? lines[i].substring(0, lines[i].length() - 1) : lines[i];
            if (line.isBlank() || (i == 0 && line.startsWith("#version"))) {
                continue;
            }
            String[] pair = line.split(" ", -1);
            if (pair.length != 2 || pair[0].isEmpty() || pair[1].isEmpty()) {
                throw new InputException(origin + ": line " + (i + 1) + " is " + Lines.quoted(line)
                        + ", expected two pieces with a blank between; get the file again");
            }
            merges.add(pair);
        }
        return merges;
    }
}
