#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/membership/dictionary.h"
#include "engine/membership/person_source.h"
#include "engine/membership/relation_spec.h"

namespace audiencesync {

/// Picks the memberships a relation wants. An export carries all of a profile's, so most questions end in kUnwanted,
/// after one look into a table.
class AudienceMatcher final : public MembershipMeaning {
 public:
  /// `targets`: what to answer for spec.audiences[i]. A held audience is never wanted: the snapshot decides about it.
  AudienceMatcher(const RelationSpec& spec, const std::vector<Rank>& targets);

  /// A number is the rank of the target; ids are compared exactly.
  std::uint32_t audience(std::string_view id) const override;
  const AudienceFilter* filter() const override { return &filter_; }
  /// Without case.
  bool lives_in(std::uint32_t audience, std::string_view membership_namespace) const override;
  Status status(std::string_view word) const override;
  std::uint32_t limit() const override { return static_cast<std::uint32_t>(namespaces_.size()); }

 private:
  struct Wanted {
    std::string id;
    Rank rank = 0;
  };
  struct Slot {
    std::uint32_t tag = 0;       // other bits of the id's hash: few strangers get as far as a comparison
    std::uint32_t position = 0;  // 1 + that in wanted_, 0 where free
  };
  std::vector<Wanted> wanted_;
  AudienceFilter filter_;
  std::vector<Slot> table_;              // open addressing, a power of two
  std::vector<std::string> namespaces_;  // by rank, lower case
  std::vector<std::string> members_;     // status words, lower case
};

}  // namespace audiencesync
