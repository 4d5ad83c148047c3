package dev.greenfield.cli.study;

import dev.greenfield.Model;
import dev.greenfield.cli.io.RemedyOptions;
import dev.greenfield.cli.io.Tables;
import dev.greenfield.cli.job.ModelIdentity;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePair;
import dev.greenfield.study.Claim;
import dev.greenfield.study.Finding;
import dev.greenfield.study.Study;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a study writes: findings in results, tables and a page. */
final class StudyReport {
    private final SuiteJob job;
    private final Study.Outcome outcome;
    private final List<SuitePair> pairs;
    private final String nameB;
    private final Model other;

    /** @param nameB of the second model; null with none */
    StudyReport(SuiteJob job, Study.Outcome outcome, List<SuitePair> pairs, String nameB, Model other) {
        this.job = job;
        this.outcome = outcome;
        this.pairs = pairs;
        this.nameB = nameB;
        this.other = other;
    }

    void write() throws IOException {
        if (other != null) {
            job.result("model_b", ModelIdentity.fields(nameB, other.source().sha256(), other.source()));
        }
        job.option("model_b", nameB);
        job.option("limit", pairs.size());
        job.result("prompts", job.fields(pairs));
        job.result(
                "findings", outcome.findings().stream().map(StudyReport::fields).toList());
        job.result("left_out", outcome.remarks().stream().map(RemedyOptions::in).toList());
        new StudyTables(job, outcome).write();
        job.report(new StudyPage(job, outcome, pairs.size(), nameB).page());
        print();
    }

    private static Map<String, Object> fields(Finding finding) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("claim", finding.claim().id());
        fields.put("metric", finding.metric());
        fields.put("n", finding.n());
        fields.put("value", finding.estimate().value());
        fields.put("low", finding.estimate().low());
        fields.put("high", finding.estimate().high());
        fields.put("expected", finding.expectation().text());
        fields.put("verdict", finding.verdict().label());
        fields.put("meaning", finding.meaning());
        return fields;
    }

    /** What the claims expect of numbers, and how many of them are so. */
    private void print() {
        for (Claim claim : Claim.values()) {
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("metric", "n", "value", "expected", "verdict"));
            outcome.findings().stream()
                    .filter(f -> f.claim() == claim && f.verdict() != Finding.Verdict.NONE)
                    .forEach(f -> rows.add(List.of(
                            f.metric(),
                            Integer.toString(f.n()),
                            ClaimSummary.shown(f.estimate()),
                            f.expectation().text(),
                            f.verdict().label())));
            if (rows.size() > 1) {
                Tables.print(
                        job.terminal(), claim.id() + ": " + claim.statement() + " (95 % intervals over prompts)", rows);
            }
        }
        outcome.remarks().forEach(remark -> job.terminal().line(RemedyOptions.in(remark)));
    }
}
