/**
 * The float32 backend that needs no set-up: matrix products by OpenBLAS where its library loads and by plain Java elsewhere,
 * everything else in Java on all cores. Numbers live in native memory so that OpenBLAS reads them in place; Java code works
 * on them in tiles copied to small arrays that stay in cache, because loops over arrays are what the compiler vectorizes.
 */
package dev.greenfield.backend.cpu;
