package dev.greenfield.backend;

import dev.greenfield.backend.cpu.CpuBackend;
import dev.greenfield.backend.reference.Arithmetic;
import dev.greenfield.backend.reference.ReferenceBackend;
import java.util.List;
import java.util.function.Supplier;

/** The backends that every test of operations runs on. A new backend is one line here. */
public enum Backends {
    REFERENCE(ReferenceBackend::new),
    CPU(() -> CpuBackend.open(2)),
    CPU_ONE_THREAD(() -> CpuBackend.open(1)),
    CPU_WITHOUT_LIBRARIES(() -> CpuBackend.withoutLibraries(2));

    private final Supplier<Backend> opener;

    Backends(Supplier<Backend> opener) {
        this.opener = opener;
    }

    /** A new backend of this kind. */
    public Backend open() {
        return opener.get();
    }

    /** All but the oracle. */
    public static List<Backends> tested() {
        return List.of(values()).subList(1, values().length);
    }

    /** The oracle's loops, each operation rounded to float32: its error is the yardstick for float32 backends. */
    public static Backend single() {
        return new ReferenceBackend(Arithmetic.SINGLE);
    }
}
