package dev.greenfield.cli.map;

import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.job.SuitePrompt;
import dev.greenfield.failure.InputException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One of several parts of a suite, each for a machine of its own: of {@code count} shards number {@code index} has the prompts
 * {@code index}, {@code index + count}, and so on, so that neighbours of like length are spread.
 *
 * @param index from 1
 * @param count of all shards
 */
record Shard(int index, int count) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})/(\\d{1,9})");

    /** Reads {@code i/n}; {@code where} is what the message calls it. */
    static Shard parse(String where, String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (matcher.matches()) {
            Shard shard = new Shard(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
            if (shard.index >= 1 && shard.index <= shard.count) {
                return shard;
            }
        }
        throw new InputException(
                where + " " + Quantities.quoted(text) + ": expected i/n, shard i of n counted from 1, such as 1/4");
    }

    /** Whether it has a prompt. */
    boolean has(int number) {
        return (number - index) % count == 0;
    }

    /**
     * Its prompts of a suite's.
     *
     * @throws InputException if it has none
     */
    List<SuitePrompt> of(List<SuitePrompt> all) {
        if (count > all.size()) {
            throw new InputException("--shard " + this + ": the suite has " + all.size()
                    + (all.size() == 1 ? " prompt" : " prompts") + ", expected at most as many shards");
        }
        return all.stream().filter(prompt -> has(prompt.number())).toList();
    }

    /** As it is given: {@code 1/4}. */
    @Override
    public String toString() {
        return index + "/" + count;
    }
}
