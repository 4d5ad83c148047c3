// RMSNorm without gain, its tangent and its curvature. A row has G groups of n columns that are normalized each by itself: one group for
// the stream, one a head for queries and keys. The Jacobian r (I - n n'/D) is symmetric, so the tangent is the adjoint too.
//
// A group is a warp's where the warp's registers hold it, else a block's; both are a team, and the kernels are written once for teams.
// Teams take consecutive groups, those of a row one after another.
#include "quads.cuh"

namespace {

// Columns of a group that a warp holds, 8 quads a lane.
enum { WIDEST_GROUP_OF_WARP = 1024 };

// A warp with a group; add_up makes of each thread's part of N sums over the group their totals.
template <int QUADS, bool ALIGNED, int N>
struct WarpTeam {
  using Row = WarpRow<QUADS, ALIGNED>;
  static constexpr bool aligned = ALIGNED;

  __device__ __forceinline__ WarpTeam(float (*)[ROW_WARPS][N]) {}
  __device__ __forceinline__ unsigned number() const { return blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP; }
  __device__ __forceinline__ unsigned all() const { return gridDim.x * (blockDim.x / WARP); }
  __device__ __forceinline__ bool leads() const { return threadIdx.x % WARP == 0; }
  static __device__ __forceinline__ int column(int k) { return Row::column(k); }

  template <class Body>
  static __device__ __forceinline__ void each(int, Body body) {
    Row::each(body);
  }

  __device__ __forceinline__ void add_up(float (&sums)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) sums[i] = warp_sum(sums[i]);
  }
};

template <int HELD, bool ALIGNED, int N>
struct BlockTeam {
  using Row = SpreadRow<HELD, ALIGNED>;
  static constexpr bool aligned = ALIGNED;
  BlockSums<float, N> block_sums;

  __device__ __forceinline__ BlockTeam(float (*shared)[ROW_WARPS][N]) : block_sums(shared) {}
  __device__ __forceinline__ unsigned number() const { return blockIdx.x; }
  __device__ __forceinline__ unsigned all() const { return gridDim.x; }
  __device__ __forceinline__ bool leads() const { return threadIdx.x == 0; }
  static __device__ __forceinline__ int column(int k) { return quad_column(k); }

  template <class Body>
  static __device__ __forceinline__ void each(int width, Body body) {
    each_quad<HELD>(width, body);
  }

  __device__ __forceinline__ void add_up(float (&sums)[N]) { block_sums(sums); }
};

// Calls body(row, group) for each of the team's groups.
template <class Team, class Body>
__device__ __forceinline__ void each_group(const Team& team, int rows, int groups, Body body) {
  const long long count = (long long)rows * groups, each = (count + team.all() - 1) / team.all();
  const long long from = team.number() * each, to = min(from + each, count);
  if (from >= to) return;
  int row = int(from / groups), group = int(from % groups);
#pragma unroll 1
  for (long long i = from; i < to; i++) {
    body(row, group);
    if (++group == groups) group = 0, row++;
  }
}

// Runs `body` with the team that groups of n columns take, for N sums at a time.
template <int N, class Body>
__device__ __forceinline__ void with_team(float (*partial)[ROW_WARPS][N], int n, bool aligned, Body body) {
  if (n > WIDEST_GROUP_OF_WARP) {
    spread<4>(n, aligned, [&](auto held, auto whole) { body(BlockTeam<decltype(held)::value, decltype(whole)::value, N>(partial)); });
  } else if (!aligned) {
    body(WarpTeam<8, false, N>(partial));
  } else if (n <= int(WARP) * QUAD) {
    body(WarpTeam<1, true, N>(partial));
  } else if (n <= 2 * int(WARP) * QUAD) {
    body(WarpTeam<2, true, N>(partial));
  } else {
    body(WarpTeam<8, true, N>(partial));
  }
}

// Part `group` of n columns of a row.
__device__ __forceinline__ const float* group_at(const float* x, int stride, long long row, int group, int n) {
  return x + row * stride + (long long)group * n;
}
__device__ __forceinline__ float* group_at(float* x, int stride, long long row, int group, int n) {
  return x + row * stride + (long long)group * n;
}

__device__ __forceinline__ float dot(const Quad& a, const Quad& b) {
  return (a.v[0] * b.v[0] + a.v[1] * b.v[1]) + (a.v[2] * b.v[2] + a.v[3] * b.v[3]);
}

}  // namespace

// normalized = x / sqrt(mean(x^2) + epsilon) of each group; it may be x itself.
extern "C" __global__ void __launch_bounds__(ROW_THREADS, 4) rms_norm(
    const float* x,  // [R, G n]
    int x_stride,
    float* normalized,  // [R, G n]
    int normalized_stride,
    float* inverse,  // [R, G] or null
    int rows,
    int width,  // G n
    int groups,
    float epsilon) {
  const int n = width / groups;
  const bool whole = n % QUAD == 0 && rows_aligned(x, x_stride) && rows_aligned(normalized, normalized_stride);
  __shared__ float partial[2][ROW_WARPS][1];
  with_team<1>(partial, n, whole, [&](auto team) {
    using Team = decltype(team);
    each_group(team, rows, groups, [&](int row, int group) {
      typename Team::Row in;
      in.load(group_at(x, x_stride, row, group, n), n);
      float* out = group_at(normalized, normalized_stride, row, group, n);
      float sums[1] = {0};
      Team::each(n, [&](int k) {
        const Quad q = in.quad(k);
        sums[0] += dot(q, q);
      });
      team.add_up(sums);
      const float factor = 1 / sqrtf(sums[0] / n + epsilon);
      Team::each(n, [&](int k) {
        Quad q = in.quad(k);
#pragma unroll
        for (int j = 0; j < QUAD; j++) q.v[j] *= factor;
        store_quad(Known<Team::aligned>(), q, out, Team::column(k), n);
      });
      if (inverse != nullptr && team.leads()) inverse[(long long)row * groups + group] = factor;
    });
  });
}
REGISTER_KERNEL(rms_norm)

