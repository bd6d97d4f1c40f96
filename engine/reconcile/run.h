#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/model/outcome.h"
#include "engine/model/plan.h"
#include "engine/plugin/registry.h"
#include "engine/reconcile/holds.h"

namespace audiencesync {

enum class Refresh { No, Yes };
/// ReadBack: nothing but making what is known of the target dataset true again, from its rows.
enum class Mode { Plan, Apply, ReadBack };

/// What somebody says to a plan.
enum class Consent {
  Given,
  Declined,  // a person said no: nothing is done, nothing is held
  Awaited,   // nobody was there to ask: the plan is held until somebody approves it
};

struct RunOptions {
  Mode mode = Mode::Plan;
  Refresh refresh = Refresh::No;                 // make a new export first
  ReadBackWish read_back = ReadBackWish::Asked;  // for Mode::ReadBack
  /// A reviewed plan (Plan::to_value): exactly this is applied, from its own export, or nothing.
  std::optional<Value> exact;
  /// Goes back to the memberships of a past run, and suspends the sync when that is applied.
  std::optional<Rollback> rollback;
  /// The sync ends with this run: it is suspended before anything is done, for this reason.
  std::optional<std::string> retire;
  std::size_t samples = 3;  // masked people per kind of change in the plan
  std::string user;         // who runs this, for the history
  /// Asked once for each plan that changes something, before anything of it is done; not for refresh writes, and not
  /// for a plan that `approve` let through.
  std::function<Consent(const Plan&)> approve = [](const Plan&) { return Consent::Awaited; };
  /// Told of refresh writes before they happen, and of each change as it begins.
  std::function<void(const Change&)> announce = [](const Change&) {};
  /// Told of a plan that is executed without being asked about, because it was approved before.
  std::function<void(const Plan&)> show = [](const Plan&) {};
};

/// How one sync ended.
struct RunResult {
  Verdict verdict = Verdict::Failed;
  Plan plan;                   // the last one made: what was done, or what is pending
  std::optional<Error> error;  // for Failed, NotFinished and refusals that are errors
  std::uint64_t applied = 0;   // changes made real by this call, those of a refresh not counted
  ExitCode code() const;
};

/// One pass of the engine over one sync: settle what an interrupted run left, refresh, plan exactly, guard, ask,
/// execute, verify, record.
///
/// Level-based: it compares states and can be killed at any call or durable write; calling it again continues. A held
/// plan is not replaced by a refresh: while there is one, everything is planned from its export.
/// Ends in exactly one verdict; every error is in the result, nothing is thrown. Needs the state lock for anything but
/// a plan without refresh. Blocks; one thread.
class SyncRun {
 public:
  SyncRun(const Registry& registry, const RunServices& services, Store& store, http::WriteClient& writer)
      : registry_(registry), services_(services), store_(store), writer_(writer) {}

  RunResult execute(const RunOptions& options);

 private:
  struct State;
  Result<Verdict> dry(State& state);
  Result<Verdict> live(State& state);
  Result<std::optional<Verdict>> round(State& state);
  Result<std::optional<Verdict>> execute_plan(State& state, class Pass& pass);
  Result<Verdict> finish(State& state, class Pass& pass);
  Result<void> record_end(State& state, RunResult& result);

  // Going back, and being suspended (run_rollback.cpp).
  Result<void> drop_other_aim(State& state, Holds::Record record);
  Result<std::optional<Suspension>> suspension();
  Error suspended(const Suspension& suspension) const;
  Result<void> suspend_for_rollback(State& state);
  Result<void> suspend_for_retirement(State& state);
  Result<void> lift_unused_suspension(State& state, const RunResult& result);
  Result<void> add_suspension_findings(State& state);

  // Planning.
  Result<bool> refresh(State& state, class Pass& pass);
  Result<void> converge_plan(State& state, class Pass& pass);
  Result<void> add_view(State& state, class Pass& pass, const struct StageView& view);
  Result<void> complete_plan(State& state);
  Result<void> prove(State& state, class Pass& pass);
  Result<bool> still_fits(State& state);

  // Executing.
  Result<bool> has_open_target_change();
  Result<void> settle_open_changes(State& state);
  Result<Verdict> read_back(State& state);
  Result<bool> repair(State& state, class Pass& pass);
  Result<void> apply_changes(State& state, class Pass& pass, const std::vector<Change>& changes);
  Result<void> apply_change(State& state, class Pass& pass, const Change& change);
  Result<void> finish_change(State& state, const ChangeRecord& record, Result<Applied> applied, class Pass& pass);

  const Registry& registry_;
  const RunServices& services_;
  Store& store_;
  http::WriteClient& writer_;
};

}  // namespace audiencesync
