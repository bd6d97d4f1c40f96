#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace emulator {

/// Real time plus an offset that a control call moves. Thread-safe.
class Clock {
 public:
  using Time = std::chrono::system_clock::time_point;
  Time now() const;
  std::int64_t now_ms() const;  // Unix epoch, milliseconds: how most services of the platform write time
  void advance(std::chrono::milliseconds by);
  std::chrono::milliseconds offset() const { return std::chrono::milliseconds(offset_ms_.load()); }

 private:
  std::atomic<std::int64_t> offset_ms_{0};
};

std::string iso8601(std::int64_t epoch_ms);  // 2026-01-02T03:04:05.678Z
/// The same back: a date and a time, a `T` or a blank between them, seconds and their parts optional, UTC or with an
/// offset. nullopt for anything else.
std::optional<std::int64_t> parse_iso8601(std::string_view text);
std::string http_date(std::int64_t epoch_ms);  // RFC 9110 form, for the Date header

}  // namespace emulator
