package dev.greenfield.testing;

import dev.greenfield.backend.Backend;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.MemoryBudget;
import dev.greenfield.engine.Scope;

/** Scopes for tests of what computes on a run. */
public final class Scopes {
    private Scopes() {}

    /** A scope of a run that leaves so many bytes free beside what the backend holds now. */
    public static Scope within(Linearization run, long freeBytes) {
        Backend backend = run.model().backend();
        return new Scope(run, new MemoryBudget(backend, backend.ledger().bytes() + freeBytes));
    }
}
