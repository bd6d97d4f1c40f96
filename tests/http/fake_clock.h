#pragma once

#include <mutex>
#include <vector>

#include "engine/base/clock.h"

namespace audiencesync::http {

/// A clock that stands still but for sleeps, which take no time and are remembered. Thread-safe.
class FakeClock final : public Clock {
 public:
  Time now() const override {
    const std::scoped_lock lock(mutex_);
    return from_epoch_ms(1'767'225'600'000) + passed_;  // 2026-01-01T00:00:00Z
  }
  std::chrono::steady_clock::time_point steady() const override {
    const std::scoped_lock lock(mutex_);
    return std::chrono::steady_clock::time_point(std::chrono::hours(1)) + passed_;
  }
  bool sleep(Duration duration, std::stop_token stop) const override {
    if (stop.stop_requested()) return false;
    const std::scoped_lock lock(mutex_);
    passed_ += duration;
    sleeps_.push_back(duration);
    return true;
  }
  void advance(Duration duration) {
    const std::scoped_lock lock(mutex_);
    passed_ += duration;
  }
  std::vector<Duration> sleeps() const {
    const std::scoped_lock lock(mutex_);
    return sleeps_;
  }

 private:
  mutable std::mutex mutex_;
  mutable Duration passed_{0};
  mutable std::vector<Duration> sleeps_;
};

}  // namespace audiencesync::http
