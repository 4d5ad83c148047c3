// State of the collectives (cuda_host_warp.h) for the scheduler.
#pragma once

#include <string>

void reset_warps(unsigned threads);

// "16 at __shfl_sync, " and the like, for a report.
std::string describe_waiting_lanes();
