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
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Dependencies point one way, from the façade down; packages say what they are for; files stay readable. */
@Tag("slow")
class ArchitectureTest {
    private static final String ROOT = "dev.greenfield";
    private static final int MOST_LINES = 400;
    private static final Path SPARK = Path.of("spark", "src", "main", "java");

    /** The launches of the GPU's operations stand in one file until its context has a type of its own. */
    private static final int MOST_LINES_FOR_CUDA = 500;

    private static final String FACADE = "(facade)";

    /**
     * The rooms, each with those that it may use besides itself: all of them stand above it in this table, so that no import points
     * up and there are no cycles. A room that is not listed fails the test: decide where it stands, then add it. Backends never see each
     * other; above the façade, the study and the commands use it as a user would.
     */
    private static final String ROOMS = """
            failure:
            text: failure
            statistics: failure
            lattice: failure
            safetensors:
            natives:
            files:
            hub: failure text files
            model: failure text statistics safetensors natives hub
            backend: model
            backend.reference: failure model backend
            backend.cpu: failure natives model backend
            backend.cuda: failure text natives model backend
            engine: failure lattice model backend
            response: failure text statistics lattice model backend engine
            checkpoint: failure text files backend engine response
            green: failure statistics lattice model backend engine
            lens: failure safetensors lattice model engine green
            map: failure statistics lattice model backend engine response checkpoint green
            regime: failure lattice model backend engine response
            propagation: failure statistics lattice model backend engine response map
            prediction: failure statistics lattice model engine response
            inverse: failure statistics lattice model backend engine response green
            transfer: failure statistics lattice engine response green map
            report: text
            (facade): failure statistics lattice safetensors hub model backend backend.reference backend.cpu backend.cuda engine response green lens map regime propagation prediction inverse transfer report
            study: failure text statistics files lattice model response map regime propagation prediction inverse transfer (facade)
            cli.io: failure text statistics safetensors files
            cli.job: failure text statistics lattice safetensors hub model response lens propagation report (facade) cli.io
            cli.show: failure statistics lattice safetensors model lens map report (facade) cli.io cli.job
            cli.source: failure statistics lattice response regime propagation report (facade) cli.io cli.job cli.show
            cli.patch: failure statistics lattice model response prediction report (facade) cli.io cli.job cli.show
            cli.green: failure lattice model green report (facade) cli.io cli.job cli.show
            cli.infer: failure lattice model response inverse report (facade) cli.io cli.job cli.show
            cli.map: failure text statistics lattice safetensors model response green map propagation report (facade) cli.io cli.job cli.show
            cli.transfer: failure statistics lattice safetensors model map transfer report (facade) cli.io cli.job cli.show
            cli.study: failure text statistics lattice model prediction report (facade) study cli.io cli.job cli.show
            cli: failure text lattice safetensors hub model backend.cuda response green lens report (facade) cli.io cli.job cli.show cli.source cli.patch cli.green cli.infer cli.map cli.transfer cli.study
            """;

    private static final Map<String, List<String>> MAY_USE = ROOMS.lines()
            .map(line -> line.split(":", -1))
            .collect(Collectors.toMap(
                    parts -> parts[0],
                    parts -> List.of(parts[1].strip().split(" +")),
                    (one, other) -> one,
                    LinkedHashMap::new));

    /** The rooms that a user of the library sees: those that the module exports. */
    private static final Set<String> SEEN = exported();

