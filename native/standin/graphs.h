// Graphs: what a stream is asked for while it captures is kept, and done when the graph is launched.
#pragma once

#include <functional>

#include "device.h"

// Does a stream capture what it is asked for?
bool captures(void* stream);

// Work that a stream is asked for: kept if the stream captures, else done. The caller holds the device's lock, as whoever launches the
// graph will.
CUresult submit(void* stream, std::function<CUresult()> work);

// What a call that waits for a stream returns while the stream captures: an error, and the capture is spoiled. Else CUDA_SUCCESS.
CUresult not_while_capturing(const char* call, void* stream);
