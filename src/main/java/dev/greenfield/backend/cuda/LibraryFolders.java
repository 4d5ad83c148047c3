package dev.greenfield.backend.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Folders in which CUDA's libraries may be, with where each was learnt, best first: what the user named, CUDA's own
 * environment variables, the usual places of installers, and the wheels that Python packages bring along.
 */
final class LibraryFolders {
    /** Folders to search before all others, separated as on the class path. */
    static final String PROPERTY = "greenfield.cuda.libs";

    private static final String ARCHITECTURE = System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64";

    private static final int PYTHON_SECONDS = 5;

    private LibraryFolders() {}

    /** Existing folders and where each was learnt, in the order of search. */
    static Map<Path, String> all() {
        Map<Path, String> folders = new LinkedHashMap<>();
        for (String folder :
                System.getProperty(PROPERTY, "").split(java.util.regex.Pattern.quote(File.pathSeparator), -1)) {
            add(folders, folder, "-D" + PROPERTY);
        }
        for (String variable : List.of("CUDA_PATH", "CUDA_HOME")) {
            String root = System.getenv(variable);
            if (root != null && !root.isEmpty()) {
                add(folders, root + "/lib64", variable);
                add(folders, root + "/targets/" + ARCHITECTURE + "-linux/lib", variable);
                add(folders, root + "/lib", variable);
            }
        }
        String path = System.getenv("LD_LIBRARY_PATH");
        for (String folder : path == null ? new String[0] : path.split(":", -1)) {
            add(folders, folder, "LD_LIBRARY_PATH");
        }
        for (Path root : matches(Path.of("/usr/local"), "cuda*")) {
            add(folders, root + "/lib64", "usual folder");
            add(folders, root + "/targets/" + ARCHITECTURE + "-linux/lib", "usual folder");
        }
        for (String folder : List.of(
                "/usr/lib/" + ARCHITECTURE + "-linux-gnu",
                "/usr/lib64",
                "/usr/lib/wsl/lib",
                "/usr/local/nvidia/lib64",
                "/run/opengl-driver/lib")) {
            add(folders, folder, "usual folder");
        }
        pythonWheels().forEach(folder -> add(folders, folder.toString(), "Python's nvidia wheels"));
        return folders;
    }

    private static void add(Map<Path, String> folders, String folder, String source) {
        if (!folder.isEmpty() && Files.isDirectory(Path.of(folder))) {
            folders.putIfAbsent(Path.of(folder).toAbsolutePath(), source);
        }
    }

    /** The lib folders of the packages below {@code nvidia} of every Python that is found. */
    private static Iterable<Path> pythonWheels() {
        Set<Path> found = new TreeSet<>();
        List<Path> roots = new ArrayList<>(
                List.of(Path.of("/usr"), Path.of("/usr/local"), Path.of(System.getProperty("user.home"), ".local")));
        for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
            if (System.getenv(variable) != null) {
                roots.add(Path.of(System.getenv(variable)));
            }
        }
        for (Path root : roots) {
            for (Path python : matches(root.resolve("lib"), "python3*")) {
                addWheels(found, python.resolve("site-packages").resolve("nvidia"));
                addWheels(found, python.resolve("dist-packages").resolve("nvidia"));
            }
        }
        if (found.isEmpty()) {
            askPython().forEach(folder -> addWheels(found, folder));
        }
        return found;
    }

    private static void addWheels(Set<Path> found, Path nvidia) {
        for (Path wheel : matches(nvidia, "*")) {
            if (Files.isDirectory(wheel.resolve("lib"))) {
                found.add(wheel.resolve("lib"));
            }
        }
    }

    /** Where {@code python3} itself looks for its nvidia packages; empty without a Python or without such packages. */
    private static List<Path> askPython() {
        Process python = null;
        try {
            python = new ProcessBuilder("python3", "-c", "import nvidia; print('\\n'.join(nvidia.__path__))")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            python.getOutputStream().close();
            if (!python.waitFor(PYTHON_SECONDS, TimeUnit.SECONDS)) {
                return List.of();
            }
            String answer = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return answer.lines().filter(line -> !line.isBlank()).map(Path::of).toList();
        } catch (IOException e) {
            return List.of(); // no Python: nothing to ask
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        } finally {
            if (python != null) {
                python.destroyForcibly();
            }
        }
    }

    private static List<Path> matches(Path folder, String pattern) {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
                entries.forEach(found::add);
            } catch (IOException e) {
                return List.of(); // not readable: nothing to find there
            }
        }
        found.sort(null);
        return found;
    }
}
