#pragma once

#include "emulator/analytics/assets.h"

namespace emulator {

/// Tags of components: /componentmetadata/tags.
void add_tag_routes(AnalyticsRoutes& routes, Platform& platform);

/// Who may see what: /componentmetadata/shares, and whose things they are: /componentmetadata/assets.
void add_share_routes(AnalyticsRoutes& routes, Platform& platform);

}  // namespace emulator
