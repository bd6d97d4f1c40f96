#include "engine/reconcile/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/reconcile/pass.h"
#include "engine/reconcile/run_state.h"

namespace audiencesync {
namespace {

// Observe, plan, apply, and look again: more rounds than this mean that something moves against us.
constexpr int kMostRounds = 4;

Verdict verdict_of(ErrorCode code) {
  switch (exit_code(code)) {
    case ExitCode::Refused:
      return Verdict::Refused;
    case ExitCode::NotFinished:
      return Verdict::NotFinished;
    default:
      return Verdict::Failed;
  }
}

Value sizes_value(const std::vector<AudienceDelta>& audiences) {
  Value::Array sizes;
  for (const auto& audience : audiences) {
    sizes.push_back(Value::Object{{"id", audience.id}, {"name", audience.name}, {"people", audience.after}});
  }
  return sizes;
}

void put_written(Value& summary, const Bulk& bulk) {
  std::uint64_t entered = 0;
  std::uint64_t left = 0;
  for (const auto& audience : bulk.audiences) {
    entered += audience.entered;
    left += audience.left;
  }
  summary["people"] = bulk.people;
  summary["bytes"] = bulk.bytes;
  summary["entered"] = entered;
  summary["left"] = left;
}

Value waiting_value(const Plan& plan) {
  Value::Array waiting;
  for (const auto& change : plan.changes) {
    if (change.action == Action::Person) waiting.push_back(change.key.text() + ": " + change.reason);
  }
  return waiting;
}

}  // namespace

ExitCode RunResult::code() const {
  if (error) return exit_code(error->code());
  return exit_code(verdict);
}

RunResult SyncRun::execute(const RunOptions& options) {
  const Manifest& manifest = services_.manifest;
  State state(options, Holds(store_, services_.events, manifest.uid));
  state.plan.sync = manifest.name;
  state.plan.uid = manifest.uid;
  state.plan.file = manifest.file;
  state.plan.commit = manifest.commit;
  state.plan.sandbox = manifest.sandbox;
  if (const auto found = services_.settings.organizations.find(manifest.organization);
      found != services_.settings.organizations.end()) {
    state.plan.organization = found->second.organization_id;
  }
  state.plan.definition = digest_of(manifest.canonical());

  const bool writes = options.mode != Mode::Plan || options.refresh == Refresh::Yes;
  auto verdict = writes ? live(state) : dry(state);

  RunResult result;
  result.applied = state.applied;
  if (verdict.ok()) {
    result.verdict = *verdict;
  } else {
    result.error = std::move(verdict).error();
    result.verdict = verdict_of(result.error->code());
  }
  result.plan = state.plan;
  if (auto ended = record_end(state, result); !ended.ok() && !result.error) {
    result.error = std::move(ended).error();
    result.verdict = Verdict::Failed;
  }
  return result;
}

Result<void> SyncRun::record_end(State& state, RunResult& result) {
  if (!state.record) return {};
  // A run whose changes are still open is continued under its own id, so its record stays open as well.
  if (const auto open = TRY(store_.open_changes(services_.manifest.uid)); !open.empty()) return {};
  TRY(lift_unused_suspension(state, result));
  Value summary = Value::Object{{"applied", result.applied},
                                {"digest", result.plan.digest()},
                                {"pending", static_cast<std::int64_t>(result.plan.changes.size())},
                                {"source", result.plan.source}};
  if (!state.options.user.empty()) summary["by"] = state.options.user;
  if (!result.plan.commit.empty()) summary["commit"] = result.plan.commit;
  if (result.error) summary["error"] = result.error->text();
  if (state.written && result.applied > 0) put_written(summary, *state.written);
  const bool proven = result.verdict == Verdict::Converged || result.verdict == Verdict::Waiting;
  if (proven && result.plan.known && result.plan.severest() < Severity::Guard) {
    const bool done = result.plan.only_for_people();
    if (done) summary["memberships"] = sizes_value(state.sizes);
  }
  if (!state.repaired.empty()) summary["repaired"] = state.repaired;
  if (!state.report.empty()) summary["report"] = state.report;
  if (const auto waiting = waiting_value(result.plan); !waiting.array_if()->empty()) summary["waiting"] = waiting;
  if (!state.approved_by.empty()) {
    summary["approved_by"] = state.approved_by;
    summary["reason"] = state.approval_reason;
  }
  if (state.options.retire) summary["retired"] = *state.options.retire;
  if (result.plan.rollback) summary["rollback"] = result.plan.rollback->to_value();
  // Knowing what is there is no success yet: what differs from it is still to be done.
  const bool only_read = state.options.mode == Mode::ReadBack && result.verdict == Verdict::Converged;
  return store_.end_run(state.record->id, to_string(only_read ? Verdict::Pending : result.verdict), summary,
                        services_.server.now());
}

Result<Verdict> SyncRun::dry(State& state) {
  TRY(state.holds.read(state.plan.definition, services_.server.now(), Holds::Record::No));
  TRY(drop_other_aim(state, Holds::Record::No));
  while (true) {
    const auto* expected = state.expected();
    state.plan.rollback = state.goal();
    Pass pass(registry_, services_, expected == nullptr ? std::nullopt : std::optional(expected->text("source")),
              ReadBackWish::IfNeeded, state.plan.rollback ? std::optional(state.plan.rollback->run) : std::nullopt,
              state.options.samples);
    state.plan.findings.clear();
    state.plan.refresh.clear();
    state.plan.changes.clear();
    state.plan.stages.clear();
    if (const auto open = TRY(store_.open_changes(services_.manifest.uid)); !open.empty()) {
      state.plan.findings.push_back(
          {Severity::Warning, "interrupted-run",
           fmt::format("an earlier run was interrupted in {}; the next apply finishes that first, and the figures "
                       "below compare with what was proven before it",
                       open.front().change.key.text())});
    }
    const auto views = TRY(pass.observe(Phase::Refresh, std::nullopt));
    for (const auto& view : views) {
      TRY(add_view(state, pass, view));
      state.plan.refresh.insert(state.plan.refresh.end(), view.changes.begin(), view.changes.end());
    }
    if (state.plan.severest() != Severity::Refuse) TRY(converge_plan(state, pass));
    if (state.plan.severest() == Severity::Refuse) return Verdict::Refused;
    if (!TRY(still_fits(state))) continue;
    TRY(complete_plan(state));
    if (state.plan.refused()) return Verdict::Refused;
    if (state.plan.only_for_people() && state.plan.known) TRY(prove(state, pass));
    if (!state.plan.known || !state.plan.only_for_people()) return Verdict::Pending;
    return state.plan.empty() ? Verdict::Converged : Verdict::Waiting;
  }
}

Result<Verdict> SyncRun::live(State& state) {
  const Manifest& manifest = services_.manifest;
  if (state.options.mode == Mode::Plan && TRY(has_open_target_change())) return dry(state);
  TRY(state.holds.read(state.plan.definition, services_.server.now(), Holds::Record::Yes));
  TRY(drop_other_aim(state, Holds::Record::Yes));
  // What is held is not replaced by a refresh: showing it needs no write at all.
  if (state.options.mode == Mode::Plan && state.holds.live()) return dry(state);

  // Checked again below: what an interrupted run has begun is finished all the same.
  const bool may_go_on = state.options.mode != Mode::Apply || state.goal() || state.options.retire;
  if (const auto holding = TRY(suspension()); holding && !may_go_on) {
    if (const auto open = TRY(store_.open_changes(manifest.uid)); open.empty()) return suspended(*holding);
  }
  const auto before = TRY(store_.last_run(manifest.uid));
  state.record =
      TRY(store_.begin_run(manifest.uid, state.plan.definition, manifest.canonical(), services_.server.now()));
  state.resumed = before && before->id == state.record->id;
  TRY(settle_open_changes(state));
  if (const auto holding = TRY(suspension()); holding && !may_go_on) return suspended(*holding);
  const bool outdated = state.record->definition != state.plan.definition ||
                        services_.server.now() - state.record->started > services_.settings.timing.deadline_run;
  if (outdated) {
    // What it had begun is finished; the rest belongs to a manifest or a day that has passed.
    TRY(store_.end_run(state.record->id, "superseded", Value{}, services_.server.now()));
    state.record =
        TRY(store_.begin_run(manifest.uid, state.plan.definition, manifest.canonical(), services_.server.now()));
  }
  if (state.options.mode == Mode::ReadBack) return read_back(state);
  // Where the platform compares, what one round writes another one had computed before.
  const int most = manifest.engine == Engine::QueryService ? 2 * kMostRounds : kMostRounds;
  for (int rounds = 1;; ++rounds) {
    state.moved.reset();
    const auto verdict = TRY(round(state));
    if (verdict) return *verdict;
    if (state.moved && (rounds >= most || state.options.exact)) return std::move(*state.moved);
    if (rounds >= most) break;
    if (!state.moved) continue;
    services_.events.warn(
        "plan.stale",
        {{"sync", manifest.name}, {"error", state.moved->text()}, {"next", "observing and planning again"}});
  }
  return Error(ErrorCode::Conflict,
               fmt::format("after {} rounds the plan is still not empty: something changes the same objects; see the "
                           "plan for what differs",
                           most));
}

// Observe everything, plan, and do what may be done; without a verdict the next round looks at what has become of it.
Result<std::optional<Verdict>> SyncRun::round(State& state) {
  const auto* expected = state.expected();
  state.plan.rollback = state.goal();
  Pass pass(registry_, services_, expected == nullptr ? std::nullopt : std::optional(expected->text("source")),
            ReadBackWish::IfNeeded, state.plan.rollback ? std::optional(state.plan.rollback->run) : std::nullopt,
            state.options.samples);
  state.plan.findings.clear();
  state.plan.refresh.clear();
  state.plan.changes.clear();
  state.plan.stages.clear();
  if (!TRY(refresh(state, pass))) return std::optional(Verdict::Refused);
  TRY(converge_plan(state, pass));
  if (state.plan.severest() == Severity::Refuse) return std::optional(Verdict::Refused);
  if (TRY(repair(state, pass))) return std::optional<Verdict>{};
  if (!TRY(still_fits(state))) return std::optional<Verdict>{};
  TRY(complete_plan(state));
  return execute_plan(state, pass);
}

Result<std::optional<Verdict>> SyncRun::execute_plan(State& state, Pass& pass) {
  Plan& plan = state.plan;
  const auto now = services_.server.now();
  if (plan.only_for_people() && plan.known) return std::optional(TRY(finish(state, pass)));
  if (plan.only_for_people()) {
    if (state.options.refresh == Refresh::No || state.expected() != nullptr) return std::optional(Verdict::Pending);
    return Error(ErrorCode::NotFinished,
                 "the export was made, but the platform does not show all of it yet; run apply again later");
  }
  if (plan.guarded()) {
    TRY(state.holds.hold(plan, now, services_.settings.timing.approval_ttl));
    plan.hold = state.holds.shown();
    return std::optional(Verdict::Refused);
  }
  if (state.options.mode == Mode::Plan) return std::optional(Verdict::Pending);
  if (state.holds.approves(plan)) {
    state.approved_by = state.holds.live()->by;
    state.approval_reason = state.holds.live()->reason;
    if (!state.consented) state.options.show(plan);
    state.consented = plan.to_value();
  } else if (!state.consented || !covers(*state.consented, plan)) {
    const auto consent = state.options.approve(plan);
    if (consent == Consent::Declined) return std::optional(Verdict::Waiting);
    if (consent == Consent::Awaited) {
      TRY(state.holds.hold(plan, now, services_.settings.timing.approval_ttl));
      plan.hold = state.holds.shown();
      return std::optional(Verdict::Waiting);
    }
    state.consented = plan.to_value();
  }
  for (const auto& [key, value] : state.remember) TRY(store_.remember(services_.manifest.uid, key, value));
  TRY(suspend_for_rollback(state));
  for (const auto& change : plan.changes) {
    if (change.bulk) state.written = change.bulk;
  }
  auto done = apply_changes(state, pass, plan.changes);
  if (!done.ok()) {
    // An object that moved since it was observed is planned anew. A conflict while exporting is not: each new attempt
    // would cost another export.
    if (done.error().code() != ErrorCode::Conflict) return std::move(done).error();
    state.moved = std::move(done).error();
  }
  return std::optional<Verdict>{};
}

Result<Verdict> SyncRun::finish(State& state, Pass& pass) {
  const auto& uid = services_.manifest.uid;
  for (const auto& [key, value] : state.remember) TRY(store_.remember(uid, key, value));
  TRY(suspend_for_rollback(state));
  const auto definition = services_.manifest.canonical();
  if (TRY(store_.remembered(uid, kAppliedDefinition)) != definition) {
    TRY(store_.remember(uid, kAppliedDefinition, definition));
  }
  const auto by = state.approved_by.empty() ? state.options.user : "";
  TRY(state.holds.release(HoldState::Applied, by, "", services_.server.now()));
  TRY(prove(state, pass));
  return state.plan.empty() ? Verdict::Converged : Verdict::Waiting;
}

}  // namespace audiencesync