    private static Set<String> exported() {
        try {
            return Pattern.compile("exports dev\\.greenfield(?:\\.([\\w.]+))?;")
                    .matcher(Files.readString(Path.of("src", "main", "module", "module-info.java")))
                    .results()
                    .map(found -> found.group(1) == null ? FACADE : found.group(1))
                    .collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

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

    /** Parts of rooms whose files all lead to each other, and why they are left so. This list only becomes shorter. */
    private static final Map<Set<String>, String> CIRCLES = Map.of(
            Set.of("failure.Progress", "failure.Task"),
            "a user watches by the type whose listener the task tells",
            Set.of(
                    "engine.AttentionPart",
                    "engine.BlockPart",
                    "engine.BlockPrimal",
                    "engine.Condensation",
                    "engine.MlpPart",
                    "engine.Workspace"),
            "the halves of a block say how large the workspace is that they are handed, and what they keep of a pass",
            Set.of("green.Composition", "green.LinearOperator"),
            "any operator can be composed",
            Set.of("green.GreenOperator", "green.Restriction"),
            "a Green operator restricts itself to directions, and a restriction is sliced by slicing it",
            Set.of("transfer.AmplitudeCurves", "transfer.DisplacementTransfer"),
            "a displacement is asked for its curves, which are measured with it",
            Set.of(
                    "backend.cuda.BatchTables",
                    "backend.cuda.CublasGemm",
                    "backend.cuda.CudaAttention",
                    "backend.cuda.CudaBackend",
                    "backend.cuda.CudaBlocks",
                    "backend.cuda.CudaBuffer",
                    "backend.cuda.CudaColumns",
                    "backend.cuda.CudaFactors",
                    "backend.cuda.CudaInjection",
                    "backend.cuda.CudaNonlinear",
                    "backend.cuda.CudaSums",
                    "backend.cuda.Launcher",
                    "backend.cuda.Transfers"),
            "buffers, launches, small copies and products reach the context through the backend");

    /**
     * Files: a nested type is part of the one that it stands in. What is no code is not seen: constants that
     * the compiler puts in place, and the kinds that a sealed type names.
     */
    @Test
    void filesOfARoomHaveNoCircles() {
        Map<String, Set<String>> uses = new TreeMap<>();
        ours.forEach(type -> type.getDirectDependenciesFromSelf().forEach(dependency -> {
            JavaClass target = dependency.getTargetClass().getBaseComponentType();
            if (target.getPackageName().equals(type.getPackageName())
                    && !file(target).equals(file(type))) {
                uses.computeIfAbsent(file(type), from -> new TreeSet<>()).add(file(target));
            }
        }));
        Map<String, Set<String>> reached = new TreeMap<>();
        uses.keySet().forEach(from -> reached.put(from, reached(from, uses)));
        Set<Set<String>> circles = reached.keySet().stream()
                .filter(from -> reached.get(from).contains(from))
                .map(from -> reached.get(from).stream()
                        .filter(to -> reached.getOrDefault(to, Set.of()).contains(from))
                        .collect(Collectors.toSet()))
                .collect(Collectors.toSet());
        assertThat(uses).hasSizeGreaterThan(100);
        assertThat(circles)
                .as("circles of files: mend a new one, strike out one that is gone")
                .isEqualTo(CIRCLES.keySet());
    }

    private static Set<String> reached(String from, Map<String, Set<String>> uses) {
        Set<String> reached = new TreeSet<>();
        List<String> todo = new ArrayList<>(List.of(from));
        while (!todo.isEmpty()) {
            for (String next : uses.getOrDefault(todo.remove(todo.size() - 1), Set.of())) {
                if (reached.add(next)) {
                    todo.add(next);
                }
            }
        }
        return reached;
    }

    /** The type that a file is named after, within our root. */
    private static String file(JavaClass type) {
        return type.getName().substring(ROOT.length() + 1).replaceFirst("\\$.*", "");
    }

    @Test
    void theJavadocLeavesOutWhatTheModuleHides() throws IOException {
        Matcher excluded = Pattern.compile("<excludePackageNames>(.*)</excludePackageNames>")
                .matcher(Files.readString(Path.of("pom.xml")));
        assertThat(excluded.find()).isTrue();
        List<Pattern> hidden = Stream.of(excluded.group(1).split(":", -1))
                .map(name -> Pattern.compile(name.replace(".", "\\.").replace("*", ".*")))
                .toList();
        Set<String> shown = packages().entrySet().stream()
                .filter(room -> hidden.stream()
                        .noneMatch(name -> name.matcher(room.getValue()).matches()))
                .map(Map.Entry::getKey)
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(shown).isEqualTo(SEEN).hasSizeGreaterThan(10);
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
            boolean cuda = file.getParent().endsWith(Path.of("backend", "cuda"));
            assertThat(Files.readAllLines(file).size())
                    .as("lines of " + file)
                    .isLessThanOrEqualTo(cuda ? MOST_LINES_FOR_CUDA : MOST_LINES);
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
        List<Path> all = new ArrayList<>(sources(Path.of("src", "main", "java")));
        all.addAll(sources(SPARK));
        return all;
    }

    private static List<Path> sources(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    /** Another artifact, which this build does not compile. */
    @Test
    void sparkUsesTheLibraryAsUsersDo() throws IOException {
        Set<String> allowed = new TreeSet<>(SEEN);
        allowed.addAll(Set.of("text", "files", "cli.io", "spark"));
        Set<String> used = new TreeSet<>();
        for (Path file : sources(SPARK)) {
            Pattern.compile("import (?:static )?dev\\.greenfield((?:\\.[a-z]\\w*)*)\\.[A-Z]")
                    .matcher(Files.readString(file))
                    .results()
                    .forEach(found -> used.add(
                            found.group(1).isEmpty() ? FACADE : found.group(1).substring(1)));
        }
        assertThat(used).contains(FACADE, "map", "study");
        assertThat(allowed).containsAll(used);
        assertThat(packages()).doesNotContainKey("spark");
    }

    /** One version of ours and of what both artifacts bring. */
    @Test
    void sparkIsBuiltOfTheSameVersions() throws IOException {
        String ours = Files.readString(Path.of("pom.xml"));
        String spark = Files.readString(Path.of("spark", "pom.xml"));
        for (String property : List.of("version", "javacpp.version", "openblas.version", "djl.version")) {
            Pattern value = Pattern.compile("<" + property + ">([^<]+)</" + property + ">");
            Matcher of = value.matcher(ours);
            Matcher with = value.matcher(spark);
            assertThat(of.find() && with.find()).as(property).isTrue();
            assertThat(with.group(1)).as(property).isEqualTo(of.group(1));
        }
    }
}
