#pragma once

#include "emulator/http/router.h"
#include "emulator/platform.h"

namespace emulator {

/// GET and PUT of /_emulator/settings and /_emulator/clock. Both survive a restart: they are objects like any other.
void add_settings_routes(Router& router, Platform& platform);

/// Takes up what an earlier process was told; once, at start.
void restore_settings(Platform& platform);

Json settings_json(const Settings& settings);
/// Changes the members named by `change`; throws HttpError 400 for an unknown one, changing nothing.
Settings changed_settings(const Settings& settings, const Json& change);

}  // namespace emulator
