package dev.greenfield.spark;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models that a Java process holds from task to task: one a device, known by the digest of its weights and its options. One task at
 * a time computes on a device, so that each has the whole memory budget and cuts its batches as it would alone.
 */
final class HeldModel {
    private static final Logger LOG = LoggerFactory.getLogger(HeldModel.class);
    private static final Map<String, HeldModel> DEVICES = new ConcurrentHashMap<>();

    private final ReentrantLock use = new ReentrantLock(true);
    private final String gpu; // its address, empty for none
    private Model model; // these three are guarded by use
    private ModelSpec spec;
    private String sha256;

    private HeldModel(String gpu) {
        this.gpu = gpu;
    }

    /** What a task does with the model. */
    interface Work<T> {
        T with(Model model) throws IOException;
    }

    /**
     * Does a task's work on the model of its device, which is opened if need be; another model there is closed first.
     *
     * @param sha256 of the weights that the driver has seen
     * @throws InputException if this machine has other weights under that name
     * @throws CancelledException if the task was killed while it waited
     */
    static <T> T use(ModelSpec spec, String sha256, Work<T> work) throws IOException {
        HeldModel device = DEVICES.computeIfAbsent(TaskGpu.address(), HeldModel::new);
        try {
            device.use.lockInterruptibly();
        } catch (InterruptedException killed) {
            Thread.currentThread().interrupt();
            throw new CancelledException("the thread was interrupted: it no longer waits for the model", killed);
        }
        try {
            return work.with(device.open(spec, sha256));
        } catch (BackendException broken) {
            // A device that failed once may fail for good: the next attempt opens it anew.
            device.drop();
            throw broken;
        } finally {
            device.use.unlock();
        }
    }

    private Model open(ModelSpec wanted, String digest) throws IOException {
        if (model != null && digest.equals(sha256) && wanted.options().equals(spec.options())) {
            return model;
        }
        drop();
        model = Greenfield.load(wanted.spec(), TaskGpu.on(gpu, wanted.options()));
        try {
            String found = model.source().sha256();
            if (!found.equals(digest)) {
                throw new InputException("model " + wanted.spec() + " on machine " + host()
                        + ": found weights of SHA-256 " + found + ", expected " + digest
                        + ", those of the driver: put the same files on every machine");
            }
        } catch (RuntimeException | Error failure) {
            drop();
            throw failure;
        }
        spec = wanted;
        sha256 = digest;
        LOG.info("{}: {}", wanted.spec(), model.backend().reason());
        return model;
    }

    private void drop() {
        Model old = model;
        model = null;
        if (old != null) {
            old.close();
        }
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException nameless) {
            return "without a name (" + nameless.getMessage() + ")";
        }
    }
}
