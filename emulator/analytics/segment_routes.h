#pragma once

#include "emulator/analytics/answers.h"

namespace emulator {

/// Segments, /segments and by its old name /filters. A segment is an object of kind "analytics_segment".
class SegmentRoutes {
 public:
  explicit SegmentRoutes(Platform& platform) : platform_(platform) {}

  void add_routes(AnalyticsRoutes& routes);

 private:
  Response list(const Request& request);
  Response one(const Request& request);
  Response create(const Request& request);
  Response change(const Request& request);
  Response remove(const Request& request);
  Response validate(const Request& request);

  Platform& platform_;
  StaleCopy copy_;
};

}  // namespace emulator
