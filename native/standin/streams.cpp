// Entry points for streams and events. Work is done when it is submitted, so a stream is only a handle and an event a time.
#include <chrono>
#include <map>

#include "device.h"
#include "graphs.h"

namespace {

using Clock = std::chrono::steady_clock;
struct Event {
  bool recorded = false, timed = true;
  Clock::time_point time;
};

// Handles are never used twice, so that a destroyed one is told from a new one.
uintptr_t next_handle = 0x1000;
std::map<uintptr_t, int> streams;  // and the device of each
std::map<uintptr_t, Event> events;

bool is_stream(void* stream) {
  uintptr_t handle = reinterpret_cast<uintptr_t>(stream);
  auto found = streams.find(handle);
  return handle <= 2 || (found != streams.end() && found->second == current_device());  // 0, 1, 2: the default streams
}

Event* find_event(void* event) {
  auto found = events.find(reinterpret_cast<uintptr_t>(event));
  return found == events.end() ? nullptr : &found->second;
}

}  // namespace

CUresult check_stream(const char* call, void* stream) {
  return is_stream(stream) ? CUDA_SUCCESS : report(CUDA_ERROR_INVALID_HANDLE, std::string(call) + ": not a stream of this device, or a destroyed one");
}

API CUresult cuStreamCreate(void** stream, unsigned flags) {
  ON_DEVICE();
  if (flags > 1) return CUDA_ERROR_INVALID_VALUE;
  streams[next_handle += 16] = current_device();
  *stream = reinterpret_cast<void*>(next_handle);
  return CUDA_SUCCESS;
}

API CUresult cuStreamCreateWithPriority(void** stream, unsigned flags, int) { return cuStreamCreate(stream, flags); }

API CUresult cuStreamDestroy_v2(void* stream) {
  ON_DEVICE();
  if (streams.erase(reinterpret_cast<uintptr_t>(stream)) == 0) return report(CUDA_ERROR_INVALID_HANDLE, "cuStreamDestroy: not a stream, or destroyed before");
  return CUDA_SUCCESS;
}

API CUresult cuStreamSynchronize(void* stream) {
  ON_DEVICE();
  if (CUresult state = check_stream("cuStreamSynchronize", stream)) return state;
  if (CUresult state = not_while_capturing("cuStreamSynchronize", stream)) return state;
  return drain_queue();
}

API CUresult cuStreamQuery(void* stream) {
  ON_DEVICE();
  return check_stream("cuStreamQuery", stream);
}

API CUresult cuStreamWaitEvent(void* stream, void* event, unsigned) {
  ON_DEVICE();
  if (find_event(event) == nullptr) return report(CUDA_ERROR_INVALID_HANDLE, "cuStreamWaitEvent: not an event, or a destroyed one");
  return check_stream("cuStreamWaitEvent", stream);
}

API CUresult cuEventCreate(void** event, unsigned flags) {
  ON_DEVICE();
  if (flags > 7) return CUDA_ERROR_INVALID_VALUE;
  events[next_handle += 16].timed = (flags & 2) == 0;  // CU_EVENT_DISABLE_TIMING
  *event = reinterpret_cast<void*>(next_handle);
  return CUDA_SUCCESS;
}

API CUresult cuEventDestroy_v2(void* event) {
  ON_DEVICE();
  if (events.erase(reinterpret_cast<uintptr_t>(event)) == 0) return report(CUDA_ERROR_INVALID_HANDLE, "cuEventDestroy: not an event, or destroyed before");
  return CUDA_SUCCESS;
}

API CUresult cuEventRecord(void* event, void* stream) {
  ON_DEVICE();
  Event* found = find_event(event);
  if (found == nullptr) return report(CUDA_ERROR_INVALID_HANDLE, "cuEventRecord: not an event, or a destroyed one");
  if (CUresult state = check_stream("cuEventRecord", stream)) return state;
  found->recorded = true;
  found->time = Clock::now();
  return CUDA_SUCCESS;
}

API CUresult cuEventQuery(void* event) {
  ON_DEVICE();
  return find_event(event) != nullptr ? CUDA_SUCCESS : report(CUDA_ERROR_INVALID_HANDLE, "cuEventQuery: not an event, or a destroyed one");
}

API CUresult cuEventSynchronize(void* event) {
  ON_DEVICE();
  return find_event(event) != nullptr ? CUDA_SUCCESS : report(CUDA_ERROR_INVALID_HANDLE, "cuEventSynchronize: not an event, or a destroyed one");
}

API CUresult cuEventElapsedTime(float* milliseconds, void* start, void* end) {
  ON_DEVICE();
  const Event *from = find_event(start), *to = find_event(end);
  if (from == nullptr || to == nullptr || !from->recorded || !to->recorded || !from->timed || !to->timed) {
    return report(CUDA_ERROR_INVALID_HANDLE, "cuEventElapsedTime: needs two events with timing that were recorded");
  }
  *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
  return CUDA_SUCCESS;
}
