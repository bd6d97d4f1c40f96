#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace audiencesync {

using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

/// Time as the engine sees it. Tests give a clock of their own. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock of this machine, UTC.
  virtual Time now() const = 0;
  /// Never goes back; for deadlines and measured durations.
  virtual std::chrono::steady_clock::time_point steady() const = 0;
  /// Sleeps; false when `stop` was requested before the time was over.
  virtual bool sleep(Duration duration, std::stop_token stop) const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override;
  std::chrono::steady_clock::time_point steady() const override;
  bool sleep(Duration duration, std::stop_token stop) const override;
};

/// 2026-01-02T03:04:05Z, or with milliseconds when there are any.
std::string to_iso8601(Time time);
/// Reads 2026-01-02T03:04:05[.678](Z|+hh:mm) and the HTTP form `Fri, 02 Jan 2026 03:04:05 GMT`; nullopt otherwise.
std::optional<Time> parse_time(std::string_view text);
Time from_epoch_ms(std::int64_t milliseconds);
std::int64_t to_epoch_ms(Time time);

}  // namespace audiencesync
