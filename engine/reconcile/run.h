#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/model/outcome.h"
#include "engine/model/plan.h"
#include "engine/plugin/registry.h"

namespace audiencesync {

enum class Refresh { No, Yes };
enum class Mode { Plan, Apply };

struct RunOptions {
  Mode mode = Mode::Plan;
  Refresh refresh = Refresh::No;  // make a new export first
  /// Asked once for each plan that changes something, before anything of it is done. Not asked for refresh writes.
  std::function<bool(const Plan&)> approve = [](const Plan&) { return false; };
  /// Told of refresh writes before they happen, and of each change as it begins.
  std::function<void(const Change&)> announce = [](const Change&) {};
};

/// How one sync ended.
struct RunResult {
  Verdict verdict = Verdict::Failed;
  Plan plan;                   // the last one made: what was done, or what is pending
  std::optional<Error> error;  // for Failed, NotFinished and refusals that are errors
  std::uint64_t applied = 0;   // changes made real by this call
  ExitCode code() const;
};

/// One pass of the engine over one sync: settle what an interrupted run left, refresh, plan exactly, guard, ask,
/// execute, verify, record.
///
/// Level-based: it compares states and can be killed at any call or durable write; calling it again continues.
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
  Result<bool> has_open_target_change();
  Result<void> settle_open_changes(State& state);
  Result<bool> refresh(State& state, class Pass& pass);
  Result<void> converge_plan(State& state, class Pass& pass);
  Result<void> apply_changes(State& state, class Pass& pass, const std::vector<Change>& changes);
  Result<void> apply_change(State& state, class Pass& pass, const Change& change);
  Result<void> finish_change(State& state, const ChangeRecord& record, Result<Applied> applied, class Pass& pass);

  const Registry& registry_;
  const RunServices& services_;
  Store& store_;
  http::WriteClient& writer_;
};

}  // namespace audiencesync
