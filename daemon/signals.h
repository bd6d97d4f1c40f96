#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace audiencesync {

/// Turns SIGINT and SIGTERM into a stop request. Built in main before any other thread, so that they inherit the mask.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  std::stop_token stop() const { return source_.get_token(); }
  /// The signal that asked for the stop, 0 when none did.
  int caught() const { return caught_; }

 private:
  std::stop_source source_;
  std::atomic<int> caught_{0};
  std::jthread waiter_;
};

}  // namespace audiencesync
