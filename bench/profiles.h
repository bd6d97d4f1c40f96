#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace audiencesync::bench {

/// A made-up population: how many profiles, and where the wanted audiences are among all.
struct Population {
  std::uint64_t profiles = 2'000'000;

  static constexpr std::uint64_t kAudiences = 40;
  static constexpr std::uint64_t kWanted = 5;  // the first ones
  static constexpr std::uint64_t kParts = 8;

  /// People that exist in one of the two generations at least.
  std::uint64_t people() const { return profiles + profiles / 500; }
  /// People of part `part`: [first, last).
  std::uint64_t first_of(std::uint64_t part) const { return people() * part / kParts; }
};

enum class Generation { Old, New };

/// The id of an audience: a UUID, as the platform makes them.
std::string audience_id(std::uint64_t number);

/// Appends one exported profile as a line of JSON, about 1.2 KB with ten memberships. Nothing when this generation
/// lacks the person: 0.2 % are only in the old one, 0.2 % only in the new one, and of 0.6 % the memberships differ.
void append_profile(std::string& out, const Population& population, std::uint64_t person, Generation generation,
                    const std::vector<std::string>& audiences);

}  // namespace audiencesync::bench
