package dev.greenfield.hub;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.io.IOException;

/** What it means when the hub refuses, in one line: its statuses say little, a header of it says more. */
final class HubRefusal {
    private static final String NEW_TOKEN = "a token (HF_TOKEN, or huggingface-cli login)";

    private HubRefusal() {}

    /**
     * Does nothing where the hub gave what was asked for.
     *
     * @param file what was asked for; null for the listing of the model
     * @throws InputException if it refused
     */
    static void check(HubClient.Answer answer, HubName name, String file, HubClient client) throws IOException {
        int status = answer.status();
        if (status == 200 || status == 206) {
            return;
        }
        if (answer.other() != null) {
            throw new InputException(answer.other() + ": found HTTP " + status + " where the hub says that "
                    + (file == null ? name : name + "'s " + file)
                    + " is, expected it; fetch again, and see whether this machine may use that server");
        }
        String code = answer.headers().get("x-error-code").orElse("");
        String found = "HTTP " + status + (code.isEmpty() ? "" : " " + Lines.one(code));
        switch (status) {
            case 401 -> throw unknown(name, found, code, client);
            case 403 -> throw forbidden(name, found, client);
            case 404 -> throw missing(name, file, found, code, client);
            case 407 ->
                throw new InputException(client.page(name) + ": found " + found
                        + ", a proxy that asks for a name and a password, expected one that does not;"
                        + " name another in https_proxy, or fetch the model with huggingface-cli");
            default ->
                throw new InputException(client.page(name) + ": found " + found
                        + ", expected what a hub answers; see whether HF_ENDPOINT is a hub");
        }
    }

    /** The hub hides what it does not show: it does not say whether there is such a model. */
    private static InputException unknown(HubName name, String found, String code, HubClient client) {
        if (client.withholdsToken()) {
            return new InputException(client.page(name) + ": found " + found
                    + " to a request without a token, since yours is not sent where others could read it; give HF_ENDPOINT an"
                    + " address that begins with https");
        }
        if (client.sendsToken()) {
            return new InputException(client.page(name) + ": found " + found
                    + ", the token that is set here is not valid or may not read this model; get " + NEW_TOKEN
                    + " that may, or correct the name");
        }
        if (code.equals("GatedRepo")) {
            return new InputException(client.page(name) + ": found " + found
                    + ", a model for those who accept its terms; accept them on that page, and set "
                    + NEW_TOKEN);
        }
        return new InputException(client.page(name) + ": found " + found
                + ", which is no public model; correct the name, or set " + NEW_TOKEN
                + " that may read a private one");
    }

    private static InputException forbidden(HubName name, String found, HubClient client) {
        return new InputException(client.page(name) + ": found " + found
                + ", the owner of the model has not let you in; accept the terms on that page with the account of your token, "
                + (client.sendsToken() ? "or set another one" : "and set " + NEW_TOKEN));
    }

    private static InputException missing(HubName name, String file, String found, String code, HubClient client) {
        if (file != null) {
            return new InputException(client.page(name) + ": found " + found + " for the file " + Lines.quoted(file)
                    + ", which the listing has; try again later");
        }
        if (code.equals("RevisionNotFound")) {
            return new InputException(client.page(name) + ": found no revision " + Lines.quoted(name.revision()) + " ("
                    + found + "), expected a branch, a tag or a commit of it; correct what follows the @");
        }
        return new InputException(client.page(name) + ": found " + found
                + ", there is no such model or no such revision; correct the name");
    }
}
