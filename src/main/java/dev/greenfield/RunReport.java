package dev.greenfield;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.model.Version;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ResponseMapChart;
import dev.greenfield.report.SiteCharts;
import dev.greenfield.report.TokenLabels;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.safetensors.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** One page of what a run says of itself: where an observable is sensitive, and which site responds to which. */
final class RunReport {
    private static final int SHOWN = 10; // sites of the table

    private final List<String> labels;
    private final ReportPage page;

    /** A page for a run whose tokens read so; {@code f} is null where there is no observable. */
    RunReport(Scope run, List<String> tokens, Observable f) {
        this.labels = TokenLabels.of(tokens);
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("model", run.model().source().spec());
        facts.put("prompt", text(tokens));
        if (f != null) {
            facts.put("F", f.describe());
        }
        facts.put("backend", run.model().backend().name());
        facts.put("device", run.model().backend().device());
        facts.put("version", Version.current());
        this.page = new ReportPage("Run", "What depends on what in the residual stream")
                .named("run")
                .facts(facts);
        Task.run("report", "charts", f == null ? 1 : 2, task -> {
            if (f != null) {
                run.requireSweep(run.position(f) + 1);
                sensitivity(task.call(1, () -> SensitivityField.compute(run, f)));
            }
            map(task.call(1, () -> new MapRequest(run).compute()));
        });
    }

    private void sensitivity(SensitivityField s) {
        double[][] norms = s.norms();
        page.chart("sensitivity", SiteCharts.sensitivity(depths(norms.length), labels, norms));
        List<Site> sites = new ArrayList<>();
        for (int l = 0; l < norms.length; l++) {
            for (int t = 0; t < norms[l].length; t++) {
                sites.add(Site.of(l, t));
            }
        }
        sites.sort(Comparator.comparingDouble((Site site) -> -s.norm(site)));
        page.table(
                String.format(Locale.ROOT, "The most sensitive sites; F is %.4g.", s.value()),
                List.of("depth", "token", "|dF/dR|"),
                sites.stream()
                        .limit(SHOWN)
                        .map(site -> List.of(
                                Integer.toString(site.depth()),
                                labels.get(site.token()),
                                String.format(Locale.ROOT, "%.4g", s.norm(site))))
                        .toList());
    }

    private void map(ResponseMap map) {
        page.chart(
                "response",
                new ResponseMapChart(
                        "Response map",
                        "Frobenius norm of the Green operator from each site to each, estimated from random directions: how much"
                                + " the stream at a target responds to sources at the site that is selected.",
                        depths(map.levels()),
                        labels,
                        (level, token) -> map.frobenius(Site.of(level, token)),
                        "|G|"));
    }

    private static List<String> depths(int count) {
        return IntStream.range(0, count).mapToObj(Integer::toString).toList();
    }

    /** Writes the page whole or not at all, over what is there. */
    void write(Path file) throws IOException {
        byte[] html = page.html().getBytes(StandardCharsets.UTF_8);
        AtomicFile whole = AtomicFile.create(file);
        try {
            ByteBuffer rest = ByteBuffer.wrap(html);
            while (rest.hasRemaining()) {
                whole.channel().write(rest);
            }
            whole.commit();
        } catch (IOException | RuntimeException e) {
            whole.drop(e);
            throw e;
        }
    }

    /** The prompt as it reads. Tokens of a tokenizer that splits at blanks have none of their own. */
    private static String text(List<String> tokens) {
        boolean words = tokens.stream().noneMatch(token -> token.chars().anyMatch(Character::isWhitespace));
        return String.join(words ? " " : "", tokens);
    }
}
