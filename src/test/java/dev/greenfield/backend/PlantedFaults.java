package dev.greenfield.backend;

import dev.greenfield.backend.cuda.CudaBackend;
import dev.greenfield.model.Precision;
import java.nio.charset.StandardCharsets;
import jcuda.Pointer;
import jcuda.Sizeof;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/**
 * Shows that compute-sanitizer watches what it is told to watch: launches kernels that are wrong on purpose, one for each name given.
 * Each of 61 threads writes its own number to one word of shared memory, which racecheck has to report, and one of them writes a word past
 * the end of an allocation of 61, which memcheck has to report. Past the end of 64 may begin the next allocation. A filter of kernels that lets these pass unseen lets all pass.
 */
public final class PlantedFaults {
    private static final int WORDS = 61;

    private PlantedFaults() {}

    public static void main(String[] names) {
        JCudaDriver.setExceptionsEnabled(true);
        try (CudaBackend backend = CudaBackend.open(Precision.FP32)) {
            CUdevice device = new CUdevice();
            JCudaDriver.cuDeviceGet(device, 0);
            CUcontext context = new CUcontext();
            JCudaDriver.cuDevicePrimaryCtxRetain(context, device);
            JCudaDriver.cuCtxSetCurrent(context);
            for (String name : names) {
                System.out.println("case planted in " + name + " on " + backend.device());
                launch(name);
            }
        }
    }

    private static void launch(String name) {
        CUmodule module = new CUmodule();
        JCudaDriver.cuModuleLoadData(module, (ptx(name) + "\0").getBytes(StandardCharsets.US_ASCII));
        CUfunction kernel = new CUfunction();
        JCudaDriver.cuModuleGetFunction(kernel, module, name);
        CUdeviceptr words = new CUdeviceptr();
        JCudaDriver.cuMemAlloc(words, WORDS * Sizeof.INT);
        JCudaDriver.cuLaunchKernel(kernel, 1, 1, 1, WORDS, 1, 1, 0, null, Pointer.to(Pointer.to(words)), null);
        JCudaDriver.cuCtxSynchronize();
        JCudaDriver.cuMemFree(words);
    }

    /** Assembly, since the kernels that ship have no faults to plant. */
    private static String ptx(String name) {
        return String.join(
                "\n",
                ".version 7.0",
                ".target sm_80",
                ".address_size 64",
                ".visible .entry " + name + "(.param .u64 words) {",
                "  .reg .b32 %r<3>;",
                "  .reg .b64 %rd<4>;",
                "  .shared .align 4 .b32 one;",
                "  ld.param.u64 %rd1, [words];",
                "  cvta.to.global.u64 %rd1, %rd1;",
                "  mov.u32 %r1, %tid.x;",
                "  st.shared.u32 [one], %r1;",
                "  ld.shared.u32 %r2, [one];",
                "  mul.wide.u32 %rd2, %r1, 4;",
                "  add.u64 %rd3, %rd1, %rd2;",
                "  st.global.u32 [%rd3+4], %r2;",
                "  ret;",
                "}");
    }
}
