package dev.greenfield.study;

/** What a study is about. */
public enum Claim {
    /** Localized interventions have a bounded local linear regime. */
    E1("E1", "Linear regime", "Localized interventions have a bounded local linear regime."),
    /** First-order sensitivities predict the effects of interventions. */
    E2("E2", "Prediction", "First-order sensitivities predict the effects of patches across depths and tokens."),
    /** Localized sources spread in a structured way. */
    E3("E3", "Propagation", "Localized sources spread in a structured, anisotropic way over depth and tokens."),
    /** Few sites and few directions describe the response. */
    E4("E4", "Reduced descriptions", "Sites of high sensitivity and sliced Green operators give reduced descriptions."),
    /** Displacements of prompts transfer answers. */
    E5("E5", "Displacement transfer", "Displacements between prompts transfer answers, in part."),
    /** Sources are inferred from what they do. */
    INFERENCE("inference", "Inference", "Sources that do what is wished, or did what is seen, can be inferred."),
    /** The tokens that a task hangs on are those that F is sensitive to. */
    MECHANISMS("mechanisms", "Mechanisms", "Sensitivity points at the tokens that the task of a prompt hangs on."),
    /** What holds in one model holds in another. */
    SCALE(
            "scale",
            "Two models",
            "Sensitivities, responses, sites and directions agree between models of different size.");

    private final String id;
    private final String title;
    private final String statement;

    Claim(String id, String title, String statement) {
        this.id = id;
        this.title = title;
        this.statement = statement;
    }

    /** As in results. */
    public String id() {
        return id;
    }

    /** A heading. */
    public String title() {
        return title;
    }

    /** The claim in a sentence. */
    public String statement() {
        return statement;
    }
}
