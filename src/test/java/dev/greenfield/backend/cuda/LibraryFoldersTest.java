package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.backend.Backends;
import dev.greenfield.backend.cuda.ChildJvm.Finished;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where CUDA's libraries are looked for. */
class LibraryFoldersTest {
    @TempDir
    Path temporary;

    @Test
    void theDriverIsWhereItsFilesAreMounted() throws IOException {
        Path folder = Files.createDirectories(temporary.resolve("nvidia/lib64"));
        Files.createFile(folder.resolve("libcuda.so.1"));
        Path mounts = Files.write(
                temporary.resolve("mountinfo"),
                List.of(
                        "22 27 0:21 / /proc rw,relatime - proc proc rw",
                        "31 27 8:1 /x /usr/lib64/libcuda.so.580.159.04 ro - ext4 /dev/sda ro",
                        "32 27 8:1 /y " + temporary.resolve("nvidia") + " ro - ext4 /dev/sda ro",
                        "33 27 8:1 /z /nowhere/nvidia ro - ext4 /dev/sda ro",
                        "short"));
        assertThat(LibraryFolders.ofDriverMounts(mounts)).containsExactly(Path.of("/usr/lib64"), folder);
        assertThat(LibraryFolders.ofDriverMounts(temporary.resolve("none"))).isEmpty();
    }

    /** CUDA 13's wheels share the folder nvidia/cu13, those of CUDA 12 have one each. */
    @Test
    void cuda13OfAVirtualEnvironmentIsFound() throws IOException, InterruptedException {
        assumeTrue(ChildJvm.onStandIn(), "not on the host stand-in");
        Backends.CUDA.open().close();
        Path standIn = Path.of(System.getProperty(LibraryFolders.PROPERTY)).toAbsolutePath();
        Path driver = Files.createDirectory(temporary.resolve("driver"));
        Files.createSymbolicLink(driver.resolve("libcuda.so.1"), standIn.resolve("libcuda.so.1"));
        Path wheel = Files.createDirectories(temporary.resolve("venv/lib/python3.12/site-packages/nvidia/cu13/lib"));
        Files.createSymbolicLink(wheel.resolve("libcublas.so.13"), standIn.resolve("libcublas.so.13"));
        Finished doctor = ChildJvm.run(
                temporary,
                Map.of("VIRTUAL_ENV", temporary.resolve("venv").toString(), "LD_LIBRARY_PATH", ""),
                List.of("-D" + LibraryFolders.PROPERTY + "=" + driver),
                "dev.greenfield.cli.Main",
                "doctor");
        assertThat(doctor.exit()).as(doctor.err()).isZero();
        assertThat(doctor.out())
                .contains("cuda: yes", wheel.resolve("libcublas.so.13") + " (Python's nvidia wheels): taken");
    }
}
