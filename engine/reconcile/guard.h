#pragma once

#include <vector>

#include "engine/manifest/manifest.h"
#include "engine/model/bulk.h"
#include "engine/model/finding.h"

namespace audiencesync {

/// What the guards of a manifest say about a change of memberships: a Guard finding for each that trips, with the
/// numbers. `declared` are the audiences the manifest names: a withdrawn one counts for removals, not for shrink.
/// Pure. Nothing trips where fewer than `min_people` are concerned.
std::vector<Finding> guard(const Guard& limits, const Bulk& bulk, const std::vector<AudienceId>& declared);

}  // namespace audiencesync
