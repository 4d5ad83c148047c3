package dev.greenfield.cli.source;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.show.Sites;
import dev.greenfield.propagation.SourcePropagation;
import dev.greenfield.propagation.SourcePropagation.Compared;
import dev.greenfield.propagation.SourcePropagation.Measure;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What the propagate command says of a response in rows and words, on the terminal and on its page. */
final class PropagateTables {
    private final Job job;
    private final SourcePropagation response;
    private final SourcePropagation control; // or null
    private final double[] epsilons;
    private final int layers;

    PropagateTables(Job job, SourcePropagation response, SourcePropagation control) {
        this.job = job;
        this.response = response;
        this.control = control;
        this.epsilons = response.amplitudes();
        this.layers = response.tangent().depths() - 1;
    }

    private static final List<Measure> SHOWN = List.of(
            Measure.NORM,
            Measure.TOKEN_SHARE,
            Measure.DISPLACEMENT,
            Measure.FRONT,
            Measure.NORMALIZED_ENTROPY,
            Measure.PARTICIPATION,
            Measure.DECAY_EXPONENT);

    static List<String> header() {
        List<String> header = new ArrayList<>(List.of("depth"));
        SHOWN.forEach(measure -> header.add(name(measure).replace('_', ' ')));
        return header;
    }

    List<List<String>> table() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(header());
        for (int l = response.site().depth() + 1; l <= layers; l++) {
            List<String> row = new ArrayList<>(List.of(Integer.toString(l)));
            for (Measure measure : SHOWN) {
                Compared compared = response.compared(measure, l);
                row.add(Numbers.three(compared.value()) + " / "
                        + Numbers.three(compared.random().value())
                        + (control == null ? "" : " / " + Numbers.three(control.tangent(measure, l))));
            }
            rows.add(row);
        }
        return rows;
    }

    static final List<String> NONLINEARITY = List.of("epsilon", "|measured - first order| / |measured|");

    List<List<String>> nonlinearity() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(NONLINEARITY);
        for (int i = 0; i < epsilons.length; i++) {
            rows.add(List.of(Numbers.format("%.3g", epsilons[i]), Numbers.format("%.2g", response.nonlinearity(i))));
        }
        return rows;
    }

    /** The site of the source. */
    String place() {
        return Sites.named(response.site(), job.labels());
    }

    static String name(Measure measure) {
        return measure.name().toLowerCase(Locale.ROOT);
    }
}
