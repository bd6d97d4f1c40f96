#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/membership/relation_spec.h"
#include "engine/store/store.h"

namespace audiencesync {

/// The relation a sync writes for analytics.
std::string analytics_relation(const Manifest& manifest);

/// What records of this manifest say.
struct RecordForm {
  RecordLayout layout = RecordLayout::Person;
  RecordNames names = RecordNames::Written;
};
RecordForm record_form(const Manifest& manifest);
/// That of a RelationSpec::shape; the default for "", which plans of earlier versions have.
RecordForm record_form(std::string_view shape);

/// What a membership means for this manifest. `audiences` is the output of the audiences stage; `quarantined` the
/// relation's quarantine. Errors: Internal when the output has another shape, Invalid for an id that layout
/// delimited cannot write.
Result<RelationSpec> relation_spec(const Manifest& manifest, const Value& audiences,
                                   const std::vector<QuarantineRecord>& quarantined);

}  // namespace audiencesync
