///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 17+
//DEPS dev.greenfield:greenfield:0.1.0
//DEPS org.bytedeco:openblas:0.3.31-1.5.13:linux-x86_64
//DEPS org.bytedeco:javacpp:1.5.13:linux-x86_64
// Another platform has another classifier: see docs/library.md. Without the two last the products are made in plain Java.

import dev.greenfield.*;
import dev.greenfield.green.*;
import dev.greenfield.lattice.*;
import dev.greenfield.map.*;
import dev.greenfield.response.*;
import java.io.IOException;

/** What a run says of itself: jbang docs/examples/ResponseMaps.java */
class ResponseMaps {
    public static void main(String[] arguments) throws IOException {
        try (Model model = Greenfield.demo()) { // or Greenfield.load(Path.of("gpt2"))
            Run run = model.run("<|endoftext|> The capital of Korea is");
            Observable seoul = Observable.logitDifference("Seoul", "Oslo");
            System.out.println(run.tokenText());

            SensitivityField sensitivity = run.sensitivity(seoul); // every site, one adjoint sweep
            System.out.println(sensitivity);

            ResponseMap map = run.responseMap().probes(16).compute(); // every site to every other
            System.out.println(map);

            GreenOperator operator = run.green(Site.of(1, 4)).to(4); // apply, adjoint, then, slice, svd, materialize
            LowRank leading = operator.svd(8);
            System.out.println(operator);
            System.out.println(leading);
        }
    }
}
