package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.failure.Remedy;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasStatus;

/** Turns status codes into messages that say which operation failed, on what, and what CUDA calls it. */
final class Cuda {
    private static volatile String guilty;
    private static volatile Object last; // launch or product, for messages

    private Cuda() {}

    /** Remembers what the device failed in, when that is known: every later call fails too, and its message tells of it. */
    static void failedIn(String work) {
        if (guilty == null) {
            guilty = work;
        }
    }

    /** Remembers what was queued last: whatever is asked next may be told of its failure. */
    static void queued(Object work) {
        last = work;
    }

    /** What a failure that comes out now was caused by, as far as that is known. */
    private static String cause(String what, boolean broken) {
        if (guilty != null) {
            return guilty.equals(what) ? "" : ", after the device failed in " + guilty;
        }
        return broken
                ? ": the device failed in some launch before, which -D" + DebugMode.PROPERTY
                        + "=true would name; the last was " + (last == null ? "no kernel" : last)
                : "";
    }

    /** Whether the device refuses everything from such an error on: it is then told by whatever call comes next. */
    static boolean broken(int result) {
        return switch (result) {
            case CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
                    CUresult.CUDA_ERROR_LAUNCH_FAILED,
                    CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
                    CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
                    CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
                    CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
                    CUresult.CUDA_ERROR_INVALID_PC,
                    CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
                    CUresult.CUDA_ERROR_ASSERT,
                    CUresult.CUDA_ERROR_ECC_UNCORRECTABLE -> true;
            default -> false;
        };
    }

    /** Passes when {@code result} is success, throws otherwise. {@code what} names operation and shapes. */
    static void check(int result, String what) {
        if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
            throw new DeviceMemoryException(what + ": the GPU is out of memory");
        }
        if (result != CUresult.CUDA_SUCCESS) {
            throw new BackendException(what + ": " + describe(result) + cause(what, broken(result)) + advice(result));
        }
    }

    /** CUDA's name for an error and its own explanation. */
    static String describe(int result) {
        String[] name = {null};
        String[] text = {null};
        JCudaDriver.cuGetErrorName(result, name);
        JCudaDriver.cuGetErrorString(result, text);
        return (name[0] == null ? "CUDA error " + result : name[0]) + (text[0] == null ? "" : " (" + text[0] + ")");
    }

    private static String advice(int result) {
        return switch (result) {
            case CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,
                    CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
                    CUresult.CUDA_ERROR_INVALID_PTX ->
                "; the kernels in this jar do not fit this GPU or driver: update the driver, or " + Remedy.USE_CPU;
            case CUresult.CUDA_ERROR_LAUNCH_TIMEOUT ->
                "; a display shares this GPU and its watchdog stopped the kernel: " + Remedy.LOWER_MEMORY
                        + " for smaller batches";
            default ->
                broken(result)
                        ? "; the device can no longer be used by this process: start again, and report this with the"
                                + " shapes above"
                        : "; " + Remedy.SURVEY_BACKENDS + ", or " + Remedy.USE_CPU;
        };
    }

    /** Passes when a cuBLAS status is success, throws otherwise. */
    static void checkBlas(int status, String what) {
        if (status == cublasStatus.CUBLAS_STATUS_ALLOC_FAILED) {
            throw new DeviceMemoryException(what + ": the GPU is out of memory");
        }
        if (status != 0) {
            throw new BackendException(what + ": " + JCublas2.cublasGetStatusName(status) + " from cuBLAS"
                    + cause(what, status == cublasStatus.CUBLAS_STATUS_EXECUTION_FAILED)
                    + "; " + Remedy.SURVEY_BACKENDS + ", or " + Remedy.USE_CPU);
        }
    }
}
