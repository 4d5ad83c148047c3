/**
 * The backend for NVIDIA GPUs: our kernels (folder {@code cuda-kernels}) launched through JCuda's driver API, matrix products by
 * cuBLAS through JCublas. {@link dev.greenfield.backend.cuda.CudaLibraries} finds and loads native libraries,
 * {@link dev.greenfield.backend.cuda.CudaDevice} holds what all backends on one GPU share (context, module), and
 * {@link dev.greenfield.backend.cuda.CudaBackend} what each has for itself: one stream, on which everything runs in order,
 * its memory, its cuBLAS handle. No mathematics here: that is in the kernels.
 */
package dev.greenfield.backend.cuda;
