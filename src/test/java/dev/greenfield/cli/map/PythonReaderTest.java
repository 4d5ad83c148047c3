package dev.greenfield.cli.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.cli.Cli;
import dev.greenfield.cli.CommandResults;
import dev.greenfield.cli.io.ResultFile;
import dev.greenfield.cli.io.TensorCatalog;
import dev.greenfield.cli.io.TensorSet;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reader and the notebook of docs/python, on what commands write. Without Python and numpy nothing is tried. */
class PythonReaderTest {
    private static final Path SCRIPTS = Path.of("docs/python").toAbsolutePath();

    @TempDir
    private Path temporary;

    /** What a program of Python printed; fails where it failed. */
    private static String python(Path directory, String... arguments) throws IOException, InterruptedException {
        Process process = start(directory, arguments);
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }

    private static Process start(Path directory, String... arguments) throws IOException {
        List<String> line = new ArrayList<>(List.of("python3"));
        line.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(line).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().put("PYTHONPATH", SCRIPTS.toString());
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        builder.environment().put("MPLBACKEND", "Agg");
        return builder.start();
    }

    /** Whether a module is there; skips the test, and says why, where Python or numpy is not. */
    private static boolean scipy() throws InterruptedException {
        String why = "no python3 with numpy here";
        try {
            Process process = start(
                    Path.of("."),
                    "-c",
                    "import numpy\ntry:\n import scipy.sparse.linalg\n print('scipy')\nexcept ImportError:\n print('none')");
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assumeTrue(process.waitFor() == 0, why);
            return printed.strip().equals("scipy");
        } catch (IOException none) {
            assumeTrue(false, why);
            return false;
        }
    }

    @Test
    void readsWhatEveryCommandWrites() throws Exception {
        boolean scipy = scipy();
        List<Object> folders = new ArrayList<>();
        for (Path folder : CommandResults.all().values()) {
            folders.add(expected(folder, List.of()));
        }
        Path real = temporary.resolve("fp64");
        Cli.done(
                "green",
                "--model",
                Cli.SMALL,
                "--tokens",
                "3,1,4",
                "--depth",
                "0",
                "--token",
                "1",
                "--backend",
                "reference",
                "--out",
                real.toString(),
                "--quiet");
        folders.add(expected(real, List.of()));
        Path bf16 = temporary.resolve("bf16");
        Cli.done("export", "--model", Cli.SMALL, "--dtype", "bf16", "--out", bf16.toString(), "--quiet");
        try (Model model = Greenfield.load(Cli.SMALL, Options.defaults().backend("reference"))) {
            Run run = model.run(3, 17, 9, 4);
            folders.add(inBlocks("whole", run.responseMap().probes(3), 20));
            folders.add(inBlocks("halves", run.responseMap().halfDepths().probes(3), 20));
            folders.add(inBlocks(
                    "some",
                    run.responseMap()
                            .probes(3)
                            .sources(List.of(Site.of(1, 2), Site.of(0, 1)))
                            .targets(List.of(Site.of(2, 3), Site.of(1, 0), Site.of(1, 2), Site.of(2, 1))),
                    3));
        }
        Path weights = bf16.resolve("model.safetensors");
        Path file = temporary.resolve("expected.json");
        ResultFile.write(
                file,
                Map.of("folders", folders, "scipy", scipy, "files", Map.of(weights.toString(), tensors(weights))));
        String printed = python(
                temporary,
                Path.of("src/test/python/check_results.py").toAbsolutePath().toString(),
                file.toString());
        assertThat(printed).contains("found no axis dept, expected of depth, token, component", "1 files");
    }

    private static Map<String, Object> expected(Path folder, List<Object> rows) throws IOException {
        Path tensors = folder.resolve("tensors.safetensors");
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("folder", folder.toString());
        fields.put("command", Cli.result(folder).path("command").asText());
        fields.put("tensors", Files.exists(tensors) ? tensors(tensors) : Map.of());
        fields.put("rows", rows);
        boolean operator = Files.exists(tensors)
                && tensors(tensors).keySet().stream().anyMatch(name -> name.equals("green") || name.equals("green.u"));
        fields.put("operator", operator);
        return fields;
    }

