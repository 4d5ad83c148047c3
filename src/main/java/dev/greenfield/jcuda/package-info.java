/**
 * How JCuda's native halves and the library that forwards cuBLAS 12 to 13 leave the jar that carries them. Together with
 * {@code jcuda.LibUtilsCuda} this package is all of ours in the artifact of classifier {@code cuda}, beside the classes of
 * JCuda and JCublas: package {@code jcuda} then has one owner, as the module path demands. Internal, and used by the cuda
 * backend only; it uses nothing of Greenfield, so that the artifact stands below the library.
 */
package dev.greenfield.jcuda;
