package dev.greenfield;

import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.MemoryBudget;
import dev.greenfield.engine.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/** The runs of one model that are open. They close with it. Runs may begin and end on any threads. */
final class OpenRuns implements AutoCloseable {
    private final DeviceModel device;
    private final MemoryBudget budget;
    private final List<Scope> open = new ArrayList<>();
    private final ReadWriteLock life =
            new ReentrantReadWriteLock(); // read by runs that begin, written by the model's end
    private boolean closed;

    private final List<OpenRuns> elsewhere; // of the same model on other devices

    OpenRuns(DeviceModel device, MemoryBudget budget, List<OpenRuns> elsewhere) {
        this.device = device;
        this.budget = budget;
        this.elsewhere = List.copyOf(elsewhere);
    }

    /** What makes the same run on each other device; whoever makes one closes it. */
    List<Supplier<Scope>> copies(Scope scope) {
        return elsewhere.stream()
                .<Supplier<Scope>>map(there -> () -> {
                    there.budget.requireRun(there.device, scope.length());
                    return new Scope(scope.run().on(there.device), there.budget);
                })
                .toList();
    }

    /** A run over so many tokens, if the model is open and it fits the memory budget. */
    Scope add(int tokens, Supplier<Linearization> linearization) {
        life.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("the model is closed: open it again to run it");
            }
            budget.requireRun(device, tokens);
            Scope scope = new Scope(linearization.get(), budget);
            synchronized (open) {
                open.add(scope);
            }
            return scope;
        } finally {
            life.readLock().unlock();
        }
    }

    void close(Scope scope) {
        scope.close();
        synchronized (open) {
            open.remove(scope);
        }
    }

    /** Waits for runs that begin; later ones are refused. */
    @Override
    public void close() {
        List<Scope> left;
        life.writeLock().lock();
        try {
            closed = true;
            synchronized (open) {
                left = List.copyOf(open);
            }
        } finally {
            life.writeLock().unlock();
        }
        left.forEach(this::close);
    }
}
