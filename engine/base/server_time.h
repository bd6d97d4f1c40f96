#pragma once

#include <mutex>
#include <optional>

#include "engine/base/clock.h"

namespace audiencesync {

/// The platform's clock, learned from the `Date` field of its answers.
///
/// `Date` has whole seconds, so each answer only bounds the offset between the two clocks; the bounds of several
/// answers are intersected, and 0 is taken while it is possible. Times of intents and of absence (`settle`) are in this
/// time, so a machine with a wrong clock never declares a fresh object absent. Thread-safe.
class ServerTime {
 public:
  explicit ServerTime(const Clock& clock) : clock_(clock) {}

  /// An answer said `date`; the exchange began at `sent` and was over at `received` on our clock.
  void observe(Time date, Time sent, Time received);
  Time now() const;
  Duration offset() const;

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::optional<Duration> least_;
  std::optional<Duration> most_;
};

}  // namespace audiencesync
