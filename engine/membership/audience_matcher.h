#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/membership/dictionary.h"
#include "engine/membership/person_source.h"
#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// Picks the memberships a relation wants out of a row. An export carries all of a profile's.
class AudienceMatcher {
 public:
  /// `targets`: what to answer for spec.audiences[i]. A held audience is never matched: the snapshot decides about it.
  AudienceMatcher(const RelationSpec& spec, const std::vector<Rank>& targets);

  /// Replaces `out`, sorted. Returns how many wanted memberships had a status word nobody has documented; those do not
  /// count as members.
  std::uint64_t match(const SourceRow& row, Ranks& out) const;

 private:
  enum class Status { Member, Other, Unknown };
  Status classify(std::string_view word) const;

  struct Wanted {
    std::string membership_namespace;  // lower case
    Rank rank;
  };
  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, Wanted, TextHash, std::equal_to<>> wanted_;  // by audience id
  std::vector<std::string> members_;                                           // status words, lower case
};

}  // namespace audiencesync
