#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/schedule/cron.h"

namespace audiencesync::testing {

inline Time at(std::string_view text) {
  const auto time = parse_time(text);
  EXPECT_TRUE(time.has_value()) << text;
  return time.value_or(Time{});
}

inline Cron cron(std::string_view text) {
  auto read = Cron::parse(text);
  if (!read.ok()) throw std::runtime_error(read.error().text());
  return std::move(read).take();
}

inline Zone zone(std::string_view name) {
  auto found = Zone::find(name);
  if (!found.ok()) throw std::runtime_error(found.error().text());
  return std::move(found).take();
}

/// The next due instants as the wall clock of the zone shows them.
inline std::vector<std::string> next_shown(std::string_view expression, std::string_view zone_name,
                                           std::string_view after, int count) {
  const auto expression_read = cron(expression);
  const auto where = zone(zone_name);
  std::vector<std::string> out;
  auto time = at(after);
  for (int i = 0; i < count; ++i) {
    const auto due = expression_read.next(time, where);
    if (!due) break;
    out.push_back(where.local_text(*due));
    time = *due;
  }
  return out;
}

}  // namespace audiencesync::testing