// dy = r (dx - n mean(n dx)), or that added to dy, with the n and r of the row's token and group. dy may be dx itself unless it is added
// to. The group of n is read again where it is used: it is in the cache, and the registers are for what comes from memory.
extern "C" __global__ void __launch_bounds__(ROW_THREADS, 3) rms_norm_tangent(
    const float* dx,  // [R, G n]
    int dx_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ normalized,  // [T, G n]
    int normalized_stride,
    const float* __restrict__ inverse,  // [T, G]
    float* dy,  // [R, G n]
    int dy_stride,
    int rows,
    int width,  // G n
    int groups,
    int accumulate) {
  const int n = width / groups;
  const bool whole = n % QUAD == 0 && rows_aligned(dx, dx_stride) && rows_aligned(normalized, normalized_stride) &&
                     rows_aligned(dy, dy_stride);
  __shared__ float partial[2][ROW_WARPS][1];
  with_team<1>(partial, n, whole, [&](auto team) {
    using Team = decltype(team);
    const Known<Team::aligned> aligned;
    each_group(team, rows, groups, [&](int row, int group) {
      typename Team::Row tangent;
      tangent.load(group_at(dx, dx_stride, row, group, n), n);
      const long long token = token_of[row];
      const float* along = group_at(normalized, normalized_stride, token, group, n);
      float* out = group_at(dy, dy_stride, row, group, n);
      float sums[1] = {0};  // of n dx
      Team::each(n, [&](int k) { sums[0] += dot(tangent.quad(k), load_quad(aligned, along, Team::column(k), n)); });
      team.add_up(sums);
      const float mean = sums[0] / n, factor = inverse[token * groups + group];

      along = anew(along);
      Team::each(n, [&](int k) {
        Quad q = tangent.quad(k);
        const Quad a = load_quad(aligned, along, Team::column(k), n);
#pragma unroll
        for (int j = 0; j < QUAD; j++) q.v[j] = factor * (q.v[j] - a.v[j] * mean);
        if (accumulate) {
          const Quad before = load_quad(aligned, out, Team::column(k), n);
#pragma unroll
          for (int j = 0; j < QUAD; j++) q.v[j] += before.v[j];
        }
        store_quad(aligned, q, out, Team::column(k), n);
      });
    });
  });
}
REGISTER_KERNEL(rms_norm_tangent)

// ddy += -2 r^2 a (dx - n a) - r^2 n (mean(dx^2) - a^2) with a = mean(n dx), and the n and r of the row's token and group.
extern "C" __global__ void __launch_bounds__(ROW_THREADS, 3) rms_norm_curvature(
    const float* __restrict__ dx,  // [R, G n]
    int dx_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ normalized,  // [T, G n]
    int normalized_stride,
    const float* __restrict__ inverse,  // [T, G]
    float* __restrict__ ddy,  // [R, G n]
    int ddy_stride,
    int rows,
    int width,  // G n
    int groups) {
  const int n = width / groups;
  const bool whole = n % QUAD == 0 && rows_aligned(dx, dx_stride) && rows_aligned(normalized, normalized_stride) &&
                     rows_aligned(ddy, ddy_stride);
  __shared__ float partial[2][ROW_WARPS][2];
  with_team<2>(partial, n, whole, [&](auto team) {
    using Team = decltype(team);
    const Known<Team::aligned> aligned;
    each_group(team, rows, groups, [&](int row, int group) {
      typename Team::Row tangent;
      tangent.load(group_at(dx, dx_stride, row, group, n), n);
      const long long token = token_of[row];
      const float* direction = group_at(normalized, normalized_stride, token, group, n);
      float* out = group_at(ddy, ddy_stride, row, group, n);
      float sums[2] = {0, 0};  // of n dx, and of dx^2
      Team::each(n, [&](int k) {
        const Quad q = tangent.quad(k);
        sums[0] += dot(q, load_quad(aligned, direction, Team::column(k), n));
        sums[1] += dot(q, q);
      });
      team.add_up(sums);
      const float along = sums[0] / n, rest = sums[1] / n - along * along, factor = inverse[token * groups + group];
      const float square = factor * factor;

      direction = anew(direction);
      Team::each(n, [&](int k) {
        const Quad q = tangent.quad(k), a = load_quad(aligned, direction, Team::column(k), n);
        Quad sum = load_quad(aligned, out, Team::column(k), n);
#pragma unroll
        for (int j = 0; j < QUAD; j++) sum.v[j] += square * (-2 * along * (q.v[j] - a.v[j] * along) - a.v[j] * rest);
        store_quad(aligned, sum, out, Team::column(k), n);
      });
    });
  });
}
REGISTER_KERNEL(rms_norm_curvature)
