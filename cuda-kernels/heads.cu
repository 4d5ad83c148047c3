// From projected rows to the rows that attention works with, and back. A projected row holds H queries, K keys and K values, h elements
// each; attention's row has H of each, and query i goes with key i K / H. On the way queries and keys are multiplied with a gain, and
// their elements e and e + n, for e below n, are turned by the angles of the row's token. All of it is linear.
#include "quads.cuh"

namespace {

// What both ways share.
struct HeadLayout {
  int heads, key_heads, head_width;
  const float* rotation;  // [T, 2n]: cosines, then sines; null where nothing turns
  int rotation_stride;
  int turned;         // n
  const float* gain;  // [2h]: of every query, then of every key; null for none

  __device__ __forceinline__ int group() const { return heads / key_heads; }

  __device__ __forceinline__ bool aligned() const {
    return head_width % QUAD == 0 && turned % QUAD == 0 && rows_aligned(rotation, rotation_stride) && rows_aligned(gain, 0);
  }
};

// A thread's columns, four of one head or with guarded accesses one: they are the same in all its rows, so what they are is found once.
template <bool ALIGNED>
struct Columns {
  static constexpr int WIDTH = ALIGNED ? QUAD : 1;
  int part, head, element;  // part 0 are queries, 1 keys, 2 values
  int partner;              // the element that they turn with; -1 for none
  int angle;                // of the pair
  float sign;               // y = cos x + sign sin x of the partner
  Quad gain, partner_gain;

  // `keys` and `values`: where in the row they begin.
  __device__ __forceinline__ Columns(const HeadLayout& layout, int column, int keys, int values) {
    part = column < keys ? 0 : column < values ? 1 : 2;
    const int within = column - (part == 0 ? 0 : part == 1 ? keys : values);
    head = within / layout.head_width, element = within % layout.head_width;
    const bool turns = part < 2 && element < 2 * layout.turned, second = element >= layout.turned;
    angle = second ? element - layout.turned : element;
    partner = !turns ? -1 : second ? angle : element + layout.turned;
    sign = second ? 1 : -1;
    const bool gained = part < 2 && layout.gain != nullptr;
    const float* gains = layout.gain + part * layout.head_width;
#pragma unroll
    for (int j = 0; j < QUAD; j++) gain.v[j] = partner_gain.v[j] = 1;
    if (gained) gain = load(gains + element);
    if (gained && turns) partner_gain = load(gains + partner);
  }

