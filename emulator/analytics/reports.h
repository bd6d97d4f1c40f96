#pragma once

#include "emulator/analytics/answers.h"
#include "emulator/analytics/report_query.h"
#include "emulator/data/world.h"

namespace emulator {

/// Reports: POST /reports and GET /reports/topItems. Numbers are computed from the events and the rows of profiles that
/// the connection holds at that moment.
class Reports {
 public:
  Reports(Platform& platform, Lake& lake, World& world, HeldRows& rows)
      : platform_(platform), lake_(lake), world_(world), rows_(rows) {}

  void add_routes(AnalyticsRoutes& routes);

 private:
  Response report(const Request& request);
  Response top_items(const Request& request);
  Json answer(const Json& body);

  Platform& platform_;
  Lake& lake_;
  World& world_;
  HeldRows& rows_;
};

}  // namespace emulator
