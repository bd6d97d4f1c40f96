#pragma once

#include <array>
#include <bitset>
#include <string>
#include <vector>

#include "engine/base/clock.h"

namespace audiencesync::testing {

/// One minute as it is shown on the wall of a zone.
struct WallMinute {
  std::int64_t utc = 0;         // seconds since 1970
  std::int64_t local = 0;       // the wall clock read as if it was UTC
  std::array<int, 5> fields{};  // minute, hour, day of month, month, day of week (0 is Sunday)
};

/// All minutes of the days [from, from + days), 00:00 UTC first, by the C library: not by the code under test.
std::vector<WallMinute> wall_minutes(const std::string& zone, const std::string& from, int days);

/// What the second naive reading of an expression finds due, minute by minute. The expression is five fields without
/// names and problems.
class NaiveCron {
 public:
  explicit NaiveCron(const std::string& text);
  std::vector<Time> due(const std::vector<WallMinute>& minutes) const;

 private:
  bool matches(const std::array<int, 5>& fields) const;

  std::array<std::bitset<60>, 5> named_;
  bool either_day_ = false;
  bool every_hour_ = false;
  bool every_minutes_ = false;
};

}  // namespace audiencesync::testing
