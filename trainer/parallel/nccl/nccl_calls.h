// Checked NCCL and CUDA calls, and a non-blocking NCCL communicator as an object.
#pragma once

#include <c10/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include <chrono>
#include <functional>
#include <string>

namespace rim {

// Throws TransportError(software) "NCCL: <call> in '<name>' failed: <reason>". ncclInProgress is no failure.
void check_nccl(ncclResult_t result, const char* call, const std::string& name);

// Owns an ncclComm_t made with blocking = 0, so that no call of it can hang: every wait polls NCCL's asynchronous error
// under a time limit. Once it has failed or timed out it is aborted for good: an aborted collective ends "successfully"
// with partial sums, so every later use throws.
class NcclHandle {
 public:
  NcclHandle(ncclUniqueId id, int rank, int size, std::chrono::milliseconds timeout);
  ~NcclHandle();
  NcclHandle(const NcclHandle&) = delete;
  NcclHandle& operator=(const NcclHandle&) = delete;

  // Issues `call`, e.g. ncclAllReduce, and returns when NCCL has put it on its stream.
  void enqueue(const char* call_name, const std::string& name, const std::function<ncclResult_t(ncclComm_t)>& call);
  // Blocks the host until the device has passed `event`. Throws TransportError(software) on NCCL's error or after the
  // time limit, naming rank and wait.
  void wait(const c10::cuda::CUDAEvent& event, const std::string& name);
  // Throws if this communicator has failed before or fails now. Cheap.
  void require_healthy(const std::string& name);

 private:
  // Polls `done` until it holds; aborts and throws on failure.
  void poll_until(const std::function<bool()>& done, const std::string& name);
  [[noreturn]] void fail(const std::string& message);
  [[nodiscard]] ncclResult_t state() const;

  ncclComm_t communicator_ = nullptr;
  int rank_, size_;
  std::chrono::milliseconds timeout_;
  bool aborted_ = false;
};

}  // namespace rim
