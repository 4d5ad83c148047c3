package dev.greenfield;

import dev.greenfield.backend.Backend;
import dev.greenfield.model.Precision;

/** A backend as the library picks it, for benchmarks of what it does. Here because the library does not hand its backends out. */
public final class OpenBackend {
    private OpenBackend() {}

    /** Opens it: name and precision as {@link Options} take them, on all processors; the caller's to close. */
    public static Backend of(String name, Precision precision) {
        return BackendChoice.open(name, precision, 0).backend();
    }
}
