#pragma once

#include "emulator/analytics/answers.h"
#include "emulator/data/lake.h"

namespace emulator {

/// The connections as the API shows them: /data/connections. Nobody can write there but a person.
class Connections {
 public:
  Connections(Platform& platform, Lake& lake) : platform_(platform), lake_(lake) {}

  void add_routes(AnalyticsRoutes& routes);

 private:
  Response list(const Request& request);
  Response one(const Request& request);
  Response search(const Request& request);
  Response backfills(const Request& request);

  StaleCopy::Objects all() const;
  Json whole(const Json& connection) const;
  Json whole_data_set(const Json& data_set) const;

  Platform& platform_;
  Lake& lake_;
  StaleCopy copy_;
};

/// The expansions of a connection and, of each data set in it, those that name its members.
Json expanded_connection(const Expansion& expansion, const Json& whole);

}  // namespace emulator
