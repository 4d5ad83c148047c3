// Graphs: what a stream is asked for while it captures is kept, and done when the graph is launched.
#pragma once

#include <functional>

#include "device.h"

// Takes work that a stream is asked for if the stream captures; returns whether it did. The caller holds the device's lock, as the
// work's own caller will.
bool captured(void* stream, std::function<CUresult()> work);

// What a call that waits for a stream returns while the stream captures: an error, and the capture is spoiled. Else CUDA_SUCCESS.
CUresult not_while_capturing(const char* call, void* stream);
