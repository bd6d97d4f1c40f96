#include "engine/reconcile/guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/manifest/limit.h"

namespace audiencesync {
namespace {

double percent(std::uint64_t part, std::uint64_t of) {
  return of == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(of);
}

Finding trip(std::string text, std::string_view limit) {
  return {Severity::Guard, "guard", fmt::format("{}; the limit is {}", text, limit)};
}

// Whoever judges a removal should know that somebody asked for a part of it.
std::string asked_for(const Bulk& bulk) {
  const auto& forgotten = bulk.forgotten;
  if (forgotten.memberships == 0) return "";
  return fmt::format("; {} of them {} people who were forgotten on request", forgotten.memberships,
                     forgotten.memberships == 1 ? "is that of" : "are those of");
}

}  // namespace

std::vector<Finding> guard(const Guard& limits, const Bulk& bulk, const std::vector<AudienceId>& declared) {
  std::vector<Finding> trips;
  std::uint64_t before = 0;
  std::uint64_t left = 0;
  for (const auto& audience : bulk.audiences) {
    before += audience.before;
    left += audience.left;
  }
  if (before >= limits.min_people && !within(limits.max_removals, left, before)) {
    trips.push_back(trip(fmt::format("{} of {} memberships would be removed ({:.1f} %, allowed {}){}", left, before,
                                     percent(left, before), limits.max_removals.text(), asked_for(bulk)),
                         "guard.max_removals"));
  }
  for (const auto& audience : bulk.audiences) {
    if (std::find(declared.begin(), declared.end(), audience.id) == declared.end()) continue;
    if (audience.before < limits.min_people) continue;
    if (audience.before > 0 && audience.after == 0 && !limits.allow_empty_audience) {
      trips.push_back(trip(
          fmt::format("audience '{}' would be emptied: {} people before, none after", audience.name, audience.before),
          "guard.allow_empty_audience"));
      continue;
    }
    if (audience.after < audience.before &&
        !within(limits.max_audience_shrink, audience.before - audience.after, audience.before)) {
      trips.push_back(
          trip(fmt::format("audience '{}' would shrink from {} to {} people ({:.1f} %, allowed {})", audience.name,
                           audience.before, audience.after, percent(audience.before - audience.after, audience.before),
                           limits.max_audience_shrink.text()),
               "guard.max_audience_shrink"));
    }
    if (audience.after > audience.before &&
        !within(limits.max_audience_growth, audience.after - audience.before, audience.before)) {
      trips.push_back(
          trip(fmt::format("audience '{}' would grow from {} to {} people ({:.1f} %, allowed {})", audience.name,
                           audience.before, audience.after, percent(audience.after - audience.before, audience.before),
                           limits.max_audience_growth.text()),
               "guard.max_audience_growth"));
    }
  }
  return trips;
}

}  // namespace audiencesync
