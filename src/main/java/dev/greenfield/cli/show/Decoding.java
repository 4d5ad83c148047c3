package dev.greenfield.cli.show;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.DecodeOptions;
import dev.greenfield.cli.job.Job;
import dev.greenfield.cli.job.ModelJob;
import dev.greenfield.lattice.Site;
import dev.greenfield.lens.DecodedDirection;
import dev.greenfield.lens.DirectionDecoder;
import dev.greenfield.lens.Jacobians;
import dev.greenfield.lens.TokenScore;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.TokenLabels;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The directions that a command found, in words: tokens that they write and read, for the terminal, the results and the page. First
 * directions are {@linkplain #add added}, then all are decoded at once.
 */
public final class Decoding {
    private static final String PHASE = "decode"; // of the timings
    private static final List<String> HEADING = List.of("direction", "what", "token");

    private final ModelJob job;
    private final List<Direction> directions = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();
    private String title;

    /**
     * @param name for people
     * @param fields for the results
     * @param writes [D], a direction at a site
     * @param at null where there is no run
     * @param reads [D]
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    private record Direction(String name, Map<String, Object> fields, double[] writes, Site at, double[] reads) {}

    /** Of no directions yet. */
    public Decoding(ModelJob job) {
        this.job = job;
    }

    /** Adds a direction that writes and reads as it stands at a site; {@code fields} say in the results which one it is. */
    public void add(String name, Map<String, Object> fields, double[] direction, Site at) {
        add(name, fields, direction, at, direction);
    }

    /** Adds a pair: what is written at a site, and what is read. */
    public void add(String name, Map<String, Object> fields, double[] writes, Site at, double[] reads) {
        directions.add(new Direction(name, new LinkedHashMap<>(fields), writes, at, reads));
    }

    /** Decodes, and adds to the results, at the job's run. */
    public void decode(Job of, DecodeOptions options, String heading) {
        options.tell(of);
        if (options.count() == 0 || directions.isEmpty()) {
            return;
        }
        DirectionDecoder decoder = of.run().decoder(options.count());
        Jacobians jacobians = options.jacobians(of).orElse(null);
        List<Site> sites = directions.stream().map(Direction::at).toList();
        words("writes", job.timed(PHASE, () -> decoder.written(writes(), sites)));
        if (jacobians != null) {
            List<Integer> known = new ArrayList<>();
            for (int i = 0; i < sites.size(); i++) {
                if (!sites.get(i).middle() && jacobians.has(sites.get(i).depth())) {
                    known.add(i);
                }
            }
            List<DecodedDirection> moved = job.timed(
                    PHASE,
                    () -> decoder.transported(
                            known.stream().map(i -> directions.get(i).writes()).toList(),
                            known.stream().map(sites::get).toList(),
                            jacobians));
            for (int i = 0; i < known.size(); i++) {
                word(directions.get(known.get(i)), "jacobian_writes", moved.get(i));
            }
        }
        words("reads", job.timed(PHASE, () -> decoder.read(reads())));
        finish(heading);
    }

    /** Likewise by the model alone; what is written is at the last depth. */
    public void decode(DirectionDecoder decoder, String heading) {
        words("writes", job.timed(PHASE, () -> decoder.outputs(writes())));
        words("reads", job.timed(PHASE, () -> decoder.read(reads())));
        finish(heading);
    }

    private List<double[]> writes() {
        return directions.stream().map(Direction::writes).toList();
    }

    private List<double[]> reads() {
        return directions.stream().map(Direction::reads).toList();
    }

    private void words(String what, List<DecodedDirection> decoded) {
        for (int i = 0; i < decoded.size(); i++) {
            word(directions.get(i), what, decoded.get(i));
        }
    }

    private static void word(Direction direction, String what, DecodedDirection decoded) {
        direction.fields().put(what, decoded);
    }

    private void finish(String heading) {
        title = heading;
        List<Map<String, Object>> results = new ArrayList<>();
        for (Direction direction : directions) {
            Map<String, Object> fields = new LinkedHashMap<>();
            direction.fields().forEach((name, value) -> {
                if (value instanceof DecodedDirection decoded) {
                    fields.put(name, fields(decoded));
                    String what = name.replace("jacobian_writes", "writes by Jacobian");
                    rows.add(List.of(direction.name(), what + ", most", words(decoded.top())));
                    rows.add(List.of(direction.name(), what + ", least", words(decoded.bottom())));
                } else {
                    fields.put(name, value);
                }
            });
            results.add(fields);
        }
        job.result("decoded", results);
    }

    /** Prints the table, where anything was decoded. */
    public void print() {
        if (!rows.isEmpty()) {
            List<List<String>> table = new ArrayList<>(List.of(HEADING));
            table.addAll(rows);
            Tables.print(job.terminal(), title, table);
        }
    }

    private static Map<String, Object> fields(DecodedDirection decoded) {
        Map<String, Object> ends = new LinkedHashMap<>();
        ends.put("top", decoded.top().stream().map(Decoding::fields).toList());
        ends.put("bottom", decoded.bottom().stream().map(Decoding::fields).toList());
        return ends;
    }

    private static Map<String, Object> fields(TokenScore token) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("token_id", token.id());
        fields.put("text", token.text());
        fields.put("score", token.score());
        return fields;
    }

    private static String words(List<TokenScore> tokens) {
        return tokens.stream()
                .map(token -> TokenLabels.visible(token.text()) + " " + Numbers.format("%.3g", token.score()))
                .collect(Collectors.joining(", "));
    }

    /** Adds the table to a page, where anything was decoded. */
    public void addTo(ReportPage page) {
        if (!rows.isEmpty()) {
            page.table(
                    title
                            + ". Written: the change of the tokens' logits for each unit along the direction, to first order"
                            + " through the last norm. Read: the cosine with the tokens' input embeddings. The ends of a"
                            + " direction are those of the opposite one, exchanged.",
                    HEADING,
                    rows);
        }
    }
}
