package dev.greenfield.cli.source;

import dev.greenfield.cli.job.DecodeOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Decoding;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.lattice.Site;
import java.util.Arrays;

/** The direction of the one source of {@code regime} and {@code propagate}, in words. */
final class SourceWords {
    private SourceWords() {}

    /**
     * Decodes and adds to the results; the report prints it.
     *
     * @param direction at the site, [D]; its length does not matter
     */
    static Decoding of(Job job, Site site, double[] direction, DecodeOptions options) {
        double length = Math.sqrt(Arrays.stream(direction).map(x -> x * x).sum());
        Decoding words = new Decoding(job);
        words.add(
                "depth " + site.halfDepth() + ", " + job.labels().get(site.token()),
                Sites.fields(site),
                Arrays.stream(direction).map(x -> x / length).toArray(),
                site);
        words.decode(job, options, "what the direction of the source writes and reads, at unit length");
        return words;
    }
}
