package dev.greenfield.cli;

import dev.greenfield.BackendChoice;
import dev.greenfield.Greenfield;
import dev.greenfield.backend.cuda.CudaSurvey;
import dev.greenfield.cli.io.RemedyOptions;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.hub.Hub;
import dev.greenfield.model.TokenizerSurvey;
import java.nio.file.Files;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What this machine can run, and why not the rest: what a report of a bug begins with. */
@Command(sortOptions = false)
final class DoctorCommand implements Action {
    @Mixin
    private final GeneralOptions general = new GeneralOptions();

    @Override
    public GeneralOptions general() {
        return general;
    }

    @Override
    public void run(Terminal terminal) {
        terminal.line("greenfield  " + Greenfield.version());
        terminal.line("program     " + Surroundings.program());
        terminal.line("java        " + Surroundings.java());
        for (String line : lines(Surroundings::options)) {
            terminal.line("java        " + line);
        }
        terminal.line("system      " + Surroundings.system());
        terminal.line("processors  " + Surroundings.processors());
        terminal.line("memory      " + Surroundings.memory());
        terminal.line("locale      " + Surroundings.locale());
        terminal.line("terminal    " + terminal.screen());
        for (String line : Surroundings.environment(System.getenv())) {
            terminal.line("variable    " + line);
        }
        for (String line : lines(BackendChoice::survey)) {
            terminal.line("backend     " + RemedyOptions.in(line));
        }
        terminal.line("weights     " + RemedyOptions.in(BackendChoice.weightsSurvey()));
        if (general.verbose) {
            for (String line : lines(CudaSurvey::tuning)) {
                terminal.line("cuda        " + line);
            }
        }
        for (String line : lines(() -> List.of(hub(Hub.ofEnvironment())))) {
            terminal.line("hub         " + line);
        }
        for (String line : lines(TokenizerSurvey::lines)) {
            terminal.line("tokenizer   " + line);
        }
    }

    private static String hub(Hub hub) {
        return "models in " + hub.cache() + (Files.isDirectory(hub.cache()) ? "" : " (not there)") + ", fetched from "
                + (hub.offline() ? "nowhere: HF_HUB_OFFLINE is set" : hub.endpoint());
    }

    /** What a part of the survey says; why it does not, where it fails: the rest is all the more wanted then. */
    private static List<String> lines(Supplier<List<String>> survey) {
        try {
            return survey.get();
        } catch (RuntimeException | LinkageError failed) {
            return List.of("cannot be asked: " + failed);
        }
    }
}
