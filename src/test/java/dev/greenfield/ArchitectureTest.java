package dev.greenfield;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.greenfield.engine.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Dependencies point one way, from the façade down; packages say what they are for; files stay readable. */
@Tag("slow")
class ArchitectureTest {
    private static final String ROOT = "dev.greenfield";
    private static final int MOST_LINES = 500;

    private static final String FACADE = "(facade)";

    /**
     * The rooms, each with those that it may use besides itself: all of them stand above it in this table, so that no import points
     * up and there are no cycles. A room that is not listed fails the test: decide where it stands, then add it. Backends never see each
     * other; above the façade, the study and the commands use it as a user would.
     */
    private static final String ROOMS = """
            failure:
            text: failure
            statistics:
            lattice: failure
            safetensors:
            natives:
            model: failure text statistics safetensors natives
            backend: model
            backend.reference: failure model backend
            backend.cpu: failure natives model backend
            backend.cuda: failure text natives model backend
            engine: failure lattice model backend
            response: failure text statistics lattice model backend engine
            checkpoint: failure text backend engine response
            green: failure lattice model backend engine
            map: failure lattice model backend engine response checkpoint green
            regime: failure lattice model backend engine response
            propagation: failure statistics lattice model backend engine response map
            prediction: failure statistics lattice model engine response
            inverse: failure statistics lattice model backend engine response green
            transfer: failure statistics lattice engine response green map
            report: text
            (facade): failure lattice safetensors model backend backend.reference backend.cpu backend.cuda engine response green map regime propagation prediction inverse transfer report
            study: failure text statistics lattice model checkpoint response map regime propagation prediction inverse transfer (facade)
            cli.io: failure text statistics safetensors checkpoint
            cli.job: failure text statistics lattice safetensors model response propagation report (facade) cli.io
            cli.show: failure statistics lattice model map report (facade) cli.io cli.job
            cli.source: failure statistics lattice response regime propagation report (facade) cli.io cli.job cli.show
            cli.patch: failure statistics lattice model response prediction report (facade) cli.io cli.job cli.show
            cli.green: failure lattice model green report (facade) cli.io cli.job cli.show
            cli.infer: failure lattice model response inverse report (facade) cli.io cli.job cli.show
            cli.map: failure text statistics lattice safetensors model response green map propagation report (facade) cli.io cli.job cli.show
            cli.transfer: failure statistics lattice safetensors model map transfer report (facade) cli.io cli.job cli.show
            cli.study: failure text statistics lattice model prediction report (facade) study cli.io cli.job cli.show
            cli: failure lattice model backend.cuda response green report (facade) cli.io cli.job cli.show cli.source cli.patch cli.green cli.infer cli.map cli.transfer cli.study
            """;

    private static final Map<String, List<String>> MAY_USE = ROOMS.lines()
            .map(line -> line.split(":", -1))
            .collect(Collectors.toMap(
                    parts -> parts[0],
                    parts -> List.of(parts[1].strip().split(" +")),
                    (one, other) -> one,
                    LinkedHashMap::new));

    /** The rooms that a user of the library sees. */
    private static final List<String> SEEN = List.of(
            FACADE,
            "failure",
            "lattice",
            "model",
            "response",
            "green",
            "map",
            "regime",
            "propagation",
            "prediction",
            "inverse",
            "transfer",
            "study",
            "statistics",
            "text",
            "report",
            "safetensors");

    private static JavaClasses ours;

    @BeforeAll
    static void read() {
        ours = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages(ROOT);
    }

    @Test
    void everyPackageHasItsPlace() {
        assertThat(packages().keySet()).as("packages with a place in the table").isEqualTo(MAY_USE.keySet());
    }

    @Test
    void theTablePointsOneWay() {
        List<String> above = new ArrayList<>(List.of(""));
        MAY_USE.forEach((room, uses) -> {
            assertThat(above).as("rooms above " + room).containsAll(uses);
            above.add(room);
        });
    }

    @Test
    void dependenciesPointOneWay() {
        packages().forEach((name, where) -> {
            List<String> allowed = new ArrayList<>(List.of(where));
            MAY_USE.get(name).forEach(other -> allowed.add(other.equals(FACADE) ? ROOT : ROOT + "." + other));
            classes()
                    .that(resideInAPackage(where))
                    .should()
                    .onlyDependOnClassesThat(
                            not(resideInAPackage(ROOT + "..")).or(resideInAnyPackage(allowed.toArray(String[]::new))))
                    .because("that is what ArchitectureTest's table says")
                    .check(ours);
        });
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(ours);
    }

    /** {@link Scope} alone stands for the engine: the façade makes one, and no user can. */
    @Test
    void usersSeeNeitherEngineNorBackends() {
        List<JavaMember> seen = ours.stream()
                .filter(type -> SEEN.contains(room(type)) && isSeen(type))
                .flatMap(type -> type.getMembers().stream())
                .filter(member -> isSeen(member.getModifiers()))
                .toList();
        assertThat(seen).as("what users see").hasSizeGreaterThan(500);
        assertThat(seen.stream()
                        .filter(member -> mentioned(member).anyMatch(ArchitectureTest::isInternal))
                        .map(JavaMember::getDescription))
                .isEmpty();
        assertThat(ours.stream()
                        .filter(type -> SEEN.contains(room(type)) && isSeen(type))
                        .filter(type -> Stream.concat(
                                        type.getRawInterfaces().stream(), type.getRawSuperclass().stream())
                                .anyMatch(ArchitectureTest::isInternal))
                        .map(JavaClass::getName))
                .isEmpty();
    }

    /** All types in what a user has to know of a member. */
    private static Stream<JavaClass> mentioned(JavaMember member) {
        Stream<JavaType> types = member instanceof JavaCodeUnit code
                ? Stream.concat(code.getParameterTypes().stream(), Stream.of(code.getReturnType()))
                : Stream.of(((JavaField) member).getType());
        return types.flatMap(type -> type.getAllInvolvedRawTypes().stream());
    }

    private static boolean isInternal(JavaClass type) {
        String room = room(type);
        return room.startsWith("backend") || (room.equals("engine") && !type.isEquivalentTo(Scope.class));
    }

    private static boolean isSeen(JavaClass type) {
        return isSeen(type.getModifiers())
                && type.getEnclosingClass().map(ArchitectureTest::isSeen).orElse(true);
    }

    private static boolean isSeen(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
    }

    /** The room of one of our types; the whole name of another's package. */
    private static String room(JavaClass type) {
        String name = type.getPackageName();
        return name.equals(ROOT) ? FACADE : name.startsWith(ROOT + ".") ? name.substring(ROOT.length() + 1) : name;
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
