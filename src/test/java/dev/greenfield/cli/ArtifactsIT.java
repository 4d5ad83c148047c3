package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;

/** What is in the jars that are published: ours in one, the rest named with its licence, each package in one place. */
class ArtifactsIT {
    private static final Path PROGRAM = Path.of(System.getProperty("greenfield.jar", "target/greenfield.jar"));
    private static final Path THIN = Path.of(System.getProperty("greenfield.thin", "target/greenfield-0.1.0.jar"));
    private static final Path CUDA = Path.of(System.getProperty("greenfield.cuda", "target/greenfield-0.1.0-cuda.jar"));

    private static final int THIN_BYTES = 9_000_000;

    /** Packages that users do not see: they change without notice. What they hold is not exported. */
    private static final Pattern HIDDEN = Pattern.compile(
            "dev\\.greenfield\\.(?:backend|checkpoint|cli|demo|engine|files|jcuda|natives|text)(?:\\..*)?");

    private static final Pattern DESCRIPTION = Pattern.compile("META-INF/maven/([^/]+)/([^/]+)/pom\\.properties");
    private static final Pattern NATIVE = Pattern.compile(".*\\.(so(\\.\\d+)*|dll|dylib|jnilib|a)");

    private static List<String> names(JarFile jar) {
        return jar.stream()
                .map(ZipEntry::getName)
                .filter(name -> !name.endsWith("/"))
                .toList();
    }

    private static String text(JarFile jar, String name) throws IOException {
        try (InputStream in = jar.getInputStream(jar.getEntry(name))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void everyArtifactAndNativeLibraryOfTheProgramHasItsLicence() throws IOException {
        try (JarFile jar = new JarFile(PROGRAM.toFile())) {
            String list = text(jar, "META-INF/THIRD-PARTY.txt");
            List<String> missing = new ArrayList<>();
            int artifacts = 0;
            for (String name : names(jar)) {
                var description = DESCRIPTION.matcher(name);
                if (description.matches() && !description.group(1).equals("dev.greenfield")) {
                    artifacts++;
                    String coordinates = description.group(1) + ":" + description.group(2);
                    if (!list.contains("  " + coordinates + ":")) {
                        missing.add(coordinates);
                    }
                } else if (NATIVE.matcher(name).matches()) {
                    String library = name.substring(name.lastIndexOf('/') + 1);
                    if (!list.contains("  " + library + " ") && !name.startsWith("dev/greenfield/")) {
                        missing.add(name);
                    }
                }
            }
            assertThat(missing).isEmpty();
            assertThat(artifacts).as("artifacts with a description").isGreaterThan(15);
            assertThat(list)
                    .contains(
                            "Marco Hutter", "Knuddels", "QOS.ch", "mingw-w64 project", "GCC RUNTIME LIBRARY EXCEPTION")
                    .contains("The OpenBLAS Project");
            // Jackson's, and those of Apache Commons: RNG, Statistics, Numbers, Compress, Codec and IO
            assertThat(text(jar, "META-INF/NOTICE"))
                    .contains("Jackson", "commons-rng-core", "commons-numbers-gamma", "commons-compress", "commons-io")
                    .contains("commons-statistics-ranking", "commons-codec");
        }
    }

    @Test
    void theThinJarIsOursAlone() throws IOException {
        assertThat(Files.size(THIN)).isLessThan(THIN_BYTES);
        try (JarFile jar = new JarFile(THIN.toFile())) {
            assertThat(names(jar))
                    .allMatch(name -> name.startsWith("dev/greenfield/")
                            || name.startsWith("META-INF/")
                            || name.equals("module-info.class"))
                    .noneMatch(name -> name.startsWith("dev/greenfield/jcuda/"))
                    .noneMatch(name -> name.endsWith("jpms.args"))
                    .contains("dev/greenfield/Greenfield.class", "META-INF/LICENSE");
        }
    }

    @Test
    void theModuleExportsWhatUsersNeedAndHidesTheRest() throws IOException {
        try (JarFile jar = new JarFile(THIN.toFile());
                InputStream in = jar.getInputStream(jar.getEntry("module-info.class"))) {
            ModuleDescriptor module = ModuleDescriptor.read(in);
            assertThat(module.name()).isEqualTo("dev.greenfield");
            Set<String> exported = module.exports().stream()
                    .filter(export -> !export.isQualified()) // JCuda's loader sees one more
                    .map(ModuleDescriptor.Exports::source)
                    .collect(Collectors.toCollection(TreeSet::new));
            Set<String> visible = names(jar).stream()
                    .filter(name -> name.startsWith("dev/greenfield/") && name.endsWith(".class"))
                    .map(name -> name.substring(0, name.lastIndexOf('/')).replace('/', '.'))
                    .filter(name -> !HIDDEN.matcher(name).matches())
                    .collect(Collectors.toCollection(TreeSet::new));
            assertThat(exported).isEqualTo(visible);
        }
    }

    @Test
    void oneJarOwnsThePackagesOfJcuda() throws IOException {
        try (JarFile jar = new JarFile(CUDA.toFile())) {
            assertThat(jar.getManifest().getMainAttributes().getValue("Automatic-Module-Name"))
                    .isEqualTo("dev.greenfield.jcuda");
            assertThat(names(jar)).contains("jcuda/driver/JCudaDriver.class", "jcuda/jcublas/JCublas2.class");
            try (InputStream in = jar.getInputStream(jar.getEntry("jcuda/LibUtilsCuda.class"))) {
                assertThat(in.readAllBytes())
                        .as("our loader, not JCuda's own")
                        .isEqualTo(Files.readAllBytes(Path.of("target/classes/jcuda/LibUtilsCuda.class")));
            }
        }
        try (JarFile jar = new JarFile(PROGRAM.toFile())) {
            assertThat(names(jar).stream().filter("jcuda/LibUtilsCuda.class"::equals))
                    .hasSize(1);
        }
    }
}
