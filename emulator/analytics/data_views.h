#pragma once

#include "emulator/analytics/answers.h"
#include "emulator/data/world.h"

namespace emulator {

/// The shells of data views: /data/dataviews. A data view is an object of kind "analytics_data_view".
class DataViews {
 public:
  DataViews(Platform& platform, World& world) : platform_(platform), world_(world) {}

  void add_routes(AnalyticsRoutes& routes);
  /// Keeps a new data view made of a checked body; answers its id. Needs the objects locked.
  std::string make(Json body);

 private:
  Response list(const Request& request);
  Response one(const Request& request);
  Response validate(const Request& request);
  Response create(const Request& request);
  Response replace(const Request& request);
  Response copy(const Request& request);
  Response remove(const Request& request);

  std::string complaint(const Json& body) const;  // "" when the body is a data view
  Json whole(const Json& data_view) const;
  Json answer(const Request& request, const Json& data_view) const;

  Platform& platform_;
  World& world_;
  StaleCopy copy_;
};

}  // namespace emulator
