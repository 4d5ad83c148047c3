package dev.greenfield.backend.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Folders in which CUDA's libraries may be, with where each was learnt, best first: what the user named, CUDA's own
 * environment variables, the usual places of installers, and the wheels that Python packages bring along.
 */
final class LibraryFolders {
    /** Folders to search before all others, separated as on the class path. */
    static final String PROPERTY = "greenfield.cuda.libs";

    private static final Path MOUNTS = Path.of("/proc/self/mountinfo");

    /** The mount point's place among the fields of a line of mountinfo. */
    private static final int MOUNT_POINT = 4;

    private static final String WHEELS = "Python's nvidia wheels";

    /** Says where Python's nvidia packages are without running their code, or code of the current folder. */
    private static final String ASK = "import sys; sys.path[:] = [p for p in sys.path if p.startswith('/')]; "
            + "import importlib.util as u; s = u.find_spec('nvidia'); "
            + "print(*(s.submodule_search_locations if s and s.submodule_search_locations else []), sep='\\n')";

    private static final int PYTHON_SECONDS = 5;

    private LibraryFolders() {}

    /** The folders of {@link #PROPERTY}, whether they exist or not. */
    static List<Path> named() {
        List<Path> named = new ArrayList<>();
        for (String folder : System.getProperty(PROPERTY, "").split(File.pathSeparator, -1)) {
            if (!folder.isEmpty()) {
                named.add(Path.of(folder).toAbsolutePath());
            }
        }
        return named;
    }

    /** Existing folders but those of Python packages, in the order of search, each with where it was learnt. */
    static Map<Path, String> ofSystem() {
        Map<Path, String> folders = new LinkedHashMap<>();
        named().forEach(folder -> add(folders, folder, "-D" + PROPERTY));
        for (String variable : List.of("CUDA_PATH", "CUDA_HOME")) {
            String root = System.getenv(variable);
            if (root != null && !root.isEmpty()) {
                addToolkit(folders, Path.of(root), variable);
            }
        }
        String path = System.getenv("LD_LIBRARY_PATH");
        for (String folder : path == null ? new String[0] : path.split(":", -1)) {
            if (!folder.isEmpty()) {
                add(folders, Path.of(folder), "LD_LIBRARY_PATH");
            }
        }
        matches(Path.of("/usr/local"), "cuda*").forEach(root -> addToolkit(folders, root, "usual folder"));
        ofDriverMounts(MOUNTS).forEach(folder -> add(folders, folder, "the driver's own folder"));
        for (String folder : List.of(
                "/opt/cuda/lib64",
                "/usr/lib/x86_64-linux-gnu",
                "/usr/lib64",
                "/usr/lib/wsl/lib",
                "/usr/local/nvidia/lib64",
                "/usr/local/nvidia/lib",
                "/usr/lib/x86_64-linux-gnu/nvidia/current",
                "/usr/lib64/nvidia",
                "/run/opengl-driver/lib")) {
            add(folders, Path.of(folder), "usual folder");
        }
        if (System.getenv("CONDA_PREFIX") != null) {
            addToolkit(folders, Path.of(System.getenv("CONDA_PREFIX")), "CONDA_PREFIX");
        }
        return folders;
    }

    /**
     * Where the driver's libcuda is mounted: containers get the host's driver file by file or as a folder, in places that differ.
     *
     * @param mounts a table of mounts as {@code /proc/self/mountinfo} has it
     */
    static List<Path> ofDriverMounts(Path mounts) {
        List<Path> found = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(mounts)) {
                String[] fields = line.split(" ", -1);
                if (fields.length > MOUNT_POINT && fields[MOUNT_POINT].contains("libcuda.so")) {
                    found.add(Path.of(fields[MOUNT_POINT]).getParent());
                } else if (fields.length > MOUNT_POINT && fields[MOUNT_POINT].contains("nvidia")) {
                    Path root = Path.of(fields[MOUNT_POINT]);
                    for (Path folder : List.of(root, root.resolve("lib64"), root.resolve("lib"))) {
                        if (Files.exists(folder.resolve("libcuda.so.1"))) {
                            found.add(folder);
                        }
                    }
                }
            }
        } catch (IOException e) {
            return List.of(); // not Linux, or not readable: the usual folders are left
        }
        return found;
    }

    private static void addToolkit(Map<Path, String> folders, Path root, String source) {
        add(folders, root.resolve("lib64"), source);
        add(folders, root.resolve("targets/x86_64-linux/lib"), source);
        add(folders, root.resolve("lib"), source);
    }

    private static void add(Map<Path, String> folders, Path folder, String source) {
        if (Files.isDirectory(folder)) {
            folders.putIfAbsent(folder.toAbsolutePath(), source);
        }
    }

    /** The lib folders of nvidia packages of the Pythons in the usual places; virtual environments come first. */
    static Map<Path, String> ofPython() {
        Map<Path, String> folders = new LinkedHashMap<>();
        List<Path> roots = new ArrayList<>();
        for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
            if (System.getenv(variable) != null) {
                roots.add(Path.of(System.getenv(variable)));
            }
        }
        roots.add(Path.of(System.getProperty("user.home"), ".local"));
        roots.add(Path.of("/usr/local"));
        roots.add(Path.of("/usr"));
        for (Path root : roots) {
            for (Path python : matches(root.resolve("lib"), "python3*")) {
                addWheels(folders, python.resolve("site-packages/nvidia"));
                addWheels(folders, python.resolve("dist-packages/nvidia"));
            }
        }
        return folders;
    }

    /** The lib folders of nvidia packages where {@code python3} itself looks: for Pythons in other places. Starts it. */
    static Map<Path, String> ofPythonItself() {
        Map<Path, String> folders = new LinkedHashMap<>();
        askPython().forEach(nvidia -> addWheels(folders, nvidia));
        return folders;
    }

    /** Each package has a folder of its own, such as cudnn; from CUDA 13 on the toolkit's share one, such as cu13. */
    private static void addWheels(Map<Path, String> folders, Path nvidia) {
        matches(nvidia, "*").forEach(wheel -> add(folders, wheel.resolve("lib"), WHEELS));
    }

    private static List<Path> askPython() {
        Process python = null;
        try {
            python = new ProcessBuilder("python3", "-c", ASK)
                    .directory(new File("/"))
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
            } catch (IOException | DirectoryIteratorException e) {
                return List.of(); // not readable: nothing to find there
            }
        }
        found.sort(null);
        return found;
    }
}
