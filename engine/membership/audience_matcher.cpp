#include "engine/membership/audience_matcher.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "engine/membership/bytes.h"

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

// Of length, beginning and end only: ids are long and mostly random, and the table compares them whole anyway.
std::uint64_t id_hash(std::string_view id) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (id.size() >= sizeof first) {
    std::memcpy(&first, id.data(), sizeof first);
    std::memcpy(&last, id.data() + id.size() - sizeof last, sizeof last);
  } else {
    for (const char character : id) first = first << 8U | static_cast<unsigned char>(character);
  }
  auto hash = (first ^ std::rotl(last, 31) ^ id.size()) * 0x9E3779B97F4A7C15ULL;
  hash ^= hash >> 32U;
  return hash * 0xD6E8FEB86659FD93ULL;
}

}  // namespace

AudienceMatcher::AudienceMatcher(const RelationSpec& spec, const std::vector<Rank>& targets) {
  for (std::size_t i = 0; i < spec.audiences.size(); ++i) {
    const auto& audience = spec.audiences[i];
    if (audience.held) continue;
    wanted_.push_back({audience.id, targets[i]});
    filter_.add(audience.id);
    if (namespaces_.size() <= targets[i]) namespaces_.resize(targets[i] + std::size_t{1});
    namespaces_[targets[i]] = lower_copy(audience.membership_namespace);
  }
  table_.resize(std::bit_ceil(8 * wanted_.size() + 8));
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    const auto hash = id_hash(wanted_[i].id);
    auto at = hash >> 32U;
    while (table_[at & (table_.size() - 1)].position != 0) ++at;
    table_[at & (table_.size() - 1)] = {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(i + 1)};
  }
  for (const auto& status : spec.statuses) members_.emplace_back(same_status(lower_copy(status)));
}

std::uint32_t AudienceMatcher::audience(std::string_view id) const {
  const auto hash = id_hash(id);
  for (auto at = hash >> 32U;; ++at) {
    const auto& slot = table_[at & (table_.size() - 1)];
    if (slot.position == 0) return kUnwanted;
    if (slot.tag != static_cast<std::uint32_t>(hash)) continue;
    if (same_text(wanted_[slot.position - 1].id, id)) return wanted_[slot.position - 1].rank;
  }
}

bool AudienceMatcher::lives_in(std::uint32_t audience, std::string_view membership_namespace) const {
  return equals_lower(membership_namespace, namespaces_[audience]);
}

MembershipMeaning::Status AudienceMatcher::status(std::string_view word) const {
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

}  // namespace audiencesync
