package dev.greenfield;

import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.MemoryBudget;
import dev.greenfield.engine.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The runs of one model that are open. They close with it. */
final class OpenRuns implements AutoCloseable {
    private final DeviceModel device;
    private final MemoryBudget budget;
    private final List<Scope> open = new ArrayList<>();
    private boolean closed;

    OpenRuns(DeviceModel device, MemoryBudget budget) {
        this.device = device;
        this.budget = budget;
    }

    /** A run over so many tokens, if the model is open and it fits the memory budget. */
    Scope add(int tokens, Supplier<Linearization> linearization) {
        if (closed) {
            throw new IllegalStateException("the model is closed: open it again to run it");
        }
        budget.requireRun(device, tokens);
        Scope scope = new Scope(linearization.get(), budget);
        open.add(scope);
        return scope;
    }

    void close(Scope scope) {
        scope.close();
        open.remove(scope);
    }

    @Override
    public void close() {
        closed = true;
        for (Scope scope : new ArrayList<>(open)) {
            close(scope);
        }
    }
}
