#pragma once

#include <string>
#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/plan.h"

namespace audiencesync {

/// Where two canonical manifests differ, as dotted paths in order: `identity.normalize`, `audiences (+2, -1)`.
std::vector<std::string> changed_definition(const Value& before, const Value& after);

/// Why a plan with changes of ours waits for an approval when nobody is asked: an Approve finding each.
///
/// `applied` is the canonical manifest that was last made real, null when none was. Pure.
std::vector<Finding> approval_findings(const Manifest& manifest, const Value& applied, const Plan& plan);

}  // namespace audiencesync
