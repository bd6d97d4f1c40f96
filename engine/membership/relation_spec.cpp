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
  Value::Object meaning{{"relation", relation},
                        {"uid", uid},
                        {"tenant", tenant},
                        {"identity_field", identity_field},
                        {"identity_namespace", identity_namespace},
                        {"person", person_rule_word(person)},
                        {"statuses", std::move(words)},
                        {"audiences", std::move(members)}};
  // Only when it is not the default, so that states of earlier versions keep their digest.
  if (const auto words_of_shape = shape(); words_of_shape != RelationSpec{}.shape()) meaning["shape"] = words_of_shape;
  return digest_of(std::move(meaning));
}

std::string RelationSpec::shape() const {
  std::string text;
  switch (layout) {
    case RecordLayout::Person:
      text = "person";
      break;
    case RecordLayout::Membership:
      text = "membership";
      break;
    case RecordLayout::Delimited:
      return "delimited";
  }
  return names == RecordNames::Written ? text : text + ", ids only";
}

bool has_tombstones(std::string_view shape) { return !shape.starts_with("membership"); }

std::optional<std::size_t> RelationSpec::most_audiences() const {
  switch (layout) {
    case RecordLayout::Person:
      break;
    case RecordLayout::Membership:
      return 1;
    case RecordLayout::Delimited:
      return kMostDelimitedIds;
  }
  return std::nullopt;
}

}  // namespace audiencesync
