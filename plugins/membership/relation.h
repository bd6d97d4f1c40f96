#pragma once

#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/membership/relation_spec.h"
#include "engine/store/store.h"

namespace audiencesync {

/// The relation a sync writes for analytics.
std::string analytics_relation(const Manifest& manifest);

/// What a membership means for this manifest. `audiences` is the output of the audiences stage; `quarantined` the
/// relation's quarantine. Errors: Internal when the output has another shape.
Result<RelationSpec> relation_spec(const Manifest& manifest, const Value& audiences,
                                   const std::vector<QuarantineRecord>& quarantined);

}  // namespace audiencesync
