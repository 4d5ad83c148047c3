package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.normal;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.Errors;
import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Yardstick;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole results of every backend against the oracle's, held to what the same engine makes of them in float32 terms. */
class EngineAgreementTest {
    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @TempDir
    Path directory;

    private Map<String, double[]> results(ModelCase which, Backend backend) {
        Map<String, double[]> results = new LinkedHashMap<>();
        try (Model model = which.open(directory, leaks.watched(backend))) {
            Run run = model.run(which.tokens(model, 1));
            int tokens = run.tokens().length;
            double[] source = normal(1, model.config().width());
            results.put("field", run.field().toArray());
            results.put("logits", run.logits());
            Observable[] observables = {
                Observable.logitDifference(3, 1),
                Observable.logProbability("#4").at(tokens / 2),
                Observable.linear(normal(2, model.config().width()))
            };
            for (Observable f : observables) {
                SensitivityField s = run.sensitivity(f);
                results.put("sensitivity: " + f.kind(), s.field().toArray());
                results.put("sensitivity, middle: " + f.kind(), s.middleField().toArray());
            }
            PatchSweep sweep = run.patchSweep(model.run(which.tokens(model, 2)), observables[0]);
            results.put("patch.measured", Errors.flat(sweep.measured()));
            results.put("patch.predicted", Errors.flat(sweep.predicted()));
            results.put(
                    "response",
                    run.response(ModelCase.middle(run, 0, tokens / 2), source).toArray());
            results.put(
                    "measured response",
                    run.measuredResponse(Site.of(1, 0), source, 0.25).toArray());
            results.put("green", run.green(Site.of(0, tokens / 2)).to(2).materialize());
        }
        return results;
    }

    @ParameterizedTest
    @EnumSource
    void resultsAgreeWithTheOracle(ModelCase which) {
        Map<String, double[]> oracle = results(which, Backends.REFERENCE.open());
        Map<String, double[]> single = results(which, Backends.single());
        Map<String, Double> relative =
                new HashMap<>(); // what float32 makes of a kind of result, relative to its magnitude
        oracle.forEach((name, exact) -> relative.merge(
                kind(name), Yardstick.distance(single.get(name), exact) / magnitude(oracle, name), Math::max));
        for (Backends backend : Backends.tested()) {
            results(which, backend.open())
                    .forEach((name, values) -> Yardstick.check(
                            backend + " " + name + " (" + which + ")",
                            Yardstick.distance(values, oracle.get(name)),
                            relative.get(kind(name)) * magnitude(oracle, name),
                            magnitude(oracle, name)));
        }
    }

    /** One run in float32 is one draw of its rounding, which may be a lucky one: sensitivities of a model are judged by the worst of theirs. */
    private static String kind(String name) {
        return name.startsWith("sensitivity") ? "sensitivity" : name;
    }

    private static double magnitude(Map<String, double[]> oracle, String name) {
        return Yardstick.magnitude(oracle.get(subtracted(name)));
    }

    /** What is measured is a difference of runs: its rounding is of the size of what was subtracted, not of what is left. */
    private static String subtracted(String name) {
        return switch (name) {
            case "measured response" -> "field";
            case "patch.measured" -> "logits";
            default -> name;
        };
    }
}
