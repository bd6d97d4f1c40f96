#include <fmt/format.h>

#include "engine/reconcile/run_state.h"

// Going back to a past run, and syncs that somebody suspended.

namespace audiencesync {
namespace {

std::string since_whom(const Suspension& suspension) {
  // Whole seconds: to_iso8601 shows the others too.
  const auto second = [](Time time) { return to_iso8601(from_epoch_ms(to_epoch_ms(time) / 1000 * 1000)); };
  auto text = fmt::format("suspended since {}", second(suspension.since));
  if (suspension.until) text += fmt::format(" until {}", second(*suspension.until));
  if (!suspension.by.empty()) text += " by " + suspension.by;
  if (!suspension.reason.empty()) text += ": " + suspension.reason;
  return text;
}

}  // namespace

// A plan that is held for another aim than the one asked for now no longer counts.
Result<void> SyncRun::drop_other_aim(State& state, Holds::Record record) {
  if (!state.options.rollback || !state.holds.live()) return {};
  const auto held = Rollback::of(state.holds.live()->plan);
  if (held && held->run == state.options.rollback->run) return {};
  return state.holds.lose(HoldState::Stale,
                          fmt::format("a rollback to run {} was asked for", state.options.rollback->run),
                          services_.server.now(), record);
}

Result<std::optional<Suspension>> SyncRun::suspension() {
  const auto newest = TRY(store_.suspensions(services_.manifest.uid, 1));
  if (newest.empty() || !newest.front().holds(services_.server.now())) return std::optional<Suspension>();
  return std::optional(newest.front());
}

Error SyncRun::suspended(const Suspension& suspension) const {
  const auto& name = services_.manifest.name;
  return Error(ErrorCode::Refused,
               fmt::format("the sync is {}; nothing was done: audiencesync resume {} lets it go on, "
                           "and audiencesync plan shows what it would do then",
                           since_whom(suspension), name));
}

// Before the first change: whatever is killed from here on, the next run does not undo what the rollback did.
Result<void> SyncRun::suspend_for_rollback(State& state) {
  const auto goal = state.goal();
  if (state.options.retire && !state.suspended_by_us) return suspend_for_retirement(state);
  if (!goal || state.suspended_by_us) return {};
  if (const auto holding = TRY(suspension()); holding && holding->run == state.record->id) return {};
  Suspension wanted;
  wanted.uid = services_.manifest.uid;
  wanted.since = services_.server.now();
  wanted.by = state.approved_by.empty() ? state.options.user : state.approved_by;
  const auto& reason = goal->reason.empty() ? state.approval_reason : goal->reason;
  wanted.reason = fmt::format("rollback to run {}{}{}", goal->run, reason.empty() ? "" : ": ", reason);
  wanted.run = state.record->id;
  state.suspended_by_us = TRY(store_.suspend(wanted));
  services_.events.emit("sync.suspended", {{"sync", services_.manifest.name}, {"rollback_to", goal->run}});
  return {};
}

Result<void> SyncRun::suspend_for_retirement(State& state) {
  if (TRY(suspension())) return {};
  Suspension wanted;
  wanted.uid = services_.manifest.uid;
  wanted.since = services_.server.now();
  wanted.by = state.approved_by.empty() ? state.options.user : state.approved_by;
  wanted.reason = state.options.retire->empty() ? "retired" : "retired: " + *state.options.retire;
  wanted.run = state.record->id;
  state.suspended_by_us = TRY(store_.suspend(wanted));
  services_.events.emit("sync.retiring", {{"sync", services_.manifest.name}});
  return {};
}

// A rollback of which nothing was done leaves the sync as free as it was.
Result<void> SyncRun::lift_unused_suspension(State& state, const RunResult& result) {
  if (!state.suspended_by_us || result.applied > 0) return {};
  if (result.verdict == Verdict::Converged || result.plan.only_for_people()) return {};
  return store_.resume(state.suspended_by_us->id, "", "nothing of the rollback was applied", services_.server.now());
}

Result<void> SyncRun::add_suspension_findings(State& state) {
  auto& findings = state.plan.findings;
  if (state.plan.rollback) {
    findings.push_back(
        {Severity::Warning, "rollback",
         fmt::format("goes back to the memberships after run {}; once applied the sync stays suspended until "
                     "audiencesync resume {}",
                     state.plan.rollback->run, services_.manifest.name)});
    return {};
  }
  const auto holding = TRY(suspension());
  if (!holding || state.options.retire) return {};
  findings.push_back({Severity::Warning, "suspended",
                      fmt::format("the sync is {}; apply refuses until audiencesync resume {}", since_whom(*holding),
                                  services_.manifest.name)});
  return {};
}

}  // namespace audiencesync
