// The hidden layer of a gated MLP, act(g) u with gates g and values u side by side in a row of 2F, its tangent, adjoint and curvature.
// A thread has the same columns of both halves.
#include "activation.cuh"

namespace {

// Whether the halves of the rows of [R, 2F] matrices can be read in 16-byte accesses.
__device__ __forceinline__ bool halves_aligned(const float* matrix, int stride, int half) {
  return half % QUAD == 0 && rows_aligned(matrix, stride);
}

template <int KIND, bool KEEP>
__device__ __forceinline__ void gate_rows(
    float* x, int x_stride, const float* bias, float* factors, int factors_stride, int rows, int half) {
  constexpr int SLOTS = 2;
  const int column = element_column();
  if (column >= half) return;
  const bool whole = halves_aligned(x, x_stride, half) && rows_aligned(bias, 0) && (!KEEP || halves_aligned(factors, factors_stride, half));
  known(whole, [&](auto aligned) {
    const Quad gate_bias = load_quad(aligned, bias, column, half), value_bias = load_quad(aligned, bias + half, column, half);
    Quad gate[SLOTS], value[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          gate[k] = load_quad(aligned, x + row * x_stride, column, half);
          value[k] = load_quad(aligned, x + row * x_stride + half, column, half);
        },
        [&](long long row, int k) {
          Quad slope, product;
#pragma unroll
          for (int j = 0; j < QUAD; j++) {
            const float u = value[k].v[j] + value_bias.v[j];
            gate[k].v[j] = activate<KIND, KEEP>(gate[k].v[j] + gate_bias.v[j], slope.v[j]);
            product.v[j] = gate[k].v[j] * u;
            if (KEEP) slope.v[j] *= u;
          }
          store_quad(aligned, product, x + row * x_stride, column, half);
          if (KEEP) {
            store_quad(aligned, slope, factors + row * factors_stride, column, half);
            store_quad(aligned, gate[k], factors + row * factors_stride + half, column, half);
          }
        });
  });
}

}  // namespace

// h = act(g + bias) (u + bias) into the first F columns, and act'(g) u and act(g) where they are wanted.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) gate(
    int kind,
    float* __restrict__ x,  // [R, 2F]
    int x_stride,
    const float* __restrict__ bias,  // [2F]
    float* __restrict__ factors,  // [R, 2F] or null
    int factors_stride,
    int rows,
    int half) {  // F
  known_activation(kind, [&](auto known_kind) {
    known(factors != nullptr, [&](auto keep) {
      gate_rows<decltype(known_kind)::value, decltype(keep)::value>(x, x_stride, bias, factors, factors_stride, rows, half);
    });
  });
}
REGISTER_KERNEL(gate)

// dh = act'(g) u dg + act(g) du with the factors of the row's token; dh may be the first F columns of dx.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) gate_tangent(
    const float* dx,  // [R, 2F]
    int dx_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ factors,  // [T, 2F]
    int factors_stride,
    float* dh,  // [R, F]
    int dh_stride,
    int rows,
    int half) {  // F
  constexpr int SLOTS = 2;
  const int column = element_column();
  if (column >= half) return;
  const bool whole = halves_aligned(dx, dx_stride, half) && halves_aligned(factors, factors_stride, half) && rows_aligned(dh, dh_stride);
  known(whole, [&](auto aligned) {
    Quad gate[SLOTS], value[SLOTS], of_gate[SLOTS], of_value[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          const float *x = dx + row * dx_stride, *f = factors + (long long)token_of[row] * factors_stride;
          gate[k] = load_quad(aligned, x, column, half), value[k] = load_quad(aligned, x + half, column, half);
          of_gate[k] = load_quad(aligned, f, column, half), of_value[k] = load_quad(aligned, f + half, column, half);
        },
        [&](long long row, int k) {
          Quad sum;
#pragma unroll
          for (int j = 0; j < QUAD; j++) sum.v[j] = fmaf(of_gate[k].v[j], gate[k].v[j], of_value[k].v[j] * value[k].v[j]);
          store_quad(aligned, sum, dh + row * dh_stride, column, half);
        });
  });
}
REGISTER_KERNEL(gate_tangent)

