#include "daemon/signals.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <future>

namespace audiencesync::testing {
namespace {

// In a process of their own: the signals stay blocked.
void stop_by_signal() {
  const Signals signals;
  std::promise<void> asked;
  const std::stop_callback on_stop(signals.stop(), [&] { asked.set_value(); });
  ::kill(::getpid(), SIGTERM);
  asked.get_future().wait();
  std::_Exit(signals.caught() == SIGTERM ? 0 : 1);
}

void end_without_signal() {
  { const Signals signals; }
  sigset_t left;
  ::sigpending(&left);
  std::_Exit(sigismember(&left, SIGTERM) == 0 ? 0 : 1);
}

TEST(SignalsDeathTest, ASignalAsksForTheStop) { EXPECT_EXIT(stop_by_signal(), ::testing::ExitedWithCode(0), ""); }

// What wakes the waiting thread must not reach anybody else.
TEST(SignalsDeathTest, EndsAtOnceAndLeavesNothingBehind) {
  EXPECT_EXIT(end_without_signal(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace audiencesync::testing
