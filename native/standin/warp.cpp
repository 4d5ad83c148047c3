#include "warp.h"

#include <cstdio>
#include <cstring>

#include "cuda_host_warp.h"
#include "fibers.h"

namespace {

struct Lane {
  uint64_t operand, result;
  unsigned mask, source;
  StandinCollective what;
};

struct Warp {
  Lane lanes[kLanes];
  uint32_t waiting;  // lanes that arrived at a collective which is not complete
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
void mma(const Warp& warp) {
  alignas(32) float a[16][8], b[8][8], c[16][8];
  const MmaOperands* operands[kLanes];
  for (int lane = 0; lane < kLanes; lane++) {
    operands[lane] = reinterpret_cast<const MmaOperands*>(warp.lanes[lane].operand);
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

// All lanes of `mask` wait at the same collective: computes what each gets.
void complete(Warp& warp, StandinCollective what, unsigned mask) {
  switch (what) {
    case StandinCollective::syncwarp: break;
    case StandinCollective::mma: mma(warp); break;
    case StandinCollective::shuffle:
      for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        Lane& lane = warp.lanes[__builtin_ctz(rest)];
        if (!(mask >> lane.source & 1)) {
          end_launch(719, "a shuffle reads lane " + std::to_string(lane.source) + ", which its mask does not name");
        }
        lane.result = warp.lanes[lane.source].operand;
      }
      break;
    case StandinCollective::vote: {
      uint64_t ballot = 0;
      for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        unsigned lane = unsigned(__builtin_ctz(rest));
        ballot |= uint64_t(warp.lanes[lane].operand != 0) << lane;
      }
      for (unsigned rest = mask; rest != 0; rest &= rest - 1) warp.lanes[__builtin_ctz(rest)].result = ballot;
      break;
    }
  }
}

}  // namespace

void reset_warps(unsigned threads) {
  warp_count = (threads + kLanes - 1) / kLanes;
  for (unsigned w = 0; w < warp_count; w++) warps[w].waiting = 0;
}

std::string describe_waiting_lanes() {
  unsigned counts[4] = {};
  for (unsigned w = 0; w < warp_count; w++) {
    for (uint32_t rest = warps[w].waiting; rest != 0; rest &= rest - 1) counts[unsigned(warps[w].lanes[__builtin_ctz(rest)].what)]++;
  }
  std::string text;
  for (unsigned what = 0; what < 4; what++) {
    if (counts[what] > 0) text += std::to_string(counts[what]) + " at " + name_of(StandinCollective(what)) + ", ";
  }
  return text;
}

uint64_t standin_warp_collective(StandinCollective what, unsigned mask, uint64_t operand, unsigned source) {
  unsigned thread = current_thread(), index = thread % kLanes;
  Warp& warp = warps[thread / kLanes];
  Lane& lane = warp.lanes[index];
  lane.what = what, lane.mask = mask, lane.operand = operand, lane.source = source;
  warp.waiting |= 1u << index;
  if (!(mask >> index & 1)) end_launch(719, std::string(name_of(what)) + " is called by a lane that its mask does not name");
  if ((warp.waiting & mask) != mask) {
    wait_at_collective();
    return lane.result;
  }
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    const Lane& other = warp.lanes[__builtin_ctz(rest)];
    if (other.what != what || other.mask != mask) {
      end_launch(719, std::string("lanes of a warp meet at different collectives, ") + name_of(what) + " and " + name_of(other.what) +
                          ", or with different masks");
    }
  }
  complete(warp, what, mask);
  warp.waiting &= ~mask;
  release_lanes(thread / kLanes, mask & ~(1u << index));
  return lane.result;
}

void standin_mma_tf32(float c[4], const uint32_t a[4], const uint32_t b[2]) {
  MmaOperands operands = {c, a, b};
  standin_warp_collective(StandinCollective::mma, 0xffffffffu, reinterpret_cast<uint64_t>(&operands), 0);
}
