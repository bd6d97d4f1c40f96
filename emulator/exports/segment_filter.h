#pragma once

#include <string>
#include <vector>

#include "emulator/data/world.h"

namespace emulator {

/// One entry of an export job's `filter.segments`, defaults filled in.
struct SegmentFilter {
  std::string audience;
  std::string space = "ups";
  std::vector<std::string> statuses{"realized", "existing"};
};

/// The entries of `filter.segments`. A parser has already kept only the last of repeated keys, as the platform's does.
std::vector<SegmentFilter> segment_filters(const Json& job);

/// SQL condition over `profiles` for the segments given and the job's other filters; no segments: everyone.
std::string export_condition(const Vocabulary& vocabulary, const Json& job, const std::vector<SegmentFilter>& segments);

}  // namespace emulator
