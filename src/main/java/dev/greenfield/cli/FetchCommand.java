package dev.greenfield.cli;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.ProgressLine;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.failure.Progress;
import dev.greenfield.hub.Hub;
import dev.greenfield.hub.HubFile;
import dev.greenfield.hub.HubName;
import dev.greenfield.hub.HubSnapshot;
import dev.greenfield.model.ModelFetch;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Brings a model of the Hugging Face hub into the cache that its own programs use. */
@Command(sortOptions = false)
final class FetchCommand implements Action {
    @Parameters(
            paramLabel = "ORG/NAME[@REVISION]",
            description = "The model on the hub; the revision is a branch, a tag or a commit. Default: main.")
    private String model;

    @Option(names = "--dry-run", description = "Only list the files that would come, with their sizes.")
    private boolean dryRun;

    @Mixin
    private final GeneralOptions general = new GeneralOptions();

    @Override
    public GeneralOptions general() {
        return general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        HubName name = HubName.of(model);
        if (!dryRun) {
            terminal.workOnWithoutReader();
        }
        Progress.<Void, IOException>watched(new ProgressLine(terminal), () -> {
            ModelFetch fetch = ModelFetch.of(name, Hub.ofEnvironment());
            List<HubFile> files = fetch.files();
            if (dryRun) {
                list(files, terminal);
                terminal.line("would be fetched: " + amount(files) + ", commit " + fetch.commit());
                return null;
            }
            terminal.progress("fetching " + amount(files) + ", commit " + fetch.commit());
            HubSnapshot snapshot = fetch.run();
            list(files, terminal);
            terminal.line(name + ", commit " + snapshot.commit() + ", is in " + snapshot.directory());
            terminal.line("use it with --model " + name);
            return null;
        });
    }

    /** What comes, of what there is. */
    private static String amount(List<HubFile> files) {
        List<HubFile> missing = files.stream().filter(file -> !file.here()).toList();
        return missing.size() + " of " + files.size() + " files, " + size(sum(missing)) + " of " + size(sum(files));
    }

    private static long sum(List<HubFile> files) {
        return files.stream().mapToLong(HubFile::bytes).sum();
    }

    private void list(List<HubFile> files, Terminal terminal) {
        int widest = files.stream().mapToInt(file -> file.name().length()).max().orElse(0);
        for (HubFile file : files) {
            String size = size(file.bytes());
            terminal.line(file.name()
                    + " ".repeat(widest - file.name().length() + Math.max(2, 11 - size.length()))
                    + size
                    + (file.here() ? "  in the cache" : dryRun ? "" : "  fetched"));
        }
    }

    private static String size(long bytes) {
        if (bytes < 1_000) {
            return bytes + " B";
        }
        String[] units = {"kB", "MB", "GB", "TB"};
        double value = bytes / 1e3;
        int unit = 0;
        while (value >= 999.95 && unit < units.length - 1) {
            value /= 1e3;
            unit++;
        }
        return Numbers.format("%.1f ", value) + units[unit];
    }
}