// dg = act'(g) u dh and du = act(g) dh with the factors of the row's token; dh may be the first F columns of dx.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) gate_adjoint(
    const float* dh,  // [R, F]
    int dh_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ factors,  // [T, 2F]
    int factors_stride,
    float* dx,  // [R, 2F]
    int dx_stride,
    int rows,
    int half) {  // F
  constexpr int SLOTS = 2;
  const int column = element_column();
  if (column >= half) return;
  const bool whole = halves_aligned(dx, dx_stride, half) && halves_aligned(factors, factors_stride, half) && rows_aligned(dh, dh_stride);
  known(whole, [&](auto aligned) {
    Quad back[SLOTS], of_gate[SLOTS], of_value[SLOTS];
    each_row<SLOTS>(
        rows,
        [&](long long row, int k) {
          const float* f = factors + (long long)token_of[row] * factors_stride;
          back[k] = load_quad(aligned, dh + row * dh_stride, column, half);
          of_gate[k] = load_quad(aligned, f, column, half), of_value[k] = load_quad(aligned, f + half, column, half);
        },
        [&](long long row, int k) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) of_gate[k].v[j] *= back[k].v[j], of_value[k].v[j] *= back[k].v[j];
          store_quad(aligned, of_gate[k], dx + row * dx_stride, column, half);
          store_quad(aligned, of_value[k], dx + row * dx_stride + half, column, half);
        });
  });
}
REGISTER_KERNEL(gate_adjoint)

// In place, act''(g) u and act'(g) side by side. One row a token of a run: few rows, so that accesses are guarded whatever the alignment.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) gate_second_derivative(
    int kind,
    float* __restrict__ x,  // [R, 2F]
    int x_stride,
    const float* __restrict__ bias,  // [2F]
    int rows,
    int half) {  // F
  const int column = element_column();
  if (column >= half) return;
  const Known<false> guarded;
  known_activation(kind, [&](auto known_kind) {
    constexpr int KIND = decltype(known_kind)::value;
    Quad gate, value;
    each_row<1>(
        rows,
        [&](long long row, int) {
          gate = load_quad(guarded, x + row * x_stride, column, half);
          value = load_quad(guarded, x + row * x_stride + half, column, half);
        },
        [&](long long row, int) {
          Quad bend, slope;
#pragma unroll
          for (int j = 0; j < QUAD; j++) {
            if (column + j >= half) break;
            const float g = gate.v[j] + bias[column + j];
            bend.v[j] = second_derivative<KIND>(g) * (value.v[j] + bias[half + column + j]);
            activate<KIND, true>(g, slope.v[j]);
          }
          store_quad(guarded, bend, x + row * x_stride, column, half);
          store_quad(guarded, slope, x + row * x_stride + half, column, half);
        });
  });
}
REGISTER_KERNEL(gate_second_derivative)

// ddh += act''(g) u dg^2 + 2 act'(g) dg du with the second derivatives of the row's token.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) gate_curvature(
    const float* __restrict__ dx,  // [R, 2F]
    int dx_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ second,  // [T, 2F]
    int second_stride,
    float* __restrict__ ddh,  // [R, F]
    int ddh_stride,
    int rows,
    int half) {  // F
  const int column = element_column();
  if (column >= half) return;
  const bool whole = halves_aligned(dx, dx_stride, half) && halves_aligned(second, second_stride, half) && rows_aligned(ddh, ddh_stride);
  known(whole, [&](auto aligned) {
    Quad gate, value, bend, slope, sum;
    each_row<1>(
        rows,
        [&](long long row, int) {
          const float *x = dx + row * dx_stride, *f = second + (long long)token_of[row] * second_stride;
          gate = load_quad(aligned, x, column, half), value = load_quad(aligned, x + half, column, half);
          bend = load_quad(aligned, f, column, half), slope = load_quad(aligned, f + half, column, half);
          sum = load_quad(aligned, ddh + row * ddh_stride, column, half);
        },
        [&](long long row, int) {
#pragma unroll
          for (int j = 0; j < QUAD; j++) sum.v[j] += gate.v[j] * (bend.v[j] * gate.v[j] + 2 * slope.v[j] * value.v[j]);
          store_quad(aligned, sum, ddh + row * ddh_stride, column, half);
        });
  });
}
REGISTER_KERNEL(gate_curvature)
