package dev.greenfield;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Dependencies point one way, from the façade down; packages say what they are for; files stay readable. */
class ArchitectureTest {
    private static final String ROOT = "dev.greenfield";
    private static final int MOST_LINES = 500;

    /**
     * Per package those of ours that it may use besides itself. A package that is not listed fails the test: decide where it
     * stands, then add it. Backends never see each other; nobody sees the command line.
     */
    private static final Map<String, List<String>> MAY_USE = Map.ofEntries(
            Map.entry("lattice", List.of()),
            Map.entry("safetensors", List.of()),
            Map.entry("report", List.of()),
            Map.entry("model", List.of("lattice", "safetensors")),
            Map.entry("backend", List.of("lattice", "model")),
            Map.entry("backend.reference", List.of("backend", "lattice", "model")),
            Map.entry("backend.cpu", List.of("backend", "lattice", "model")),
            Map.entry("backend.cuda", List.of("backend", "jcuda", "lattice", "model")),
            Map.entry("jcuda", List.of()),
            Map.entry("engine", List.of("backend", "lattice", "model")),
            Map.entry("response", List.of("engine", "backend", "lattice", "model")),
            Map.entry("inverse", List.of("response", "engine", "backend", "lattice", "model")),
            Map.entry("transfer", List.of("response", "engine", "backend", "lattice", "model")));

    /** These stand above the others. The façade is the root package. */
    private static final String FACADE = "";

    private static final String COMMAND_LINE = "cli";

    /** Above the façade, which it uses as a user would; only the command line uses it. */
    private static final String STUDY = "study";

    private static JavaClasses ours;

    @BeforeAll
    static void read() {
        ours = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages(ROOT);
    }

    @Test
    void everyPackageHasItsPlace() {
        TreeSet<String> known = new TreeSet<>(MAY_USE.keySet());
        known.addAll(List.of(FACADE, COMMAND_LINE, STUDY));
        assertThat(packages().keySet()).as("packages with a place in the table").isSubsetOf(known);
    }

    @Test
    void dependenciesPointOneWay() {
        packages().forEach((name, where) -> {
            if (MAY_USE.containsKey(name)) {
                List<String> allowed = new ArrayList<>(List.of(where));
                MAY_USE.get(name).forEach(other -> allowed.add(ROOT + "." + other));
                classes()
                        .that(resideInAPackage(where))
                        .should()
                        .onlyDependOnClassesThat(not(resideInAPackage(ROOT + ".."))
                                .or(resideInAnyPackage(allowed.toArray(String[]::new))))
                        .because("that is what ArchitectureTest's table says")
                        .check(ours);
            }
        });
    }

    @Test
    void nobodyDependsOnTheCommandLine() {
        classes()
                .that(not(resideInAPackage(ROOT + "." + COMMAND_LINE + "..")))
                .should()
                .onlyDependOnClassesThat(not(resideInAPackage(ROOT + "." + COMMAND_LINE + "..")))
                .check(ours);
    }

    @Test
    void onlyTheCommandLineDependsOnTheStudy() {
        classes()
                .that(not(resideInAnyPackage(ROOT + "." + COMMAND_LINE + "..", ROOT + "." + STUDY + "..")))
                .should()
                .onlyDependOnClassesThat(not(resideInAPackage(ROOT + "." + STUDY + "..")))
                .check(ours);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(ours);
    }

    @Test
    void everyPackageSaysWhatItIsFor() throws IOException {
        for (Path file : sources()) {
            assertThat(file.resolveSibling("package-info.java")).isRegularFile();
        }
    }

    @Test
    void filesStayReadable() throws IOException {
        for (Path file : sources()) {
            assertThat(Files.readAllLines(file).size()).as("lines of " + file).isLessThanOrEqualTo(MOST_LINES);
        }
    }

    /** Our packages that hold classes: short name to full name. */
    private static Map<String, String> packages() {
        Map<String, String> packages = new TreeMap<>();
        ours.stream().map(type -> type.getPackage()).map(JavaPackage::getName).forEach(name -> {
            packages.put(name.equals(ROOT) ? FACADE : name.substring(ROOT.length() + 1), name);
        });
        assertThat(packages).isNotEmpty();
        return packages;
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src", "main", "java"))) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }
}
