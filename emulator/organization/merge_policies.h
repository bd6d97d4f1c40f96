#pragma once

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// Makes a default and another merge policy (objects of kind "merge_policy") when there is none yet; once, at start.
void seed_merge_policies(Platform& platform);

/// GET /data/core/ups/config/mergePolicies and one of them.
void add_merge_policy_routes(Router& router, Platform& platform);

}  // namespace emulator
