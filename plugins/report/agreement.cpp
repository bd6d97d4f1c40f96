#include "plugins/report/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace audiencesync {
namespace {

// What the platform writes where a person has no value.
constexpr std::array<std::string_view, 5> kNoValue{"", "No value", "No Value", "Unspecified", "None"};
// So few may all lack events by chance; of ten it is less likely than one in ten thousand.
constexpr double kLeastExpected = 10;

std::uint64_t count_in(const PeopleByName& people, const std::string& name) {
  const auto found = people.find(name);
  return found == people.end() ? 0 : found->second;
}

/// The share of people that is visible, judged by the audiences that are; 0 when none is.
double visible_share(const PeopleByName& proven, const PeopleByName& reported) {
  double seen = 0;
  double there = 0;
  for (const auto& [name, people] : proven) {
    const auto visible = count_in(reported, name);
    if (visible == 0) continue;
    seen += static_cast<double>(visible);
    there += static_cast<double>(people);
  }
  return there > 0 ? std::min(seen / there, 1.0) : 0;
}

bool is_more_than(std::uint64_t people, std::uint64_t allowed, double tolerance) {
  return static_cast<double>(people) > static_cast<double>(allowed) * (1 + tolerance);
}

/// The sign of a move that is larger than the tolerance and than chance.
int clear_direction(std::uint64_t before, std::uint64_t after, double tolerance) {
  const double moved = static_cast<double>(after) - static_cast<double>(before);
  if (std::abs(moved) < kLeastExpected || std::abs(moved) <= tolerance * static_cast<double>(before)) return 0;
  return moved > 0 ? 1 : -1;
}

}  // namespace

PeopleByName proven_people(const std::vector<AudiencePeople>& audiences, CountedBy by) {
  PeopleByName people;
  for (const auto& audience : audiences) people[by == CountedBy::Name ? audience.name : audience.id] += audience.people;
  return people;
}

PeopleByName reported_people(const std::vector<platform::PeopleRow>& rows) {
  PeopleByName people;
  for (const auto& row : rows) {
    if (std::find(kNoValue.begin(), kNoValue.end(), row.value) == kNoValue.end()) people[row.value] += row.people;
  }
  return people;
}

Agreement compare_people(const PeopleByName& proven, const PeopleByName& reported, double tolerance,
                         const std::optional<EarlierCounts>& earlier) {
  Agreement agreement;
  const double share = visible_share(proven, reported);
  for (const auto& [name, people] : proven) {
    const auto visible = count_in(reported, name);
    if (visible == 0 && people > 0) {
      const double expected = std::floor(static_cast<double>(people) * share);
      if (expected >= kLeastExpected) {
        agreement.differences.push_back(fmt::format(
            "'{}' is missing, although about {:.0f} of its {} people should be visible", name, expected, people));
      } else {
        agreement.absent.push_back(name);
      }
    }
    if (is_more_than(visible, people, tolerance))
      agreement.differences.push_back(fmt::format("'{}' shows {} people, and {} are in it", name, visible, people));
  }
  for (const auto& [name, people] : reported) {
    if (people > 0 && !proven.contains(name))
      agreement.differences.push_back(
          fmt::format("'{}' shows {} people, and is no audience of this sync any more", name, people));
  }
  if (!earlier) return agreement;
  for (const auto& [name, people] : proven) {
    const int wanted = clear_direction(count_in(earlier->proven, name), people, tolerance);
    const auto before = count_in(earlier->reported, name);
    const auto visible = count_in(reported, name);
    if (wanted * clear_direction(before, visible, tolerance) < 0)
      agreement.differences.push_back(
          fmt::format("'{}' went from {} to {} people in reports, and from {} to {} in fact", name, before, visible,
                      count_in(earlier->proven, name), people));
  }
  return agreement;
}

}  // namespace audiencesync
