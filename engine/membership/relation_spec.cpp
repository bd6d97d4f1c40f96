#include "engine/membership/relation_spec.h"

#include <algorithm>

namespace audiencesync {
namespace {

const char* person_rule_word(PersonRule rule) {
  switch (rule) {
    case PersonRule::AsIs:
      return "none";
    case PersonRule::Trim:
      return "trim";
    case PersonRule::Lower:
      return "lower";
    case PersonRule::Sha256Lower:
      return "sha256_lower";
  }
  return "none";
}

std::string lower_word(std::string word) {
  for (auto& character : word) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return word;
}

}  // namespace

Digest RelationSpec::definition() const {
  // Order never means anything here, so it must not change the digest.
  auto sorted_statuses = statuses;
  for (auto& status : sorted_statuses) status = lower_word(status);
  std::sort(sorted_statuses.begin(), sorted_statuses.end());
  auto sorted_audiences = audiences;
  std::sort(sorted_audiences.begin(), sorted_audiences.end(),
            [](const RelationAudience& left, const RelationAudience& right) { return left.id < right.id; });

  Value::Array words;
  for (const auto& status : sorted_statuses) words.emplace_back(status);
  Value::Array members;
  for (const auto& audience : sorted_audiences) {
    members.emplace_back(Value::Object{
        {"id", audience.id}, {"name", audience.name}, {"namespace", lower_word(audience.membership_namespace)}});
  }
  return digest_of(Value::Object{{"relation", relation},
                                 {"uid", uid},
                                 {"tenant", tenant},
                                 {"identity_field", identity_field},
                                 {"identity_namespace", identity_namespace},
                                 {"person", person_rule_word(person)},
                                 {"statuses", std::move(words)},
                                 {"audiences", std::move(members)}});
}

}  // namespace audiencesync
