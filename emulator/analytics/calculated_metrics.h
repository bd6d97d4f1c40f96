#pragma once

#include "emulator/analytics/assets.h"

namespace emulator {

/// Calculated metrics: /calculatedmetrics, and the functions they may use. Reports compute them from their formulas.
class CalculatedMetrics {
 public:
  explicit CalculatedMetrics(Platform& platform) : platform_(platform) {}

  void add_routes(AnalyticsRoutes& routes);

 private:
  Response list(const Request& request);
  Response one(const Request& request);
  Response create(const Request& request);
  Response change(const Request& request);
  Response remove(const Request& request);
  Response validate(const Request& request);
  Json answer(const Request& request, const Json& metric) const;

  Platform& platform_;
  StaleCopy copy_;
};

}  // namespace emulator
