#include "plugins/membership/relation.h"

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

}  // namespace

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
  for (const auto status : manifest.source.statuses) spec.statuses.emplace_back(to_string(status));
  for (const auto& audience : *list) {
    spec.audiences.push_back(
        {audience.text("id"), audience.text("name"), audience.text("namespace"), audience.flag("held")});
  }
  for (const auto& record : quarantined) spec.quarantined.insert(PersonId(record.person));
  return spec;
}

}  // namespace audiencesync
