#pragma once

#include "engine/plugin/stage.h"

namespace audiencesync {

/// Finds the declared audiences and checks what everything else rests on: sandbox, tenant, merge policy, identity
/// namespace. Owns nothing on the platform.
///
/// Outputs: `audiences` = array sorted by id of {"id", "name" (the label to write), "namespace" (key of the membership
/// map), "held" (unreadable upstream: memberships stay), "expected" (people, or null)}; `merge_policy` = id.
StageDescriptor audiences_stage();

}  // namespace audiencesync
