// Entry points for graphs that are captured from streams. A graph is a list: all work here is in order anyway.
#include "graphs.h"

#include <map>
#include <vector>

CUresult check_stream(const char* call, void* stream);

namespace {

enum : CUresult { CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED = 901, CUDA_ERROR_ILLEGAL_STATE = 401 };

struct Graph {
  std::vector<std::function<CUresult()>> work;
  int device = 0;
};
struct Capture {
  Graph graph;
  bool spoiled = false;
};

uintptr_t next_handle = 0x10;
std::map<void*, Capture> open_captures;  // by stream
std::map<uintptr_t, Graph> graphs, executables;

void* handle_of(std::map<uintptr_t, Graph>& all, Graph graph) {
  all[next_handle += 16] = std::move(graph);
  return reinterpret_cast<void*>(next_handle);
}

Graph* find(std::map<uintptr_t, Graph>& all, void* handle) {
  auto found = all.find(reinterpret_cast<uintptr_t>(handle));
  return found == all.end() ? nullptr : &found->second;
}

}  // namespace

bool captures(void* stream) { return open_captures.count(stream) > 0; }

CUresult submit(void* stream, std::function<CUresult()> work) {
  auto found = open_captures.find(stream);
  if (found == open_captures.end()) return work();
  found->second.graph.work.push_back(std::move(work));
  return CUDA_SUCCESS;
}

CUresult not_while_capturing(const char* call, void* stream) {
  auto found = open_captures.find(stream);
  if (found == open_captures.end()) return CUDA_SUCCESS;
  found->second.spoiled = true;
  return report(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, std::string(call) + ": the stream captures a graph");
}

API CUresult cuStreamBeginCapture_v2(void* stream, int mode) {
  ON_DEVICE();
  if (CUresult state = check_stream("cuStreamBeginCapture", stream)) return state;
  if (mode < 0 || mode > 2) return CUDA_ERROR_INVALID_VALUE;
  if (captures(stream)) return report(CUDA_ERROR_ILLEGAL_STATE, "cuStreamBeginCapture: the stream captures already");
  open_captures[stream].graph.device = current_device();
  return CUDA_SUCCESS;
}

API CUresult cuStreamEndCapture(void* stream, void** graph) {
  ON_DEVICE();
  auto found = open_captures.find(stream);
  if (found == open_captures.end()) return report(CUDA_ERROR_ILLEGAL_STATE, "cuStreamEndCapture: the stream does not capture");
  Capture capture = std::move(found->second);
  open_captures.erase(found);
  if (capture.spoiled) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  *graph = handle_of(graphs, std::move(capture.graph));
  return CUDA_SUCCESS;
}

API CUresult cuGraphDestroy(void* graph) {
  ON_DEVICE();
  if (graphs.erase(reinterpret_cast<uintptr_t>(graph)) == 0) return report(CUDA_ERROR_INVALID_HANDLE, "cuGraphDestroy: not a graph, or destroyed before");
  return CUDA_SUCCESS;
}

API CUresult cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long flags) {
  ON_DEVICE();
  const Graph* found = find(graphs, graph);
  if (found == nullptr) return report(CUDA_ERROR_INVALID_HANDLE, "cuGraphInstantiate: not a graph, or a destroyed one");
  if (flags != 0) return CUDA_ERROR_NOT_SUPPORTED;
  *executable = handle_of(executables, *found);
  return CUDA_SUCCESS;
}

API CUresult cuGraphExecDestroy(void* executable) {
  ON_DEVICE();
  if (executables.erase(reinterpret_cast<uintptr_t>(executable)) == 0) {
    return report(CUDA_ERROR_INVALID_HANDLE, "cuGraphExecDestroy: not an executable graph, or destroyed before");
  }
  return CUDA_SUCCESS;
}

API CUresult cuGraphLaunch(void* executable, void* stream) {
  ON_DEVICE();
  if (CUresult state = check_stream("cuGraphLaunch", stream)) return state;
  const Graph* graph = find(executables, executable);
  if (graph == nullptr || graph->device != current_device()) {
    return report(CUDA_ERROR_INVALID_HANDLE, "cuGraphLaunch: not an executable graph of this device, or a destroyed one");
  }
  for (const auto& work : graph->work) {
    if (CUresult state = work()) return state;
  }
  return CUDA_SUCCESS;
}
