package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.backend.Backends;
import dev.greenfield.backend.cuda.ChildJvm.Finished;
import dev.greenfield.natives.NativeExtraction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which libraries are taken, which refused, and what is said about it. Each case is a process: libraries stay loaded. */
class CudaLibrariesTest {
    @TempDir
    Path temporary;

    private Path standIn;

    @BeforeEach
    void onTheStandIn() {
        assumeTrue(ChildJvm.onStandIn(), "not on the host stand-in");
        Backends.CUDA.open().close();
        standIn = Path.of(System.getProperty(LibraryFolders.PROPERTY)).toAbsolutePath();
    }

    private Finished doctor(Map<String, String> environment, String libraries)
            throws IOException, InterruptedException {
        return ChildJvm.run(
                temporary,
                environment,
                List.of(
                        "-D" + LibraryFolders.PROPERTY + "=" + libraries,
                        "-D" + NativeExtraction.DIRECTORY + "=" + temporary.resolve("natives")),
                "dev.greenfield.cli.Main",
                "doctor");
    }

    @Test
    void aBrokenCandidateIsNamedAndTheNextOneTaken() throws IOException, InterruptedException {
        Path broken = Files.createDirectory(temporary.resolve("broken"));
        Files.writeString(broken.resolve("libcuda.so.1"), "not a library");
        Files.writeString(broken.resolve("libcublas.so.12"), "nor this");
        Finished doctor = doctor(Map.of(), broken + ":" + temporary.resolve("misspelt") + ":" + standIn);
        assertThat(doctor.exit()).as(doctor.err()).isZero();
        assertThat(doctor.out())
                .contains(
                        "cuda: yes, float32, tf32 or bf16, Host stand-in",
                        temporary.resolve("misspelt") + " (-Dgreenfield.cuda.libs): refused, there is no such folder",
                        broken.resolve("libcuda.so.1") + " (-Dgreenfield.cuda.libs): refused, ",
                        standIn.resolve("libcuda.so.1") + " (-Dgreenfield.cuda.libs): taken",
                        broken.resolve("libcublas.so.12") + " (-Dgreenfield.cuda.libs): refused, ",
                        standIn.resolve("libcublas.so.13") + " (-Dgreenfield.cuda.libs): taken",
                        "(forwards cuBLAS 12 to 13): taken");
    }

    @Test
    void theFolderThatTheUserNamesComesFirst() throws IOException, InterruptedException {
        Path other = Files.createDirectory(temporary.resolve("other"));
        Files.writeString(other.resolve("libcublas.so.12"), "not a library");
        Finished doctor = doctor(Map.of("LD_LIBRARY_PATH", other.toString()), standIn.toString());
        assertThat(doctor.out())
                .contains("cuda: yes")
                .doesNotContain(other.resolve("libcublas.so.12").toString());
    }

    @Test
    void lookingForPythonsWheelsRunsNoCodeOfTheCurrentFolder() throws IOException, InterruptedException {
        Path driver = Files.createDirectory(temporary.resolve("driver"));
        Files.createSymbolicLink(driver.resolve("libcuda.so.1"), standIn.resolve("libcuda.so.1"));
        Path planted = Files.createDirectory(temporary.resolve("nvidia"));
        Files.writeString(planted.resolve("__init__.py"), "open('ran', 'w')");
        Files.createDirectories(planted.resolve("cublas/lib"));
        Files.writeString(planted.resolve("cublas/lib/libcublas.so.12"), "planted");
        Finished doctor = doctor(Map.of("PYTHONPATH", ""), driver.toString());
        assertThat(doctor.exit()).as(doctor.err()).isZero();
        assertThat(temporary.resolve("ran")).doesNotExist();
        assertThat(doctor.out()).contains("libcuda.so.1").doesNotContain(planted.toString());
    }

    @Test
    void whatOnlyWeCanMendIsNotBlamedOnTheDriver() throws IOException, InterruptedException {
        Files.createFile(temporary.resolve("natives"));
        Finished doctor = doctor(Map.of(), standIn.toString());
        assertThat(doctor.out())
                .contains("cuda: no, could not put libJCudaDriver", "set -D" + NativeExtraction.DIRECTORY + "=DIR")
                .doesNotContain("install the driver");
    }
}
