#include <fmt/format.h>

#include <algorithm>

#include "engine/reconcile/diff.h"
#include "engine/reconcile/logged_context.h"
#include "engine/reconcile/pass.h"
#include "engine/reconcile/run_state.h"

// The executing half of a run: each change goes through the intent log.

namespace audiencesync {
namespace {

// The outcome is not known or may still come: the change stays open and the next run continues it.
bool stays_open(ErrorCode code) {
  switch (code) {
    case ErrorCode::NotFinished:
    case ErrorCode::Unavailable:
    case ErrorCode::Timeout:
    case ErrorCode::Unknown:
    case ErrorCode::Interrupted:
    case ErrorCode::Authentication:
    case ErrorCode::Permission:
    case ErrorCode::NoSpace:
    case ErrorCode::Io:
      return true;
    case ErrorCode::Usage:
    case ErrorCode::Invalid:
    case ErrorCode::Unsupported:
    case ErrorCode::NotFound:
    case ErrorCode::Conflict:
    case ErrorCode::Refused:
    case ErrorCode::Locked:
    case ErrorCode::Rejected:
    case ErrorCode::Corrupt:
    case ErrorCode::Internal:
      return false;
  }
  return false;
}

}  // namespace

// An interrupted write into the target is finished by apply only: a plan, refreshed or not, does not touch it.
Result<bool> SyncRun::has_open_target_change() {
  const auto open = TRY(store_.open_changes(services_.manifest.uid));
  return std::any_of(open.begin(), open.end(), [&](const ChangeRecord& record) {
    const auto* descriptor = registry_.find(record.change.key.stage);
    return descriptor == nullptr || descriptor->phase != Phase::Refresh;
  });
}

Result<void> SyncRun::settle_open_changes(State& state) {
  const auto open = TRY(store_.open_changes(services_.manifest.uid));
  for (const auto& record : open) {
    const auto* descriptor = registry_.find(record.change.key.stage);
    if (descriptor == nullptr) {
      return Error(ErrorCode::Unsupported,
                   fmt::format("an interrupted change belongs to stage '{}', which this run does not have; finish it "
                               "with the command that began it ({})",
                               record.change.key.stage, record.change.key.stage == "retire" ? "retire" : "apply"));
    }
    services_.events.emit("change.resumed", {{"sync", services_.manifest.name}, {"change", record.change.key.text()}});
    state.options.announce(record.change);
    if (record.change.bulk) state.written = record.change.bulk;
    Pass pass(registry_, services_);
    LoggedContext context(services_, pass.outputs(), store_, writer_, record.id);
    auto finished = finish_change(state, record, pass.stage(*descriptor).apply(record.change, context), pass);
    const bool corrected =
        is_repair(descriptor->rules, record.change.key) && !is_scratch(descriptor->rules, record.change.key);
    if (finished.ok() && corrected) state.repaired = record.change.reason;
    if (!finished.ok() && stays_open(finished.error().code())) return finished;
    if (!finished.ok()) {
      services_.events.warn("change.abandoned", {{"change", record.change.key.text()},
                                                 {"error", finished.error().text()},
                                                 {"next", "observing and planning again"}});
    }
  }
  return {};
}

// What only corrects what we know is done before anything is planned with it, and nobody has to approve it: the next
// round plans with the truth. True when there was something.
Result<bool> SyncRun::repair(State& state, Pass& pass) {
  const bool refreshes = state.options.mode == Mode::Plan && state.options.refresh == Refresh::Yes;
  if (state.options.mode != Mode::Apply && !refreshes) return false;
  std::vector<Change> repairs;
  bool corrects = false;
  for (const auto& change : state.plan.changes) {
    const auto* descriptor = registry_.find(change.key.stage);
    if (descriptor == nullptr || !is_repair(descriptor->rules, change.key)) continue;
    const bool scratch = is_scratch(descriptor->rules, change.key);
    if (refreshes && !scratch) continue;
    corrects = corrects || !scratch;
    repairs.push_back(change);
  }
  if (repairs.empty()) return false;
  auto done = apply_changes(state, pass, repairs);
  if (done.ok()) {
    if (corrects) state.repaired = repairs.front().reason;
    return true;
  }
  if (done.error().code() != ErrorCode::Conflict) return std::move(done).error();
  state.moved = std::move(done).error();
  return true;
}

// Looks only as far as the stage that knows how to read the target back: it must work where nothing else would.
Result<Verdict> SyncRun::read_back(State& state) {
  if (!state.repaired.empty()) return Verdict::Converged;  // an interrupted one has just been finished
  Pass pass(registry_, services_, {}, state.options.read_back);
  for (const auto& descriptor : registry_.stages()) {
    if (descriptor.phase != Phase::Converge) continue;
    const auto view = TRY(pass.observe(descriptor, {}));
    TRY(add_view(state, pass, view));
    if (refuses(view.observed)) return Verdict::Refused;
    for (const auto& change : view.changes) {
      if (!is_repair(descriptor.rules, change.key)) continue;
      TRY(apply_change(state, pass, change));
      state.repaired = change.reason;
      return Verdict::Converged;
    }
  }
  return Error(ErrorCode::NotFound, "no stage knows how to read the target back");
}

Result<void> SyncRun::apply_changes(State& state, Pass& pass, const std::vector<Change>& changes) {
  // By value: a later round fills the plan these come from.
  const std::vector<Change> ordered = changes;
  for (const auto& change : ordered) {
    if (change.action == Action::Person) continue;
    TRY(apply_change(state, pass, change));
  }
  return {};
}

Result<void> SyncRun::apply_change(State& state, Pass& pass, const Change& change) {
  const auto* descriptor = registry_.find(change.key.stage);
  Change resolved = change;
  resolved.after = resolve(change.after, pass.outputs());
  const auto unknown = std::find_if(resolved.after.begin(), resolved.after.end(),
                                    [](const auto& field) { return std::holds_alternative<Ref>(field.second); });
  if (unknown != resolved.after.end()) {
    return Error(ErrorCode::Internal, fmt::format("{}: field '{}' is still unknown when it must be written",
                                                  change.key.text(), unknown->first));
  }
  state.options.announce(resolved);
  const auto record = TRY(store_.open_change(state.record->id, resolved, services_.server.now()));
  LoggedContext context(services_, pass.outputs(), store_, writer_, record.id);
  return finish_change(state, record, pass.stage(*descriptor).apply(resolved, context), pass);
}

Result<void> SyncRun::finish_change(State& state, const ChangeRecord& record, Result<Applied> applied, Pass& pass) {
  const auto now = services_.server.now();
  const auto name = record.change.key.text();
  if (applied.ok()) {
    pass.outputs().put(record.change.key.stage, applied->outputs);
    TRY(store_.close_change(record.id, "done", applied->proof.to_value(), now));
    // A refresh or a repair is announced, but it is no change of what analysts see.
    const auto* descriptor = registry_.find(record.change.key.stage);
    const bool own_affair = descriptor != nullptr &&
                            (descriptor->phase == Phase::Refresh || is_repair(descriptor->rules, record.change.key));
    if (!own_affair) ++state.applied;
    services_.events.emit(
        "change.applied",
        {{"sync", services_.manifest.name}, {"change", name}, {"action", to_string(record.change.action)}});
    return {};
  }
  Error error = std::move(applied).error().in(fmt::format("apply {}", name));
  if (stays_open(error.code())) return error;
  const auto state_word = error.code() == ErrorCode::Conflict ? "abandoned" : "failed";
  TRY(store_.close_change(record.id, state_word, Value::Object{{"error", error.text()}}, now));
  return error;
}

}  // namespace audiencesync
