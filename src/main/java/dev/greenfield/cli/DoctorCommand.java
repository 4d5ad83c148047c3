package dev.greenfield.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.greenfield.BackendChoice;
import dev.greenfield.Greenfield;
import dev.greenfield.backend.cuda.CudaSurvey;
import dev.greenfield.cli.io.RemedyOptions;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.hub.Hub;
import dev.greenfield.model.TokenizerSurvey;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What this machine can run, and why not the rest. */
@Command(sortOptions = false)
final class DoctorCommand implements Action {
    @Mixin
    private final GeneralOptions general = new GeneralOptions();

    @Override
    public GeneralOptions general() {
        return general;
    }

    @Override
    public void run(Terminal terminal) {
        terminal.line("greenfield  " + Greenfield.version());
        terminal.line("java        " + Runtime.version() + ", " + System.getProperty("java.vm.name") + ", "
                + System.getProperty("java.vendor"));
        terminal.line("system      " + System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                + System.getProperty("os.arch"));
        terminal.line("processors  " + Runtime.getRuntime().availableProcessors());
        terminal.line("memory      " + machine()
                + mebibytes(Runtime.getRuntime().maxMemory()) + " for Java's heap (change with -Xmx)");
        terminal.line("locale      " + Locale.getDefault().toLanguageTag() + ", names of files in "
                + System.getProperty("sun.jnu.encoding")
                + (System.getProperty("user.dir").indexOf('\ufffd') >= 0
                        ? ", which cannot spell that of the working directory; set LC_ALL=C.UTF-8"
                        : ""));
        for (String line : lines(BackendChoice::survey)) {
            terminal.line("backend     " + RemedyOptions.in(line));
        }
        terminal.line("weights     " + RemedyOptions.in(BackendChoice.weightsSurvey()));
        if (general.verbose) {
            for (String line : lines(CudaSurvey::tuning)) {
                terminal.line("cuda        " + line);
            }
        }
        for (String line : lines(() -> List.of(hub(Hub.ofEnvironment())))) {
            terminal.line("hub         " + line);
        }
        for (String line : lines(TokenizerSurvey::lines)) {
            terminal.line("tokenizer   " + line);
        }
    }

    private static String hub(Hub hub) {
        return "models in " + hub.cache() + (Files.isDirectory(hub.cache()) ? "" : " (not there)") + ", fetched from "
                + (hub.offline() ? "nowhere: HF_HUB_OFFLINE is set" : hub.endpoint());
    }

    /** What a part of the survey says; why it does not, where it fails: the rest is all the more wanted then. */
    private static List<String> lines(Supplier<List<String>> survey) {
        try {
            return survey.get();
        } catch (RuntimeException | LinkageError failed) {
            return List.of("cannot be asked: " + failed);
        }
    }

    /** The machine's memory, where Java can say it. */
    private static String machine() {
        try {
            OperatingSystemMXBean machine = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
            return mebibytes(machine.getTotalMemorySize()) + " in the machine, "
                    + mebibytes(machine.getFreeMemorySize()) + " free, ";
        } catch (LinkageError unreadable) {
            return "";
        }
    }

    private static String mebibytes(long bytes) {
        return (bytes >> 20) + " MiB";
    }
}
