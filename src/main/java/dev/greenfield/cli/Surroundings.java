package dev.greenfield.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What surrounds this process and may change what commands do: a report of a bug needs it. Nothing secret is among it. */
final class Surroundings {
    /** Variables that this program, its libraries or Java follow. */
    private static final List<String> SHOWN = List.of(
            "LC_ALL",
            "LC_CTYPE",
            "LANG",
            "TERM",
            "COLUMNS",
            "NO_COLOR",
            "HF_HUB_CACHE",
            "HUGGINGFACE_HUB_CACHE",
            "HF_HOME",
            "XDG_CACHE_HOME",
            "HF_HUB_OFFLINE",
            "TRANSFORMERS_OFFLINE",
            "HF_HUB_DISABLE_IMPLICIT_TOKEN",
            "HF_HUB_DISABLE_SYMLINKS",
            "CUDA_PATH",
            "CUDA_HOME",
            "CUDA_VISIBLE_DEVICES",
            "CUDA_LAUNCH_BLOCKING",
            "NVIDIA_VISIBLE_DEVICES",
            "NVIDIA_TF32_OVERRIDE",
            "LD_LIBRARY_PATH",
            "LD_PRELOAD",
            "VIRTUAL_ENV",
            "CONDA_PREFIX",
            "OPENBLAS_NUM_THREADS",
            "OPENBLAS_CORETYPE",
            "OMP_NUM_THREADS");

    /** Variables whose values may be secret, or hold a password: that they are there is enough. */
    private static final List<String> SECRET = List.of(
            "HF_TOKEN",
            "HUGGING_FACE_HUB_TOKEN",
            "HF_TOKEN_PATH",
            "HF_ENDPOINT",
            "https_proxy",
            "HTTPS_PROXY",
            "no_proxy",
            "NO_PROXY",
            "JAVA_TOOL_OPTIONS",
            "JDK_JAVA_OPTIONS");

    /** Options of Java that size or change it; others may hold passwords. */
    private static final String TUNING =
            "-X.*|-Dgreenfield\\..*|-Dorg\\.bytedeco\\..*|-Djava\\.io\\.tmpdir=.*|-Dfile\\.encoding=.*";

    private Surroundings() {}

    /** The version of Java and the system, on one line. */
    static String brief() {
        return "Java " + Runtime.version() + ", " + system();
    }

    static String java() {
        return Runtime.version() + ", " + System.getProperty("java.vm.name") + ", " + System.getProperty("java.vendor");
    }

    static String system() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                + System.getProperty("os.arch");
    }

    /** Where this program was loaded from, and of which build that is. */
    static String program() {
        CodeSource source = Surroundings.class.getProtectionDomain().getCodeSource();
        if (source == null || source.getLocation() == null) {
            return "of unknown origin";
        }
        try {
            Path path = Path.of(source.getLocation().toURI());
            return Files.isRegularFile(path)
                    ? path + ", " + Files.size(path) + " bytes, of " + Files.getLastModifiedTime(path)
                    : path + ", classes in a folder";
        } catch (IOException | URISyntaxException | IllegalArgumentException unreadable) {
            return source.getLocation() + ", which cannot be read";
        }
    }

    /** How many processors there are, and of what kind where Linux says it. */
    static String processors() {
        int count = Runtime.getRuntime().availableProcessors();
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return count
                    + lines.filter(line -> line.startsWith("model name"))
                            .findFirst()
                            .map(line ->
                                    ", " + line.substring(line.indexOf(':') + 1).strip())
                            .orElse("");
        } catch (IOException | UncheckedIOException notLinux) {
            return Integer.toString(count);
        }
    }

    /** The machine's memory, where Java can say it, and its own. */
    static String memory() {
        String machine;
        try {
            OperatingSystemMXBean bean = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
            machine = mebibytes(bean.getTotalMemorySize()) + " in the machine, " + mebibytes(bean.getFreeMemorySize())
                    + " free, ";
        } catch (LinkageError unreadable) {
            machine = "";
        }
        return machine + mebibytes(Runtime.getRuntime().maxMemory()) + " for Java's heap (change with -Xmx)";
    }

    static String locale() {
        return Locale.getDefault().toLanguageTag() + ", names of files in " + System.getProperty("sun.jnu.encoding")
                + (System.getProperty("user.dir").indexOf('\ufffd') >= 0
                        ? ", which cannot spell that of the working directory; set LC_ALL=C.UTF-8"
                        : "");
    }

    /** Variables that are set, those whose values may be secret by name only; a line each. */
    static List<String> environment(Map<String, String> variables) {
        List<String> lines = new ArrayList<>();
        for (String name : SHOWN) {
            if (variables.containsKey(name)) {
                lines.add(name + "=" + Lines.one(variables.get(name)));
            }
        }
        String secret = SECRET.stream().filter(variables::containsKey).collect(Collectors.joining(", "));
        if (!secret.isEmpty()) {
            lines.add("also set, their values not shown: " + secret);
        }
        return lines;
    }

    /** The options of Java that size or change it, of those that it was given; a line each. */
    static List<String> options(List<String> given) {
        return given.stream()
                .filter(option -> option.matches(TUNING))
                .map(Lines::one)
                .toList();
    }

    /** Those of this process. */
    static List<String> options() {
        return options(ManagementFactory.getRuntimeMXBean().getInputArguments());
    }

    private static String mebibytes(long bytes) {
        return (bytes >> 20) + " MiB";
    }
}
