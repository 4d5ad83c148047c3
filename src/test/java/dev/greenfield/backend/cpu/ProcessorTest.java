package dev.greenfield.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessorTest {
    @TempDir
    private Path temporary;

    private String kind(String cpuinfo) throws IOException {
        return Processor.kind(Files.writeString(temporary.resolve("cpuinfo"), cpuinfo));
    }

    @Test
    void whatLinuxSays() throws IOException {
        String other = "\n\nprocessor\t: 1\nmodel\t\t: 9\nmodel name\t: Other\n";
        assertThat(kind("processor\t: 0\ncpu family\t: 6\nmodel\t\t: 207\nmodel name\t: Xeon: the first" + other))
                .isEqualTo("Xeon: the first (family 6, model 207)");
        String architecture = System.getProperty("os.arch");
        assertThat(kind("processor\t: 0\nBogoMIPS\t: 50" + other)).isEqualTo(architecture);
        assertThat(kind("")).isEqualTo(architecture);
        assertThat(Processor.kind(temporary.resolve("missing"))).isEqualTo(architecture);
        assertThat(Processor.kind()).isNotBlank();
    }
}
