package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.Remedy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * One GPU: its primary context and our module of kernels, shared by all backends of the process that use it. Both stay until the
 * process ends: the context and the loading of the kernels cost more than many a run, and whatever else works in the primary
 * context loses all that it has there when the last holder lets go.
 */
final class CudaDevice {
    /** Which GPU to use where nobody says, counted as the driver does; 0 when not set. CUDA_VISIBLE_DEVICES comes first. */
    static final String NUMBER = "greenfield.cuda.device";

    private static final int LEAST_MAJOR = 8;

    private static final Map<Integer, CudaDevice> OPEN = new HashMap<>();

    private final CUdevice handle;
    private final String name;
    private final int major;
    private final int minor;
    private final CUcontext context = new CUcontext();
    private final CUmodule module = new CUmodule();
    private final Map<String, CUfunction> functions = new HashMap<>();
    private final Map<String, Integer> sharedBytes = new HashMap<>();

    private CudaDevice(int number, CUdevice handle) {
        this.handle = handle;
        byte[] text = new byte[256];
        Cuda.check(JCudaDriver.cuDeviceGetName(text, text.length, handle), "reading the name of GPU " + number);
        this.name = new String(text, StandardCharsets.UTF_8).trim().replace("\0", "");
        this.major = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
        this.minor = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    }

    /** The GPU that is used where nobody names one. */
    static CudaDevice shared() {
        return shared(byDefault());
    }

    /** A GPU, ready, the same one for all who ask for that number. */
    static synchronized CudaDevice shared(int number) {
        CudaDevice device = OPEN.get(number);
        if (device == null) {
            device = find(number);
            device.start();
            OPEN.put(number, device);
        }
        return device;
    }

    /** The number of the GPU that is used where nobody names one. */
    static int byDefault() {
        String text = System.getProperty(NUMBER, "0");
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new BackendException(
                    "-D" + NUMBER + "=" + text + ": expected the number of a GPU, 0 for the first", e);
        }
    }

    /** How many GPUs the driver shows. */
    static int count() {
        CudaLibraries.load();
        Cuda.check(JCudaDriver.cuInit(0), "starting the CUDA driver");
        int[] count = {0};
        Cuda.check(JCudaDriver.cuDeviceGetCount(count), "counting GPUs");
        return count[0];
    }

    /** What each GPU is, by its number, opened or not. */
    static List<String> all() {
        return IntStream.range(0, count())
                .mapToObj(number -> {
                    CUdevice handle = new CUdevice();
                    Cuda.check(JCudaDriver.cuDeviceGet(handle, number), "opening GPU " + number);
                    return number + " " + new CudaDevice(number, handle).description();
                })
                .toList();
    }

    private static CudaDevice find(int number) {
        int count = count();
        if (number < 0 || number >= count) {
            throw new BackendException(
                    "found " + count + (count == 1 ? " GPU" : " GPUs") + ", expected one with number " + number,
                    Remedy.CHOOSE_DEVICES + ", check -D" + NUMBER + " and CUDA_VISIBLE_DEVICES, or " + Remedy.USE_CPU);
        }
        CUdevice handle = new CUdevice();
        Cuda.check(JCudaDriver.cuDeviceGet(handle, number), "opening GPU " + number);
        CudaDevice device = new CudaDevice(number, handle);
        if (device.major < LEAST_MAJOR) {
            throw new BackendException(
                    device.name + " has compute capability " + device.capability() + ", the kernels need at least "
                            + LEAST_MAJOR + ".0",
                    Remedy.USE_CPU.phrase());
        }
        return device;
    }

    private void start() {
        Cuda.check(JCudaDriver.cuDevicePrimaryCtxRetain(context, handle), "opening a context on " + name);
        try {
            enter();
            byte[] code = KernelImage.read().code();
            ByteBuffer image = ByteBuffer.allocateDirect(code.length).put(code).rewind();
            Cuda.check(
                    JCudaDriver.cuModuleLoadDataEx(module, Pointer.to(image), 0, new int[0], Pointer.to(new long[1])),
                    "loading the kernels onto " + description());
        } catch (RuntimeException | Error e) {
            JCudaDriver.cuDevicePrimaryCtxRelease(handle);
            throw e;
        }
    }

    /** Makes this device's context the calling thread's. Every entry from outside begins with it. */
    void enter() {
        Cuda.check(JCudaDriver.cuCtxSetCurrent(context), "entering the context of " + name);
    }

    /** This device, in the context of the calling thread. */
    CudaDevice entered() {
        enter();
        return this;
    }

    /** A kernel by name. */
    synchronized CUfunction function(String kernel) {
        CUfunction function = functions.get(kernel);
        if (function == null) {
            function = new CUfunction();
            int result = JCudaDriver.cuModuleGetFunction(function, module, kernel);
            if (result == CUresult.CUDA_ERROR_NOT_FOUND) {
                throw new BackendException("the kernels in this jar have no '" + kernel
                        + "': jar and kernels are of different versions; build again");
            }
            Cuda.check(result, "looking up the kernel '" + kernel + "'");
            functions.put(kernel, function);
        }
        return function;
    }

    /** Lets a kernel have this much dynamic shared memory, or more when it was let have more before: all backends share it. */
    synchronized void allowShared(String kernel, int bytes) {
        if (bytes > sharedBytes.getOrDefault(kernel, 0)) {
            Cuda.check(
                    JCudaDriver.cuFuncSetAttribute(
                            function(kernel),
                            CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                            bytes),
                    kernel + " with " + bytes + " bytes of shared memory");
            sharedBytes.put(kernel, bytes);
        }
    }

    /** Shared memory that a block may have when it is asked for. */
    int mostSharedBytes() {
        return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    }

    /** A property of the device, by its CU_DEVICE_ATTRIBUTE number. */
    private int attribute(int which) {
        int[] value = {0};
        Cuda.check(
                JCudaDriver.cuDeviceGetAttribute(value, which, handle), "asking " + name + " for attribute " + which);
        return value[0];
    }

    /** Bytes of memory, all of it. */
    long totalBytes() {
        long[] bytes = {0};
        Cuda.check(JCudaDriver.cuDeviceTotalMem(bytes, handle), "asking " + name + " for its memory");
        return bytes[0];
    }

    /** The driver's name for the device. */
    CUdevice handle() {
        return handle;
    }

    private String capability() {
        return major + "." + minor;
    }

    /** What CUDA the driver is for, such as 13.0. */
    static String driverVersion() {
        int[] version = {0};
        Cuda.check(JCudaDriver.cuDriverGetVersion(version), "asking the driver for its version");
        return version[0] / 1000 + "." + version[0] % 1000 / 10;
    }

    /** Name, compute capability and memory. */
    String description() {
        return name + ", compute capability " + capability() + ", " + (totalBytes() >> 20) + " MiB";
    }
}
