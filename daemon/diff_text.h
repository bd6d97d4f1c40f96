#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "engine/base/value.h"
#include "engine/membership/difference.h"

namespace audiencesync {

/// What `diff --stats` tells.
struct DiffStats {
  DifferenceSide from;
  DifferenceSide to;
  DifferenceCounts counts;
  std::chrono::duration<double> took{};
  std::uint64_t peak_memory = 0;  // bytes, of this process
};

/// Lines for people. Holds no person ids.
std::string diff_stats_text(const DiffStats& stats);
Value diff_stats_value(const DiffStats& stats);
/// Rows of an export that could not be used, as the end of a warning; "" when there are none.
std::string unusable_text(const DroppedRows& dropped);

}  // namespace audiencesync
