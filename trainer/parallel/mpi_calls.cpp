#include "trainer/parallel/mpi_calls.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include "data/support/error.h"

namespace rim {
namespace {

using Clock = std::chrono::steady_clock;

// A reply between ranks of one host takes microseconds, so poll eagerly first; after that sleeping costs little, and
// gives the core to the rank that is waited for.
constexpr auto kEagerPolling = std::chrono::microseconds(20);
constexpr auto kShortestSleep = std::chrono::microseconds(50);
constexpr auto kLongestSleep = std::chrono::microseconds(200);

std::string seconds_text(Clock::duration duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", std::chrono::duration<double>(duration).count());
  return text.data();
}

}  // namespace

void check_mpi(int result, const char* call, const std::string& name) {
  if (result == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING + 1> reason{};
  int length = 0;
  if (MPI_Error_string(result, reason.data(), &length) != MPI_SUCCESS) length = 0;
  throw Error(ExitCode::software, "MPI: " + std::string(call) + " in '" + name +
                                      "' failed: " + std::string(reason.data(), static_cast<std::size_t>(length)));
}

bool test_all(std::span<MPI_Request> requests, const std::string& name) {
  int done = 0;
  check_mpi(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE), "MPI_Testall",
            name);
  return done != 0;
}

void MpiWaiter::wait(std::span<MPI_Request> requests, const std::string& name) const {
  const auto start = Clock::now();
  auto sleep = kShortestSleep;
  while (!test_all(requests, name)) {
    const auto waited = Clock::now() - start;
    if (waited > timeout_) {
      throw Error(ExitCode::software, "rank " + std::to_string(rank_) + " of " + std::to_string(size_) + " waited " +
                                          seconds_text(waited) + " s in '" + name + "'");
    }
    if (waited < kEagerPolling) continue;
    std::this_thread::sleep_for(sleep);
    sleep = std::min(sleep + sleep / 2, kLongestSleep);
  }
}

}  // namespace rim
