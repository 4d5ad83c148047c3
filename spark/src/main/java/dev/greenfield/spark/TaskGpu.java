package dev.greenfield.spark;

import dev.greenfield.Options;
import dev.greenfield.failure.InputException;
import java.util.Arrays;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The GPU that Spark's resource scheduling has given to a task. */
final class TaskGpu {
    /** What Spark calls the resource: {@code spark.task.resource.gpu.amount}. */
    static final String RESOURCE = "gpu";

    private TaskGpu() {}

    /**
     * Its address, as the discovery script gave it; empty where tasks ask for no GPU, or there is no task.
     *
     * @throws InputException if the task has several, or the address is no number
     */
    static String address() {
        TaskContext task = TaskContext.get();
        ResourceInformation gpus = task == null ? null : task.resourcesJMap().get(RESOURCE);
        return gpus == null ? "" : checked(gpus.addresses());
    }

    static String checked(String[] addresses) {
        if (addresses.length != 1) {
            throw new InputException("found " + addresses.length + " GPUs of a task " + Arrays.toString(addresses)
                    + ", expected one: set spark.task.resource.gpu.amount=1");
        }
        if (!addresses[0].matches("\\d{1,4}")) {
            throw new InputException("found the GPU address '" + addresses[0]
                    + "', expected a number such as 0: let the discovery script print numbers");
        }
        return addresses[0];
    }

    /** A model's options on that GPU; as they were where tasks ask for no GPU, or the model is for another backend. */
    static Options on(String address, Options options) {
        boolean cuda = options.backend().equals("auto") || options.backend().equals("cuda");
        return address.isEmpty() || !cuda ? options : options.devices(Integer.parseInt(address));
    }
}
