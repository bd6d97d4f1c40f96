#pragma once

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// /data/foundation/sandbox-management: the one sandbox there is.
void add_sandbox_routes(Router& router, Platform& platform);

}  // namespace emulator
