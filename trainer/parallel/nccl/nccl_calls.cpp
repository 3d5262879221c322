#include "trainer/parallel/nccl/nccl_calls.h"

#include <exception>
#include <thread>

#include "trainer/parallel/communicator.h"
#include "trainer/parallel/overdue.h"

namespace rim {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kEagerPolling = std::chrono::milliseconds(20);
constexpr auto kSleep = std::chrono::microseconds(100);

}  // namespace

void check_nccl(ncclResult_t result, const char* call, const std::string& name) {
  if (result == ncclSuccess || result == ncclInProgress) return;
  throw TransportError(ExitCode::software,
                       "NCCL: " + std::string(call) + " in '" + name + "' failed: " + ncclGetErrorString(result));
}

NcclHandle::NcclHandle(ncclUniqueId id, int rank, int size, std::chrono::milliseconds timeout)
    : rank_(rank), size_(size), timeout_(timeout) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  check_nccl(ncclCommInitRankConfig(&communicator_, size, id, rank, &config), "ncclCommInitRankConfig",
             "start of NCCL");
  poll_until([] { return true; }, "start of NCCL");
}

NcclHandle::~NcclHandle() {
  if (aborted_ || communicator_ == nullptr) return;
  // While an error ends the run the other ranks may never finalize.
  if (std::uncaught_exceptions() > 0) {
    ncclCommAbort(communicator_);
    return;
  }
  try {
    check_nccl(ncclCommFinalize(communicator_), "ncclCommFinalize", "end of NCCL");
    poll_until([] { return true; }, "end of NCCL");
    ncclCommDestroy(communicator_);
  } catch (const std::exception&) {
    if (!aborted_) ncclCommAbort(communicator_);
  }
}

void NcclHandle::enqueue(const char* call_name, const std::string& name,
                         const std::function<ncclResult_t(ncclComm_t)>& call) {
  require_healthy(name);
  check_nccl(call(communicator_), call_name, name);
  poll_until([] { return true; }, name);
}

void NcclHandle::wait(const c10::cuda::CUDAEvent& event, const std::string& name) {
  require_healthy(name);
  poll_until([&] { return event.query(); }, name);
}

void NcclHandle::require_healthy(const std::string& name) {
  if (aborted_)
    throw TransportError(ExitCode::software, "NCCL was aborted before '" + name + "'; its results are not usable");
  const ncclResult_t now = state();
  if (now != ncclSuccess && now != ncclInProgress) {
    fail("NCCL failed in or before '" + name + "': " + ncclGetErrorString(now));
  }
}

void NcclHandle::poll_until(const std::function<bool()>& done, const std::string& name) {
  const auto start = Clock::now();
  while (true) {
    const ncclResult_t now = state();
    if (now == ncclSuccess && done()) return;
    if (now != ncclSuccess && now != ncclInProgress) {
      fail("NCCL failed in '" + name + "': " + ncclGetErrorString(now));
    }
    const auto waited = Clock::now() - start;
    if (waited > timeout_) fail(overdue_text(rank_, size_, waited, name));
    if (waited > kEagerPolling) {
      std::this_thread::sleep_for(kSleep);
    } else {
      std::this_thread::yield();
    }
  }
}

void NcclHandle::fail(const std::string& message) {
  aborted_ = true;
  ncclCommAbort(communicator_);
  throw TransportError(ExitCode::software, message);
}

ncclResult_t NcclHandle::state() const {
  ncclResult_t result = ncclSuccess;
  const ncclResult_t query = ncclCommGetAsyncError(communicator_, &result);
  return query == ncclSuccess ? result : query;
}

}  // namespace rim