    /** Shape of each tensor, and what the script computes of its numbers too. */
    private static Map<String, Object> tensors(Path path) throws IOException {
        Map<String, Object> all = new LinkedHashMap<>();
        try (Safetensors file = Safetensors.open(path)) {
            for (String name : file.names()) {
                boolean counts = file.tensor(name).dtype() == DType.I64;
                double[] values = counts
                        ? doubles(file.tensor(name).toLongs())
                        : file.tensor(name).toDoubles();
                double sum = 0;
                double weighed = 0;
                for (int i = 0; i < values.length; i++) {
                    if (Double.isFinite(values[i])) {
                        sum += values[i];
                        weighed += Math.abs(values[i]) * (1 + i % 7);
                    }
                }
                List<Long> shape = new ArrayList<>();
                for (long dimension : file.tensor(name).shape()) {
                    shape.add(dimension);
                }
                all.put(name, Map.of("shape", shape, "figures", new double[] {values.length, sum, weighed}));
            }
        }
        return all;
    }

    private static double[] doubles(long[] values) {
        double[] numbers = new double[values.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = values[i];
        }
        return numbers;
    }

    /** A map written as one that is too large for a tensor of all pairs, with its rows. */
    private Map<String, Object> inBlocks(String name, MapRequest request, long mostOfBlock) throws IOException {
        ResponseMap map = request.compute();
        Path folder = Files.createDirectories(temporary.resolve(name));
        TensorSet set = new TensorSet();
        MapTensors tensors = new MapTensors(set, map, 0, mostOfBlock);
        tensors.add("map.frobenius", map::frobenius);
        set.write(
                folder.resolve("tensors.safetensors"),
                DType.F64,
                TensorCatalog.metadata(set.ranks(), map.halfDepths(), false));
        assertThat((Integer) tensors.blocks().get("count")).isGreaterThan(1);
        int layers = (map.levels() - 1) / (map.halfDepths() ? 2 : 1);
        ResultFile.write(
                folder.resolve("result.json"),
                Map.of("command", "map", "model", Map.of("layers", layers), "tokens", new int[map.tokens()]));
        List<Object> rows = new ArrayList<>();
        for (Site source : map.places()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("name", "map.frobenius");
            row.put("depth", source.halfDepth().index() / 2.0);
            row.put("token", source.token());
            row.put("values", map.frobenius(source));
            rows.add(row);
        }
        return expected(folder, rows);
    }

    /** Runs the cells of code, one after another, where the notebook would stand and beside results of its commands. */
    @Test
    void theNotebookRuns() throws Exception {
        assumeTrue(scipy(), "no SciPy here");
        Path stand = Files.createDirectories(temporary.resolve("docs/python"));
        Path out = Files.createDirectories(temporary.resolve("greenfield-out"));
        Map<String, String> folders = Map.of("map", "map", "patch", "patch noise", "green", "green rank");
        for (Map.Entry<String, String> folder : folders.entrySet()) {
            Path copy = Files.createDirectory(out.resolve(folder.getKey()));
            for (String name : List.of("result.json", "tensors.safetensors")) {
                Files.copy(CommandResults.all().get(folder.getValue()).resolve(name), copy.resolve(name));
            }
        }
        JsonNode notebook = new ObjectMapper()
                .readTree(SCRIPTS.resolve("response_maps.ipynb").toFile());
        assertThat(notebook.path("nbformat").asInt()).isEqualTo(4);
        StringBuilder program = new StringBuilder();
        int cells = 0;
        for (JsonNode cell : notebook.path("cells")) {
            if (cell.path("cell_type").asText().equals("code")) {
                cells++;
                assertThat(cell.path("outputs").isEmpty())
                        .as("the cell is shown with what it printed")
                        .isFalse();
                JsonNode source = cell.path("source");
                if (source.isTextual()) {
                    program.append(source.asText());
                }
                source.forEach(line -> program.append(line.asText()));
                program.append("\n\n");
            }
        }
        assertThat(cells).isGreaterThanOrEqualTo(6);
        Path script = temporary.resolve("cells.py");
        Files.writeString(script, program);
        assertThat(python(stand, script.toString()))
                .contains("logit(Seoul) - logit(Oslo)", "map.gain [depth 5, token 6]", "adjoint: True");
    }
}
