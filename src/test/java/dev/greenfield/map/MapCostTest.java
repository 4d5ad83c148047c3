package dev.greenfield.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.TestModels;
import dev.greenfield.backend.Backends;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SweepMode;
import dev.greenfield.testing.FlopCounter;
import dev.greenfield.testing.LeakCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a map is said to cost is what it does, whichever ways its sweeps take. */
class MapCostTest {
    private static final int[] PROMPT = {3, 17, 9, 4, 11, 2, 8};

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "random:3,2,24,19,16,seed=5",
                "random:llama:layers=3,heads=2,keys=1,width=16,inner=24,vocabulary=19,positions=16",
                "random:qwen3:layers=3,heads=2,keys=2,width=16,inner=24,vocabulary=19,positions=16",
                "random:gpt_neox:layers=3,heads=2,width=16,inner=64,vocabulary=19,positions=16"
            })
    void plansCountTheFlopsOfProducts(String spec) throws IOException {
        FlopCounter counter = new FlopCounter(leaks.closing(Backends.REFERENCE.open()));
        try (Model model = TestModels.open(spec, counter.backend())) {
            Run run = model.run(PROMPT);
            List<MapRequest> requests = new ArrayList<>();
            requests.add(run.responseMap().probes(2));
            requests.add(run.responseMap()
                    .probes(30)); // rows enough for maps of tokens, and for scores instead of queries and keys
            requests.add(run.responseMap().probes(30).mode(SweepMode.ADJOINT));
            requests.add(run.responseMap().exact().sources(List.of(Site.of(0, 1), Site.of(1, 5), Site.of(2, 0))));
            requests.add(
                    run.responseMap().probes(30).targets(List.of(Site.of(3, 4))).mode(SweepMode.FORWARD));
            if (!spec.contains("neox")) { // it has no middles
                requests.add(run.responseMap().probes(3).halfDepths());
                requests.add(run.responseMap().probes(30).halfDepths());
            }
            for (MapRequest request : requests) {
                double said = request.plan().flops();
                counter.taken();
                request.compute();
                assertThat(counter.taken()).as(request.plan().toString()).isCloseTo(said, withinPercentage(1));
            }
        }
    }
}
