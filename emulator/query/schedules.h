#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "emulator/query/queries.h"

namespace emulator {

/// Queries that come back: /data/foundation/query/schedules.
///
/// A schedule is REGISTERING for half of the setting query_delay, then ENABLED until somebody disables it. Each minute
/// its cron line names, by the platform's clock, makes a run, as POST .../runs does; at most maxActiveRuns of them have
/// their query at a time, the others wait. Minutes that a jump of the clock or a stopped emulator passed over are made
/// up for, the last hundred of them; those while it was disabled are not. Everything survives a restart. Thread-safe.
class Schedules {
 public:
  Schedules(QueryCore core, Queries& queries, Worker& jobs);

  void add_routes(Router& router);
  /// Called once, after `Queries::resume` and before the router serves.
  void resume();

 private:
  Response create(const Request& request);
  Response list(const Request& request);
  Response one(const Request& request);
  Response change(const Request& request);
  Response remove(const Request& request);
  Response list_runs(const Request& request);
  Response start_run(const Request& request);
  Response one_run(const Request& request);
  Response change_run(const Request& request);

  const Json& known(const std::string& id) const;
  const Json& known_run(const Request& request) const;
  std::vector<Json> runs_of(const std::string& schedule) const;
  std::string run_state(const Json& run) const;
  Json shown_run(const Json& run) const;
  Json tasks_of(const Json& run) const;

  void arm(const std::string& id);
  void registered(const std::string& id);
  void tick(const std::string& id);
  void pump(const std::string& id);
  void add_run(const std::string& schedule, std::int64_t when, bool by_call);
  void store_run(const Json& run);

  QueryCore core_;
  Queries& queries_;
  Worker& jobs_;
};

}  // namespace emulator