  static __device__ __forceinline__ Quad load(const float* from) { return load_quad(Known<ALIGNED>(), from, 0, WIDTH); }
  static __device__ __forceinline__ void store(const Quad& q, float* to) { store_quad(Known<ALIGNED>(), q, to, 0, WIDTH); }
};

// A row's angles for some columns, cosines and sines.
struct Angles {
  Quad cosine, sine;
};

template <class Columns>
__device__ __forceinline__ Angles angles_of(const HeadLayout& layout, const Columns& columns, int token) {
  const float* at = layout.rotation + (long long)token * layout.rotation_stride + columns.angle;
  return {Columns::load(at), Columns::load(at + layout.turned)};
}

template <bool ALIGNED>
__device__ __forceinline__ void spread_columns(
    const HeadLayout& layout, int column, const float* x, int x_stride, const int* token_of, float* y, int y_stride, int rows) {
  constexpr int SLOTS = 2;
  const int h = layout.head_width, width = layout.heads * h;
  const Columns<ALIGNED> columns(layout, column, width, 2 * width);
  const int key = columns.head / layout.group();
  const int head = columns.part == 0 ? columns.head : layout.heads + key + (columns.part == 1 ? 0 : layout.key_heads);
  const float* from = x + (long long)head * h;
  Quad own[SLOTS], other[SLOTS];
  Angles angles[SLOTS];
  each_row<SLOTS>(
      rows,
      [&](long long row, int k) {
        own[k] = columns.load(from + row * x_stride + columns.element);
        if (columns.partner >= 0) {
          other[k] = columns.load(from + row * x_stride + columns.partner);
          angles[k] = angles_of(layout, columns, token_of[row]);
        }
      },
      [&](long long row, int k) {
#pragma unroll
        for (int j = 0; j < QUAD; j++) {
          own[k].v[j] *= columns.gain.v[j];
          if (columns.partner >= 0) {
            const float turned = columns.sign * (other[k].v[j] * columns.partner_gain.v[j]);
            own[k].v[j] = own[k].v[j] * angles[k].cosine.v[j] + turned * angles[k].sine.v[j];
          }
        }
        columns.store(own[k], y + row * y_stride + column);
      });
}

// What `count` heads that follow each other hold in some columns, summed.
template <class Columns>
__device__ __forceinline__ Quad sum_of_heads(const float* from, int count, int h) {
  Quad sum = Columns::load(from);
#pragma unroll 2
  for (int i = 1; i < count; i++) {
    const Quad more = Columns::load(from + (long long)i * h);
#pragma unroll
    for (int j = 0; j < Columns::WIDTH; j++) sum.v[j] += more.v[j];
  }
  return sum;
}

template <bool ALIGNED>
__device__ __forceinline__ void gather_columns(
    const HeadLayout& layout, int column, const float* y, int y_stride, const int* token_of, float* x, int x_stride, int rows) {
  const int h = layout.head_width, queries = layout.heads * h;
  const Columns<ALIGNED> columns(layout, column, queries, queries + layout.key_heads * h);
  const int count = columns.part == 0 ? 1 : layout.group();
  const float* from = y + columns.part * queries + (long long)columns.head * count * h;
  using Mine = Columns<ALIGNED>;
  Quad own, other;
  Angles angles;
  each_row<1>(
      rows,
      [&](long long row, int) {
        own = sum_of_heads<Mine>(from + row * y_stride + columns.element, count, h);
        if (columns.partner >= 0) {
          other = sum_of_heads<Mine>(from + row * y_stride + columns.partner, count, h);
          angles = angles_of(layout, columns, token_of[row]);
        }
      },
      [&](long long row, int) {
#pragma unroll
        for (int j = 0; j < QUAD; j++) {
          if (columns.partner >= 0) {
            own.v[j] = own.v[j] * angles.cosine.v[j] - columns.sign * other.v[j] * angles.sine.v[j];
          }
          own.v[j] *= columns.gain.v[j];
        }
        columns.store(own, x + row * x_stride + column);
      });
}

// Runs body(aligned, column) for the thread's columns of a row: four at once, or with guarded accesses one after another.
template <class Body>
__device__ __forceinline__ void each_columns(int width, bool whole, Body body) {
  const int column = element_column();
  if (column >= width) return;
  if (whole) {
    body(Known<true>(), column);
  } else {
#pragma unroll 1
    for (int j = 0; j < QUAD && column + j < width; j++) body(Known<false>(), column + j);
  }
}

}  // namespace

// Projected rows x to attention's rows y.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) spread_heads(
    const float* __restrict__ x,  // [R, (H + 2K) h]
    int x_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ rotation,  // [T, 2n] or null
    int rotation_stride,
    int turned,  // n
    const float* __restrict__ gain,  // [2h] or null
    float* __restrict__ y,  // [R, 3 H h]
    int y_stride,
    int rows,
    int heads,
    int key_heads,
    int head_width) {
  const HeadLayout layout = {heads, key_heads, head_width, rotation, rotation_stride, turned, gain};
  const bool whole = layout.aligned() && rows_aligned(x, x_stride) && rows_aligned(y, y_stride);
  each_columns(3 * heads * head_width, whole, [&](auto aligned, int column) {
    spread_columns<decltype(aligned)::value>(layout, column, x, x_stride, token_of, y, y_stride, rows);
  });
}
REGISTER_KERNEL(spread_heads)

// Its adjoint, from y to x: what queries share a key or a value with is summed, in the order of the heads, then turned back.
extern "C" __global__ void __launch_bounds__(ROW_THREADS) gather_heads(
    const float* __restrict__ y,  // [R, 3 H h]
    int y_stride,
    const int* __restrict__ token_of,  // [R]
    const float* __restrict__ rotation,  // [T, 2n] or null
    int rotation_stride,
    int turned,  // n
    const float* __restrict__ gain,  // [2h] or null
    float* __restrict__ x,  // [R, (H + 2K) h]
    int x_stride,
    int rows,
    int heads,
    int key_heads,
    int head_width) {
  const HeadLayout layout = {heads, key_heads, head_width, rotation, rotation_stride, turned, gain};
  const bool whole = layout.aligned() && rows_aligned(x, x_stride) && rows_aligned(y, y_stride);
  each_columns((heads + 2 * key_heads) * head_width, whole, [&](auto aligned, int column) {
    gather_columns<decltype(aligned)::value>(layout, column, y, y_stride, token_of, x, x_stride, rows);
  });
}
REGISTER_KERNEL(gather_heads)
