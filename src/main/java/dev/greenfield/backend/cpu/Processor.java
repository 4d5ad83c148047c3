package dev.greenfield.backend.cpu;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** What kind of processor this is. OpenBLAS has other kernels for other kinds, and with them other last bits. */
final class Processor {
    private Processor() {}

    /** Its name, family and model where Linux says them; elsewhere its architecture, such as {@code aarch64}. */
    static String kind() {
        return kind(Path.of("/proc/cpuinfo"));
    }

    static String kind(Path cpuinfo) {
        String architecture = System.getProperty("os.arch");
        Map<String, String> facts = new HashMap<>();
        try (BufferedReader lines = Files.newBufferedReader(cpuinfo)) {
            // A paragraph for each processor: the first will do.
            for (String line = lines.readLine(); line != null && !line.isBlank(); line = lines.readLine()) {
                String[] parts = line.split(":", 2);
                if (parts.length == 2) {
                    facts.put(parts[0].strip(), parts[1].strip());
                }
            }
        } catch (IOException notLinux) {
            return architecture;
        }
        String name = facts.getOrDefault("model name", architecture);
        return facts.containsKey("cpu family") && facts.containsKey("model")
                ? name + " (family " + facts.get("cpu family") + ", model " + facts.get("model") + ")"
                : name;
    }
}
