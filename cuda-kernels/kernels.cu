// All kernels, as one translation unit: nvcc builds it to the fatbin, a host compiler to the stand-in.
#include "activation.cu"
#include "embedding.cu"
#include "inject.cu"
#include "layernorm.cu"
#include "reductions.cu"
#include "residual.cu"
#include "rows.cu"
#if __has_include("attention.cu")
#include "attention.cu"
#endif
#if __has_include("attention_tangent.cu")
#include "attention_tangent.cu"
#endif
#if __has_include("attention_adjoint.cu")
#include "attention_adjoint.cu"
#endif
