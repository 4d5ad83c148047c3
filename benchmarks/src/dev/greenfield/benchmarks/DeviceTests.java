package dev.greenfield.benchmarks;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Runs JUnit's tests where there is no Maven, and prints one flushed line as each test ends: a process that is ended early, by a
 * limit or by a broken device, has told what it knew. A test that hangs is given up and the next one begins. The exit status is 0 when
 * all passed, 1 when some failed, 2 when none ran.
 */
@Command(name = "DeviceTests", mixinStandardHelpOptions = true, sortOptions = false)
public final class DeviceTests implements Callable<Integer> {
    /** Characters of a failure's message that fit on its line. */
    private static final int MESSAGE = 400;

    @Option(names = "--classes", required = true, description = "Folder of test classes.")
    private Path classes;

    @Option(names = "--include", required = true, description = "Regular expression of class names.")
    private String include;

    @Option(names = "--exclude", description = "Regular expression of class names.")
    private String exclude = "-";

    @Option(names = "--seconds", description = "After so long a test counts as failed. Default: ${DEFAULT-VALUE}.")
    private int seconds = 20;

    /** Runs the tests; ends the process even when a test that was given up still runs. */
    public static void main(String[] arguments) {
        int status = new CommandLine(new DeviceTests()).execute(arguments);
        System.out.flush();
        Runtime.getRuntime().halt(status);
    }

    @Override
    public Integer call() {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClasspathRoots(Set.of(classes.toAbsolutePath())))
                .filters(
                        ClassNameFilter.includeClassNamePatterns(include),
                        ClassNameFilter.excludeClassNamePatterns(exclude))
                .configurationParameter("junit.jupiter.execution.timeout.default", seconds + " s")
                .configurationParameter("junit.jupiter.execution.timeout.thread.mode.default", "SEPARATE_THREAD")
                .build();
        Lines lines = new Lines();
        LauncherFactory.create().execute(request, lines);
        System.out.println(lines.summary());
        return lines.failed > 0 ? 1 : lines.passed > 0 ? 0 : 2;
    }

    /** One line a test, and a count. */
    private static final class Lines implements TestExecutionListener {
        private final ConcurrentHashMap<String, Long> begun = new ConcurrentHashMap<>();
        private TestPlan plan;
        private int passed;
        private int failed;
        private int skipped;

        @Override
        public void testPlanExecutionStarted(TestPlan executed) {
            plan = executed;
        }

        @Override
        public void executionStarted(TestIdentifier test) {
            begun.put(test.getUniqueId(), System.nanoTime());
        }

        @Override
        public void executionSkipped(TestIdentifier test, String reason) {
            skipped++;
            print("skip", test, reason);
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            String problem = result.getThrowable().map(DeviceTests::message).orElse("");
            if (!test.isTest() && result.getStatus() == Status.SUCCESSFUL) {
                return;
            }
            switch (result.getStatus()) {
                case SUCCESSFUL -> passed++;
                case ABORTED -> skipped++;
                case FAILED -> failed++;
                default -> throw new IllegalStateException("unknown status " + result.getStatus());
            }
            String word = switch (result.getStatus()) {
                case SUCCESSFUL -> "ok";
                case ABORTED -> "skip";
                default -> "FAIL";
            };
            print(word, test, problem);
        }

        @Override
        public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
            entry.getKeyValuePairs().forEach((key, value) -> System.out.println("     " + key + ": " + oneLine(value)));
        }

        private void print(String word, TestIdentifier test, String more) {
            double seconds = (System.nanoTime() - begun.getOrDefault(test.getUniqueId(), System.nanoTime())) / 1e9;
            String line = String.format(Locale.ROOT, "%-4s %s (%.2f s)", word, name(test), seconds);
            System.out.println(more.isEmpty() ? line : line + ": " + more);
        }

        /** Class, method and case. */
        private String name(TestIdentifier test) {
            StringBuilder name = new StringBuilder(test.getDisplayName());
            for (TestIdentifier above = test; plan.getParent(above).isPresent(); ) {
                above = plan.getParent(above).get();
                if (plan.getParent(above).isPresent()) {
                    name.insert(0, above.getDisplayName() + " > ");
                }
            }
            return oneLine(name.toString());
        }

        String summary() {
            return passed + " passed, " + failed + " failed, " + skipped + " skipped";
        }
    }

    private static String message(Throwable problem) {
        String text = oneLine(problem.getClass().getSimpleName() + ": " + problem.getMessage());
        return text.length() <= MESSAGE ? text : text.substring(0, MESSAGE) + " ...";
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
