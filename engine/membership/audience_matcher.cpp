#include "engine/membership/audience_matcher.h"

#include <algorithm>
#include <array>

namespace audiencesync {
namespace {

char lower_character(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

bool equals_lower(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char left, char right) { return lower_character(left) == right; });
}

std::string lower_copy(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower_character);
  return out;
}

// `entered` is in no document of the platform, only in older examples, where it means `realized`.
std::string_view same_status(std::string_view word) { return word == "entered" ? "realized" : word; }

}  // namespace

AudienceMatcher::AudienceMatcher(const RelationSpec& spec, const std::vector<Rank>& targets) {
  for (std::size_t i = 0; i < spec.audiences.size(); ++i) {
    const auto& audience = spec.audiences[i];
    if (audience.held) continue;
    wanted_.emplace(audience.id, Wanted{lower_copy(audience.membership_namespace), targets[i]});
  }
  for (const auto& status : spec.statuses) members_.emplace_back(same_status(lower_copy(status)));
}

AudienceMatcher::Status AudienceMatcher::classify(std::string_view word) const {
  static constexpr std::array<std::string_view, 4> kKnown{"realized", "exited", "existing", "entered"};
  for (const auto known : kKnown) {
    if (!equals_lower(word, known)) continue;
    const auto meant = same_status(known);
    return std::find(members_.begin(), members_.end(), meant) != members_.end() ? Status::Member : Status::Other;
  }
  for (const auto& member : members_) {
    if (equals_lower(word, member)) return Status::Member;
  }
  return Status::Unknown;
}

std::uint64_t AudienceMatcher::match(const SourceRow& row, Ranks& out) const {
  out.clear();
  std::uint64_t unknown = 0;
  if (row.memberships == nullptr) return unknown;
  for (const auto& membership : *row.memberships) {
    const auto found = wanted_.find(membership.audience);
    if (found == wanted_.end()) continue;
    if (!equals_lower(membership.membership_namespace, found->second.membership_namespace)) continue;
    switch (classify(membership.status)) {
      case Status::Member:
        out.push_back(found->second.rank);
        break;
      case Status::Unknown:
        ++unknown;
        break;
      case Status::Other:
        break;
    }
  }
  if (out.size() > 1) {
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
  }
  return unknown;
}

}  // namespace audiencesync
