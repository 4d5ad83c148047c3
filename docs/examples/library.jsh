import dev.greenfield.*;
import dev.greenfield.green.*;
import dev.greenfield.lattice.*;
import dev.greenfield.lattice.Observable;                   // java.util has one too, which jshell imports
import dev.greenfield.map.*;
import dev.greenfield.response.*;

Model model = Greenfield.demo();                            // or Greenfield.load(Path.of("gpt2"))
Run run = model.run("<|endoftext|> The capital of Korea is");
Observable seoul = Observable.logitDifference("Seoul", "Oslo");
SensitivityField s = run.sensitivity(seoul);                // every site, one adjoint sweep
PatchSweep sweep = run.patchSweep(model.run("<|endoftext|> The capital of Norway is"), seoul);
GreenOperator g = run.green(Site.of(1, 4)).to(4);           // apply, adjoint, then, slice, svd, materialize
LowRank leading = g.svd(8);
ResponseMap map = run.responseMap().probes(16).compute();
run.report(Path.of("report.html"), seoul);                  // a page with the sensitivity and the map
model.close();
