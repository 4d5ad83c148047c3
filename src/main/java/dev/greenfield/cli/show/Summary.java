package dev.greenfield.cli.show;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Job;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import dev.greenfield.model.Tokenizer;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.TerminalHeatMap;
import dev.greenfield.report.TokenLabels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What commands print on standard output, and the scalars that go with it into the results. */
public final class Summary {
    private static final int PREDICTIONS = 5;
    private static final int LINE = 110; // or fewer, where a terminal has fewer

    private Summary() {}

    /** The prompt, what the model says next, and F where there is one; returns F, or NaN. */
    public static double opening(Job job) {
        Run run = job.run();
        Terminal terminal = job.terminal();
        wrapped(terminal, "prompt    ", TokenLabels.of(run.tokenText()));
        List<NextToken> top = predictions(job, run);
        job.result("position", job.position());
        job.result("predictions", top.stream().map(NextToken::toMap).toList());
        terminal.line("next      " + describe(top));
        return value(job, run, "");
    }

    /** The most probable tokens after the position of F. */
    public static List<NextToken> predictions(Job job, Run run) {
        return NextToken.top(
                run.logits(job.position()), PREDICTIONS, job.model().tokenizer());
    }

    /** For example {@code Seoul 0.998, Oslo 0.001}. */
    public static String describe(List<NextToken> top) {
        return top.stream()
                .map(p -> TokenLabels.visible(p.text()) + " " + Numbers.format("%.3f", p.probability()))
                .collect(Collectors.joining(", "));
    }

    private static double value(Job job, Run run, String suffix) {
        Observable f = job.observable();
        if (f == null) {
            return Double.NaN;
        }
        double value = run.value(f);
        job.result("value" + suffix, value);
        job.result((f.foil() == null ? "logit" : "logit_difference") + suffix, value);
        job.terminal().line("F         " + f.describe() + " = " + Numbers.format("%.4f", value));
        double[] logits = run.logits(job.position());
        String ranks = standing(job, logits, "answer", f.answer(), suffix);
        if (f.foil() != null) {
            ranks += "; " + standing(job, logits, "foil", f.foil(), suffix);
        }
        job.terminal().line("ranks     " + ranks);
        if (suffix.isEmpty()) {
            warnOfBlank(job, logits, "--answer", f.answer());
            warnOfBlank(job, logits, "--foil", f.foil());
        }
        return value;
    }

    /** Where a token stands among all, for people and for the results. */
    private static String standing(Job job, double[] logits, String role, String text, String suffix) {
        int id = job.model().tokenizer().single(text);
        NextToken token = NextToken.of(id, logits, job.model().tokenizer());
        Map<String, Object> fields = token.toMap();
        fields.put("rank", NextToken.rank(id, logits));
        job.result(role + suffix, fields);
        return role + " " + described(token, logits);
    }

    private static String described(NextToken token, double[] logits) {
        return TokenLabels.visible(token.text()) + " " + NextToken.rank(token.id(), logits) + " of " + logits.length
                + ", probability " + Numbers.format("%.3g", token.probability());
    }

    /** In most vocabularies a word inside a text is the token with a blank in front, and the word alone is another token. */
    private static void warnOfBlank(Job job, double[] logits, String option, String text) {
        Tokenizer tokenizer = job.model().tokenizer();
        if (text == null || text.startsWith(" ") || text.matches("#[0-9]+") || !tokenizer.canEncode()) {
            return;
        }
        int id = tokenizer.single(text);
        int[] spaced;
        try {
            spaced = tokenizer.encode(" " + text);
        } catch (InputException unknown) {
            return;
        }
        if (spaced.length == 1 && spaced[0] != id) {
            job.terminal()
                    .warning(option + " \"" + text + "\" and \" " + text
                            + "\" with a blank in front are both one token: the first has rank "
                            + described(NextToken.of(id, logits, tokenizer), logits) + ", the second "
                            + described(NextToken.of(spaced[0], logits, tokenizer), logits) + "; F is of the first");
        }
    }

    /** The corrupt run's tokens and its F; returns F. */
    public static double corrupt(Job job, Run corrupt) {
        wrapped(job.terminal(), "corrupt   ", TokenLabels.of(corrupt.tokenText()));
        job.terminal().line("next      " + describe(predictions(job, corrupt)));
        job.result("corrupt_tokens", corrupt.tokens());
        job.result("corrupt_token_text", corrupt.tokenText());
        return value(job, corrupt, "_corrupt");
    }

    /** Items in as many lines as they need, the first of which has the heading. */
    private static void wrapped(Terminal terminal, String heading, List<String> items) {
        int width = Math.min(LINE, terminal.room());
        StringBuilder line = new StringBuilder(heading);
        for (String item : items) {
            if (line.length() > heading.length() && line.length() + item.length() > width) {
                terminal.line(line.toString().stripTrailing());
                line = new StringBuilder(" ".repeat(heading.length()));
            }
            line.append(item).append("  ");
        }
        terminal.line(line.toString().stripTrailing());
    }

    /** A map over depths and tokens. */
    public static void heatMap(Job job, String title, double[][] values, HeatMap.Scale scale) {
        job.terminal().line("");
        HeatMap map = new HeatMap(title, "", Sites.depths(values.length), job.labels(), values, scale, "");
        job.terminal()
                .block(TerminalHeatMap.render(
                        map,
                        job.terminal().colour(),
                        Math.min(LINE, job.terminal().room())));
    }

    /** The rows of a table of sites: depth, token, value. */
    public static List<List<String>> ranking(Job job, List<Sites.Ranked> sites, String valueName) {
        List<String> labels = job.labels();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("depth", "token", valueName));
        for (Sites.Ranked site : sites) {
            rows.add(List.of(
                    Integer.toString(site.depth()), labels.get(site.token()), Numbers.format("%.4g", site.value())));
        }
        return rows;
    }

    /** Says that factorizations ended before their singular values stood still, where some did. */
    public static void unsettled(Terminal terminal, int unsettled, int all) {
        if (unsettled > 0) {
            terminal.warning(
                    "the singular values of " + unsettled + (all == 1 ? " operator" : " of " + all + " operators")
                            + " had not settled when the search ended and are lower bounds: ask for fewer of them, or raise --memory");
        }
    }
}
