#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/reconcile/holds.h"
#include "engine/reconcile/run.h"

namespace audiencesync {

/// What one run knows on its way; shared by the parts of SyncRun, and by nobody else.
struct SyncRun::State {
  State(const RunOptions& options_in, Holds holds_in) : options(options_in), holds(std::move(holds_in)) {}

  const RunOptions& options;
  Holds holds;
  Plan plan;
  std::optional<RunRecord> record;
  bool resumed = false;  // an interrupted run is being continued
  std::uint64_t applied = 0;
  std::map<std::string, Value> remember;
  std::optional<Value> consented;  // the plan that was approved in this run
  std::string approved_by;         // of a plan that `approve` let through
  std::string approval_reason;
  std::vector<AudienceDelta> sizes;  // as last planned
  std::vector<Sample> samples;       // of stages that see whom the engine does not
  std::optional<Bulk> written;       // memberships of the plan that was executed
  std::string repaired;              // why what we know was made anew
  std::string report;                // what the prove phase says
  std::optional<Error> moved;        // why this round's plan could not be finished: something moved under it

  std::optional<Suspension> suspended_by_us;  // for a rollback, in this call

  /// Where the run goes back to, if it does.
  std::optional<Rollback> goal() const {
    if (options.rollback) return options.rollback;
    return expected() == nullptr ? std::nullopt : Rollback::of(*expected());
  }

  /// The plan whose export must be used, when there is one.
  const Value* expected() const {
    if (options.exact) return &*options.exact;
    return holds.live() ? &holds.live()->plan : nullptr;
  }
};

}  // namespace audiencesync
