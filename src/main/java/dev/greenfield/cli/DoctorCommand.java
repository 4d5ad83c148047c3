package dev.greenfield.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.greenfield.BackendChoice;
import dev.greenfield.Greenfield;
import dev.greenfield.lattice.InputException;
import dev.greenfield.model.ModelSource;
import java.io.IOException;
import java.lang.management.ManagementFactory;
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
    public void run(Terminal terminal) throws IOException {
        OperatingSystemMXBean machine = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        terminal.line("greenfield  " + Greenfield.version());
        terminal.line("java        " + Runtime.version() + ", " + System.getProperty("java.vm.name") + ", "
                + System.getProperty("java.vendor"));
        terminal.line("system      " + System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                + System.getProperty("os.arch"));
        terminal.line("processors  " + Runtime.getRuntime().availableProcessors());
        terminal.line("memory      " + mebibytes(machine.getTotalMemorySize()) + " in the machine, "
                + mebibytes(machine.getFreeMemorySize()) + " free, "
                + mebibytes(Runtime.getRuntime().maxMemory()) + " for Java's heap (change with -Xmx)");
        for (String line : BackendChoice.survey()) {
            terminal.line("backend     " + line);
        }
        terminal.line("tokenizer   " + demoTokenizer());
        terminal.line("tokenizer   gpt2: " + gpt2Tokenizer());
    }

    private static String demoTokenizer() throws IOException {
        try (ModelSource demo = ModelSource.open(ModelSource.DEMO)) {
            int[] ids = demo.tokenizer().encode("The capital");
            return "demo: yes, " + demo.config().vocabulary() + " words (\"The capital\" is " + ids.length + " tokens)";
        } catch (InputException broken) {
            return "demo: no, " + broken.getMessage();
        }
    }

    private static String gpt2Tokenizer() throws IOException {
        try (ModelSource gpt2 = ModelSource.open("random:gpt2")) {
            int[] ids = gpt2.tokenizer().encode("The capital");
            return "yes, byte pairs in Java (\"The capital\" is " + ids.length + " tokens)";
        }
    }

    private static String mebibytes(long bytes) {
        return (bytes >> 20) + " MiB";
    }
}
