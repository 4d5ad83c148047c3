package dev.greenfield.cli.job;

import dev.greenfield.Model;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import java.util.Arrays;
import java.util.List;

/** Whether two models read the same tokens. */
public final class SharedTokens {
    private static final String ADVICE =
            ": sites and residuals can only be compared token by token, choose two models" + " that share a tokenizer";

    private SharedTokens() {}

    /** Refuses models whose vocabularies differ. */
    public static void require(Model a, Model b) {
        int size = a.config().vocabulary();
        if (size != b.config().vocabulary()) {
            throw new InputException(
                    "--model has " + size + " tokens, --model-b " + b.config().vocabulary() + ADVICE);
        }
        for (int id = 0; id < size; id++) {
            String own = a.tokenizer().text(id);
            String other = b.tokenizer().text(id);
            if (!own.equals(other)) {
                throw new InputException("token " + id + " reads " + Quantities.quoted(own) + " in --model and "
                        + Quantities.quoted(other) + " in --model-b" + ADVICE);
            }
        }
    }

    /** Refuses a model that reads a pair's texts as other tokens, or cannot take them. */
    public static void require(Model b, List<SuitePair> pairs) {
        for (SuitePair pair : pairs) {
            String text = pair.prompt().text();
            if (text != null && !Arrays.equals(b.encode(text), pair.prompt().tokens())) {
                throw new InputException("--model-b reads the prompt of entry "
                        + pair.prompt().number() + " as other tokens than --model does" + ADVICE);
            }
            try {
                b.config().checkTokens(pair.prompt().tokens());
            } catch (InputException wrong) {
                throw new InputException(
                        "--model-b, entry " + pair.prompt().number() + " of the suite: " + wrong.getMessage(), wrong);
            }
        }
    }
}
