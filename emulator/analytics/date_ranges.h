#pragma once

#include "emulator/analytics/assets.h"

namespace emulator {

/// Date ranges, /dateranges. A definition is kept as it is: no published sentence says what may be in it.
void add_date_range_routes(AnalyticsRoutes& routes, Platform& platform);

/// Projects of Workspace, /projects with validate. A definition is kept as it is; its data view must exist.
void add_project_routes(AnalyticsRoutes& routes, Platform& platform);

}  // namespace emulator
