#include "warp.h"

#include <cstdio>
#include <cstring>

#include "cuda_host_warp.h"
#include "fibers.h"

namespace {

// What lanes deposited: an element for each lane.
struct Warp {
  uint64_t operand[kLanes], result[kLanes];
  unsigned source[kLanes], mask[kLanes];
  StandinCollective what[kLanes];
  uint32_t waiting;  // lanes that arrived at a collective which is not complete
  bool alike;        // have they all the same `what` and `mask`?
};
Warp warps[kMaxWarps];
unsigned warp_count;

struct MmaOperands {
  float* c;
  const uint32_t *a, *b;
};

const char* name_of(StandinCollective what) {
  switch (what) {
    case StandinCollective::syncwarp: return "__syncwarp";
    case StandinCollective::shuffle: return "a shuffle";
    case StandinCollective::vote: return "a vote";
    case StandinCollective::mma: return "mma";
  }
  return "?";
}

float tf32(uint32_t bits) {
  return __uint_as_float(bits & ~0x1fffu);  // the hardware does not see the low 13 bits
}

// All 32 lanes wait: gathers the fragments, multiplies, scatters (layout in cuda_host_warp.h).
__attribute__((noinline)) void mma(const Warp& warp) {
  alignas(32) float a[16][8], b[8][8], c[16][8];
  const MmaOperands* operands[kLanes];
  for (int lane = 0; lane < kLanes; lane++) {
    operands[lane] = reinterpret_cast<const MmaOperands*>(warp.operand[lane]);
    const MmaOperands& o = *operands[lane];
    int g = lane / 4, t = lane % 4;
    a[g][t] = tf32(o.a[0]), a[g + 8][t] = tf32(o.a[1]), a[g][t + 4] = tf32(o.a[2]), a[g + 8][t + 4] = tf32(o.a[3]);
    b[t][g] = tf32(o.b[0]), b[t + 4][g] = tf32(o.b[1]);
    c[g][2 * t] = o.c[0], c[g][2 * t + 1] = o.c[1], c[g + 8][2 * t] = o.c[2], c[g + 8][2 * t + 1] = o.c[3];
  }
  typedef float Row __attribute__((vector_size(32)));
  for (int m = 0; m < 16; m++) {
    Row sum;
    memcpy(&sum, c[m], sizeof sum);
    for (int k = 0; k < 8; k++) {
      Row row;
      memcpy(&row, b[k], sizeof row);
      sum += a[m][k] * row;
    }
    memcpy(c[m], &sum, sizeof sum);
  }
  for (int lane = 0; lane < kLanes; lane++) {
    float* out = operands[lane]->c;
    int g = lane / 4, t = lane % 4;
    out[0] = c[g][2 * t], out[1] = c[g][2 * t + 1], out[2] = c[g + 8][2 * t], out[3] = c[g + 8][2 * t + 1];
  }
}

template <class Action>
inline void for_lanes(uint32_t lanes, Action action) {
  if (lanes == 0xffffffffu) {
    for (unsigned lane = 0; lane < kLanes; lane++) action(lane);
    return;
  }
  for (; lanes != 0; lanes &= lanes - 1) action(unsigned(__builtin_ctz(lanes)));
}

void shuffle(Warp& warp, unsigned mask) {
  uint32_t sources = 0;
  for_lanes(mask, [&](unsigned lane) {
    sources |= 1u << warp.source[lane];
    warp.result[lane] = warp.operand[warp.source[lane]];
  });
  if ((sources & ~mask) != 0) {
    end_launch(719, "a shuffle reads lane " + std::to_string(__builtin_ctz(sources & ~mask)) + ", which its mask does not name");
  }
}

void vote(Warp& warp, unsigned mask) {
  uint64_t ballot = 0;
  for_lanes(mask, [&](unsigned lane) { ballot |= uint64_t(warp.operand[lane] != 0) << lane; });
  for_lanes(mask, [&](unsigned lane) { warp.result[lane] = ballot; });
}

[[noreturn]] __attribute__((noinline, cold)) void end_at_unnamed_lane(StandinCollective what) {
  end_launch(719, std::string(name_of(what)) + " is called by a lane that its mask does not name");
}

[[noreturn]] __attribute__((noinline, cold)) void end_at_mixed_lanes(StandinCollective what, StandinCollective other) {
  end_launch(719, std::string("lanes of a warp meet at different collectives, ") + name_of(what) + " and " + name_of(other) + ", or with different masks");
}

// The last lane of `mask` arrived: computes what each gets. Not inline, so that the lanes that only wait have a small frame.
__attribute__((noinline)) void complete(Warp& warp, StandinCollective what, unsigned mask) {
  if (!warp.alike) {
    for_lanes(mask, [&](unsigned lane) {
      if (warp.what[lane] != what || warp.mask[lane] != mask) end_at_mixed_lanes(what, warp.what[lane]);
    });
  }
  switch (what) {
    case StandinCollective::syncwarp: break;
    case StandinCollective::shuffle: shuffle(warp, mask); break;
    case StandinCollective::vote: vote(warp, mask); break;
    case StandinCollective::mma: mma(warp); break;
  }
  warp.waiting &= ~mask;
}

}  // namespace

void reset_warps(unsigned threads) {
  warp_count = (threads + kLanes - 1) / kLanes;
  for (unsigned w = 0; w < warp_count; w++) warps[w].waiting = 0;
}

std::string describe_waiting_lanes() {
  unsigned counts[4] = {};
  for (unsigned w = 0; w < warp_count; w++) {
    for_lanes(warps[w].waiting, [&](unsigned lane) { counts[unsigned(warps[w].what[lane])]++; });
  }
  std::string text;
  for (unsigned what = 0; what < 4; what++) {
    if (counts[what] > 0) text += std::to_string(counts[what]) + " at " + name_of(StandinCollective(what)) + ", ";
  }
  return text;
}

uint64_t standin_warp_collective(StandinCollective what, unsigned mask, uint64_t operand, unsigned source) {
  unsigned thread = current_thread(), lane = thread % kLanes;
  Warp& warp = warps[thread / kLanes];
  warp.what[lane] = what, warp.mask[lane] = mask, warp.operand[lane] = operand, warp.source[lane] = source;
  if (warp.waiting == 0) {
    warp.alike = true;
  } else {
    unsigned other = unsigned(__builtin_ctz(warp.waiting));
    warp.alike &= warp.what[other] == what && warp.mask[other] == mask;
  }
  warp.waiting |= 1u << lane;
  if (!(mask >> lane & 1)) end_at_unnamed_lane(what);
  if ((warp.waiting & mask) != mask) {
    wait_at_collective();
    return warp.result[lane];
  }
  complete(warp, what, mask);
  release_lanes(thread / kLanes, mask & ~(1u << lane));
  return warp.result[lane];
}

void standin_mma_collective(float c[4], const uint32_t a[4], const uint32_t b[2]) {
  MmaOperands operands = {c, a, b};
  standin_warp_collective(StandinCollective::mma, 0xffffffffu, reinterpret_cast<uint64_t>(&operands), 0);
}
