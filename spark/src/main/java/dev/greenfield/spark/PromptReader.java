package dev.greenfield.spark;

import dev.greenfield.failure.InputException;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.Tokenizer;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * Reads rows as prompts of a model. The columns are the keys of a suite's file: one of {@code clean}, {@code prompt} and {@code tokens};
 * {@code corrupt} or {@code corrupt_tokens}, {@code answer}, {@code foil}, {@code task} and {@code differs_at_token} where they are
 * needed; {@code number}, where numbers do not follow from the order of the rows. Other columns are left alone.
 */
final class PromptReader implements Serializable {
    static final String NUMBER = "number";
    private static final List<String> PROMPTS = List.of("clean", "prompt", "tokens");

    /** Models as data, for their tokenizers: one a process and model. */
    private static final Map<String, ModelSource> SOURCES = new ConcurrentHashMap<>();

    private final ModelSpec model;
    private final Needs needs;

    /** What the work needs of a row besides the prompt itself. */
    enum Needs {
        PROMPT,
        ANSWER,
        PAIR
    }

    PromptReader(ModelSpec model, Needs needs) {
        this.model = model;
        this.needs = needs;
    }

    /**
     * Refuses columns of which no row could be read.
     *
     * @throws InputException naming the columns that are there and those that are missing
     */
    void check(StructType schema) {
        List<String> there = List.of(schema.fieldNames());
        if (PROMPTS.stream().noneMatch(there::contains)) {
            throw new InputException("the prompts have the columns " + there
                    + ", expected one of 'clean', 'prompt' and 'tokens': rename the column that has the prompt");
        }
        if (needs != Needs.PROMPT && !there.contains("answer")) {
            throw new InputException("the prompts have the columns " + there
                    + ", expected 'answer' too: the text of one token, or #id, for F to be its logit");
        }
        if (needs == Needs.PAIR && !there.contains("corrupt") && !there.contains("corrupt_tokens")) {
            throw new InputException("the prompts have the columns " + there
                    + ", expected 'corrupt' or 'corrupt_tokens' too: the prompt to compare with");
        }
    }

    /**
     * The prompt of a row.
     *
     * @param place of the row, from 0, of which the number follows where there is no such column
     * @throws InputException if the model cannot read it, or something is missing
     */
    Prompt read(Row row, long place) throws IOException {
        long number = row.schema().getFieldIndex(NUMBER).isDefined() ? number(row, place) : place + 1;
        if (number < 1 || number > Integer.MAX_VALUE) {
            throw new InputException("row " + place + ": found the number " + number + ", expected 1 to "
                    + Integer.MAX_VALUE + ": number the prompts from 1");
        }
        try {
            return read(row, (int) number);
        } catch (InputException wrong) {
            throw new InputException("prompt " + number + ": " + wrong.getMessage(), wrong);
        }
    }

    private static long number(Row row, long place) {
        Object value = row.getAs(NUMBER);
        if (value instanceof Number number && !(value instanceof Double) && !(value instanceof Float)) {
            return number.longValue();
        }
        throw new InputException("row " + place + ", column '" + NUMBER + "': found " + value
                + ", expected a whole number: leave the column out to number the rows in their order");
    }

    private Prompt read(Row row, int number) throws IOException {
        ModelSource source = source();
        List<String> given = PROMPTS.stream().filter(key -> has(row, key)).toList();
        if (given.size() != 1) {
            throw new InputException("found " + (given.isEmpty() ? "no prompt" : "the prompts " + given)
                    + ", expected one of 'clean', 'prompt' and 'tokens'");
        }
        int[] tokens = ids(source, row, given.get(0));
        String answer = needs == Needs.PROMPT ? null : text(row, "answer");
        String foil = needs == Needs.PROMPT ? null : text(row, "foil");
        if (needs != Needs.PROMPT) {
            checkAnswer(source.tokenizer(), answer, foil);
        }
        return new Prompt(
                number,
                tokens,
                needs == Needs.PAIR ? corrupt(source, row, tokens) : null,
                answer,
                foil,
                text(row, "task"),
                differs(row, tokens.length));
    }

    private static void checkAnswer(Tokenizer tokenizer, String answer, String foil) {
        if (answer == null) {
            throw new InputException("found no answer, expected the text of one token, or #id, for F to be its logit");
        }
        if (tokenizer.single(answer) == (foil == null ? -1 : tokenizer.single(foil))) {
            throw new InputException("answer and foil are the same token, so that their logit difference is always 0:"
                    + " choose two different tokens");
        }
    }

    private int[] corrupt(ModelSource source, Row row, int[] tokens) {
        String key = has(row, "corrupt") ? "corrupt" : "corrupt_tokens";
        if (!has(row, key)) {
            throw new InputException("found no corrupt prompt, expected 'corrupt' or 'corrupt_tokens'");
        }
        int[] other = ids(source, row, key);
        if (other.length != tokens.length) {
            throw new InputException("the prompt has " + tokens.length + " tokens, the corrupt prompt " + other.length
                    + ": a patch needs prompts of equal length, reword one of them");
        }
        if (Arrays.equals(other, tokens)) {
            throw new InputException("the prompt and the corrupt prompt are the same tokens, so that patching changes"
                    + " nothing: change a word of one of them");
        }
        return other;
    }

    private int[] ids(ModelSource source, Row row, String key) {
        try {
            int[] ids = key.endsWith("tokens")
                    ? row.<Number>getList(row.fieldIndex(key)).stream()
                            .mapToInt(id -> Math.toIntExact(id.longValue()))
                            .toArray()
                    : source.tokenizer().encode(text(row, key), model.options().beginning());
            source.config().checkTokens(ids);
            return ids;
        } catch (InputException | ClassCastException | ArithmeticException | NullPointerException wrong) {
            throw new InputException(
                    "column '" + key + "': "
                            + (wrong instanceof InputException
                                    ? wrong.getMessage()
                                    : "found " + row.getAs(key) + ", expected a list of token ids"),
                    wrong);
        }
    }

    private static Integer differs(Row row, int length) {
        if (!has(row, "differs_at_token")) {
            return null;
        }
        Object value = row.getAs("differs_at_token");
        // As in suites: what names no token of the prompt says nothing.
        return value instanceof Number token && token.longValue() >= 0 && token.longValue() < length
                ? (Integer) token.intValue()
                : null;
    }

    private static boolean has(Row row, String column) {
        return row.schema().getFieldIndex(column).isDefined() && !row.isNullAt(row.fieldIndex(column));
    }

    private static String text(Row row, String column) {
        return has(row, column) ? row.getAs(column).toString() : null;
    }

    private ModelSource source() throws IOException {
        synchronized (SOURCES) {
            ModelSource source = SOURCES.get(model.spec());
            if (source == null) {
                source = ModelSource.open(model.spec());
                SOURCES.put(model.spec(), source);
            }
            return source;
        }
    }
}
