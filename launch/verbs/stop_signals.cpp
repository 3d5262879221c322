#include "launch/verbs/stop_signals.h"

#include <array>
#include <atomic>
#include <csignal>

namespace rim {
namespace {

constexpr std::array kSignals{SIGTERM, SIGINT, SIGUSR1};

// The one thing a handler can reach.
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

// The header makes it unsigned, and the field is an int.
const int kOnce = static_cast<int>(static_cast<unsigned int>(SA_RESTART) | static_cast<unsigned int>(SA_RESETHAND));

std::array<struct sigaction, kSignals.size()> earlier_actions{};

void note(int) { stop_requested.store(true); }

}  // namespace

StopSignals::StopSignals() {
  stop_requested.store(false);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction action {};
    action.sa_handler = note;
    action.sa_flags = kSignals[i] == SIGINT ? kOnce : SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(kSignals[i], &action, &earlier_actions[i]);
  }
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &earlier_actions[i], nullptr);
}

bool StopSignals::requested() { return stop_requested.load(); }

}  // namespace rim
