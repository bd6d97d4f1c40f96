#include "plugins/membership/relation.h"

#include <fmt/format.h>

namespace audiencesync {
namespace {

PersonRule person_rule(Normalize normalize) {
  switch (normalize) {
    case Normalize::None:
      return PersonRule::AsIs;
    case Normalize::Trim:
      return PersonRule::Trim;
    case Normalize::Lower:
      return PersonRule::Lower;
    case Normalize::Sha256Lower:
      return PersonRule::Sha256Lower;
  }
  return PersonRule::AsIs;
}

RecordLayout record_layout(Layout layout) {
  switch (layout) {
    case Layout::Person:
      return RecordLayout::Person;
    case Layout::Membership:
      return RecordLayout::Membership;
    case Layout::Delimited:
      return RecordLayout::Delimited;
  }
  return RecordLayout::Person;
}

}  // namespace

RecordForm record_form(const Manifest& manifest) {
  return {record_layout(manifest.target.layout),
          manifest.target.name_lookup ? RecordNames::LookedUp : RecordNames::Written};
}

RecordForm record_form(std::string_view shape) {
  for (const auto layout : {RecordLayout::Person, RecordLayout::Membership, RecordLayout::Delimited}) {
    for (const auto names : {RecordNames::Written, RecordNames::LookedUp}) {
      RelationSpec spec;
      spec.layout = layout;
      spec.names = names;
      if (spec.shape() == shape) return {layout, names};
    }
  }
  return {};
}

std::string analytics_relation(const Manifest& manifest) { return manifest.uid + "/analytics"; }

Result<RelationSpec> relation_spec(const Manifest& manifest, const Value& audiences,
                                   const std::vector<QuarantineRecord>& quarantined) {
  const auto* list = audiences.array_if();
  if (list == nullptr) return Error(ErrorCode::Internal, "the audiences stage handed on no list of audiences");
  RelationSpec spec;
  spec.relation = analytics_relation(manifest);
  spec.uid = manifest.uid;
  spec.tenant = manifest.tenant;
  spec.identity_field = manifest.identity.field;
  spec.identity_namespace = manifest.identity.namespace_code;
  spec.person = person_rule(manifest.identity.normalize);
  const auto form = record_form(manifest);
  spec.layout = form.layout;
  spec.names = form.names;
  for (const auto status : manifest.source.statuses) spec.statuses.emplace_back(to_string(status));
  for (const auto& audience : *list) {
    spec.audiences.push_back(
        {audience.text("id"), audience.text("name"), audience.text("namespace"), audience.flag("held")});
  }
  if (spec.layout == RecordLayout::Delimited) {
    for (const auto& audience : spec.audiences) {
      if (audience.id.find(kIdDelimiter) == std::string::npos) continue;
      return Error(ErrorCode::Invalid,
                   fmt::format("the id of audience '{}' has a comma, which layout delimited puts between ids; use "
                               "target.layout: person",
                               audience.name));
    }
  }
  for (const auto& record : quarantined) spec.quarantined.insert(PersonId(record.person));
  return spec;
}

}  // namespace audiencesync
