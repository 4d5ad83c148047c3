package dev.greenfield.benchmarks;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.report.HeatMap;
import dev.greenfield.report.ReportPage;
import dev.greenfield.report.ResponseMapChart;
import dev.greenfield.response.PatchSweep;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The page that {@code docs/images/map.png} is taken from: the response map of an indirect-object prompt on the demo model, to be walked
 * through, then the response of the answer's site to every other, and below it what patching each of them does. Usage: MapPicture FILE
 */
public final class MapPicture {
    private static final String PROMPT = "<|endoftext|> When Leo and Kate went to the park , Leo gave a key to";
    private static final String CORRUPT = "<|endoftext|> When Leo and Kate went to the park , Kate gave a key to";

    /** Only the figures, close together. */
    private static final String STYLE =
            "<style>main { padding: 14px 28px 0 } h1, .subtitle, figcaption, .tools, .selection, .notes, details, footer "
                    + "{ display: none !important } figure { margin: 0 0 10px }</style>\n</head>";

    private MapPicture() {}

    public static void main(String[] arguments) throws IOException {
        try (Model model = Greenfield.demo();
                Run run = model.run(PROMPT);
                Run corrupt = model.run(CORRUPT)) {
            int depths = model.config().layers() + 1;
            int tokens = run.tokens().length;
            ResponseMap map = run.responseMap().exact().compute();
            PatchSweep patch = run.patchSweep(corrupt, Observable.logitDifference("Kate", "Leo"));
            double[][] response = new double[depths][tokens];
            double[][] change = patch.measured();
            for (int l = 0; l < depths; l++) {
                for (int t = 0; t < tokens; t++) {
                    response[l][t] = map.frobenius(Site.of(l, t), Site.of(depths - 1, tokens - 1));
                    change[l][t] = Math.abs(change[l][t]);
                }
            }
            List<String> levels =
                    IntStream.range(0, depths).mapToObj(l -> "depth " + l).toList();
            List<String> text = run.tokenText();
            List<String> words = IntStream.range(0, tokens)
                    .mapToObj(t -> t + " " + text.get(t).strip())
                    .toList();
            String html = new ReportPage("Response map and patches", "")
                    .chart(new ResponseMapChart(
                            "Response map: every site to every site, one selected",
                            "",
                            levels,
                            words,
                            map.frobenius(),
                            "|G|"))
                    .chart(heatMap(
                            "From the map of this one prompt: response of the last token at depth 4 to each site",
                            levels,
                            words,
                            response,
                            "|G|"))
                    .chart(heatMap(
                            "What patching finds: size of the change of logit(Kate) - logit(Leo), from the prompt with Kate at token 10",
                            levels,
                            words,
                            change,
                            "change"))
                    .html();
            // The page's policy would keep a style out that is not its own.
            String open = html.replaceFirst("<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "");
            Files.writeString(Path.of(arguments[0]), open.replace("</head>", STYLE));
        }
    }

    private static HeatMap heatMap(
            String title, List<String> levels, List<String> words, double[][] values, String valueName) {
        return new HeatMap(title, "", levels, words, values, HeatMap.Scale.LOG, valueName);
    }
}
