#include "engine/reconcile/run.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/reconcile/guard.h"
#include "engine/reconcile/logged_context.h"
#include "engine/reconcile/pass.h"

namespace audiencesync {
namespace {

// Observe, plan, apply, and look again: more rounds than this mean that something moves against us.
constexpr int kMostRounds = 4;

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

std::vector<AudienceId> declared_audiences(const OutputTable& outputs) {
  std::vector<AudienceId> ids;
  if (const auto audiences = outputs.get({"audiences", "audiences"}); audiences.ok()) {
    if (const auto* list = audiences.value().array_if()) {
      for (const auto& audience : *list) ids.push_back(audience.text("id"));
    }
  }
  return ids;
}

std::string joined_batches(const OutputTable& outputs) {
  std::string joined;
  if (const auto batches = outputs.get({"export", "batches"}); batches.ok() && batches.value().is_array()) {
    for (const auto& batch : *batches.value().array_if()) {
      if (!joined.empty()) joined += ',';
      if (const auto* id = batch.string_if()) joined += *id;
    }
  }
  return joined;
}

// What is left is nothing that we can do: it is neither asked about nor tried.
bool only_for_people(const Plan& plan) {
  return std::all_of(plan.changes.begin(), plan.changes.end(),
                     [](const Change& change) { return change.action == Action::Person; });
}

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

}  // namespace

struct SyncRun::State {
  const RunOptions& options;
  Plan plan;
  std::optional<RunRecord> record;
  std::uint64_t applied = 0;
  std::map<std::string, Value> remember;
};

ExitCode RunResult::code() const {
  if (error) return exit_code(error->code());
  return exit_code(verdict);
}

RunResult SyncRun::execute(const RunOptions& options) {
  State state{options, {}, {}, 0, {}};
  const Manifest& manifest = services_.manifest;
  state.plan.sync = manifest.name;
  state.plan.uid = manifest.uid;
  state.plan.file = manifest.file;
  state.plan.sandbox = manifest.sandbox;
  if (const auto found = services_.settings.organizations.find(manifest.organization);
      found != services_.settings.organizations.end()) {
    state.plan.organization = found->second.organization_id;
  }
  state.plan.definition = digest_of(manifest.canonical());

  const bool writes = options.mode == Mode::Apply || options.refresh == Refresh::Yes;
  auto verdict = writes ? live(state) : dry(state);

  RunResult result;
  result.plan = std::move(state.plan);
  result.applied = state.applied;
  if (verdict.ok()) {
    result.verdict = *verdict;
  } else {
    result.error = std::move(verdict).error();
    result.verdict = verdict_of(result.error->code());
  }
  if (state.record) {
    // A run whose changes are still open is continued under its own id, so its record stays open as well.
    const auto open = store_.open_changes(manifest.uid);
    if (open.ok() && open->empty()) {
      Value summary = Value::Object{{"applied", result.applied},
                                    {"digest", result.plan.digest()},
                                    {"pending", static_cast<std::int64_t>(result.plan.changes.size())},
                                    {"source", result.plan.source}};
      if (result.error) summary["error"] = result.error->text();
      auto ended = store_.end_run(state.record->id, to_string(result.verdict), summary, services_.server.now());
      if (!ended.ok() && !result.error) {
        result.error = std::move(ended).error();
        result.verdict = Verdict::Failed;
      }
    }
  }
  return result;
}

Result<Verdict> SyncRun::dry(State& state) {
  Pass pass(registry_, services_);
  if (const auto open = TRY(store_.open_changes(services_.manifest.uid)); !open.empty()) {
    state.plan.findings.push_back(
        {Severity::Warning, "interrupted-run",
         fmt::format("an earlier run was interrupted in {}; the next apply finishes that first, and the figures below "
                     "compare with what was proven before it",
                     open.front().change.key.text())});
  }
  const auto views = TRY(pass.observe(Phase::Refresh, std::nullopt));
  for (const auto& view : views) {
    state.plan.findings.insert(state.plan.findings.end(), view.observed.findings.begin(), view.observed.findings.end());
    state.plan.refresh.insert(state.plan.refresh.end(), view.changes.begin(), view.changes.end());
  }
  if (!state.plan.refused()) TRY(converge_plan(state, pass));
  if (state.plan.refused()) return Verdict::Refused;
  return state.plan.empty() && state.plan.known ? Verdict::Converged : Verdict::Pending;
}

Result<Verdict> SyncRun::live(State& state) {
  const Manifest& manifest = services_.manifest;
  if (state.options.mode == Mode::Plan && TRY(has_open_target_change())) return dry(state);
  state.record =
      TRY(store_.begin_run(manifest.uid, state.plan.definition, manifest.canonical(), services_.server.now()));
  TRY(settle_open_changes(state));
  const bool outdated = state.record->definition != state.plan.definition ||
                        services_.server.now() - state.record->started > services_.settings.timing.deadline_run;
  if (outdated) {
    // What it had begun is finished; the rest belongs to a manifest or a day that has passed.
    TRY(store_.end_run(state.record->id, "superseded", Value{}, services_.server.now()));
    state.record =
        TRY(store_.begin_run(manifest.uid, state.plan.definition, manifest.canonical(), services_.server.now()));
  }

  std::optional<Digest> approved;
  for (int round = 1; round <= kMostRounds; ++round) {
    Pass pass(registry_, services_);
    state.plan.findings.clear();
    state.plan.refresh.clear();
    state.plan.changes.clear();
    if (!TRY(refresh(state, pass))) return Verdict::Refused;
    TRY(converge_plan(state, pass));
    if (state.plan.refused()) return Verdict::Refused;
    if (state.plan.empty()) {
      for (const auto& [key, value] : state.remember) TRY(store_.remember(manifest.uid, key, value));
      if (state.plan.known) return Verdict::Converged;
      if (state.options.refresh == Refresh::No) return Verdict::Pending;
      return Error(ErrorCode::NotFinished,
                   "the export was made, but the platform does not show all of it yet; run apply again later");
    }
    if (state.options.mode == Mode::Plan) return Verdict::Pending;
    if (only_for_people(state.plan)) {
      for (const auto& [key, value] : state.remember) TRY(store_.remember(manifest.uid, key, value));
      return Verdict::Waiting;
    }
    if (approved != state.plan.digest()) {
      if (!state.options.approve(state.plan)) return Verdict::Waiting;
      approved = state.plan.digest();
    }
    for (const auto& [key, value] : state.remember) TRY(store_.remember(manifest.uid, key, value));
    auto done = apply_changes(state, pass, state.plan.changes);
    if (!done.ok()) {
      if (done.error().code() != ErrorCode::Conflict || round == kMostRounds) return std::move(done).error();
      services_.events.warn(
          "plan.stale",
          {{"sync", manifest.name}, {"error", done.error().text()}, {"next", "observing and planning again"}});
    }
  }
  return Error(ErrorCode::Conflict,
               fmt::format("after {} rounds the plan is still not empty: something changes the same objects; see the "
                           "plan for what differs",
                           kMostRounds));
}

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
                   fmt::format("an interrupted change belongs to stage '{}', which this version "
                               "does not have; finish it with the version that began it",
                               record.change.key.stage));
    }
    services_.events.emit("change.resumed", {{"sync", services_.manifest.name}, {"change", record.change.key.text()}});
    state.options.announce(record.change);
    Pass pass(registry_, services_);
    LoggedContext context(services_, pass.outputs(), store_, writer_, record.id);
    auto finished = finish_change(state, record, pass.stage(*descriptor).apply(record.change, context), pass);
    if (!finished.ok() && stays_open(finished.error().code())) return finished;
    if (!finished.ok()) {
      services_.events.warn("change.abandoned", {{"change", record.change.key.text()},
                                                 {"error", finished.error().text()},
                                                 {"next", "observing and planning again"}});
    }
  }
  return {};
}

Result<bool> SyncRun::refresh(State& state, Pass& pass) {
  const auto not_before = state.options.refresh == Refresh::Yes ? std::optional(state.record->started) : std::nullopt;
  for (const auto& descriptor : registry_.stages()) {
    if (descriptor.phase != Phase::Refresh) continue;
    auto view = TRY(pass.observe(descriptor, not_before));
    // Without a refresh nothing is written here: what is missing stays "known after export".
    // Twice, because a new export is what makes the one before it superseded.
    for (int again = 0; again < 2; ++again) {
      if (state.options.refresh == Refresh::No || view.changes.empty() || refuses(view.observed)) break;
      TRY(apply_changes(state, pass, view.changes));
      view = TRY(pass.observe(descriptor, not_before));
    }
    const auto& findings = view.observed.findings;
    state.plan.findings.insert(state.plan.findings.end(), findings.begin(), findings.end());
    state.plan.refresh.insert(state.plan.refresh.end(), view.changes.begin(), view.changes.end());
    for (const auto& [key, value] : view.observed.remember) state.remember[key] = value;
    if (refuses(view.observed)) return false;
  }
  return true;
}

Result<void> SyncRun::converge_plan(State& state, Pass& pass) {
  Plan& plan = state.plan;
  plan.source = joined_batches(pass.outputs());
  if (const auto created = pass.outputs().get({"export", "created"}); created.ok()) {
    if (const auto* ms = created.value().integer_if()) plan.source_created = from_epoch_ms(*ms);
  }
  plan.audiences.clear();
  plan.base.clear();
  plan.known = true;
  const auto views = TRY(pass.observe(Phase::Converge, std::nullopt));
  for (const auto& view : views) {
    plan.findings.insert(plan.findings.end(), view.observed.findings.begin(), view.observed.findings.end());
    plan.changes.insert(plan.changes.end(), view.changes.begin(), view.changes.end());
    for (const auto& [key, value] : view.observed.remember) state.remember[key] = value;
    for (const auto& finding : view.observed.findings) plan.known = plan.known && finding.severity != Severity::Wait;
    for (const auto& resource : view.observed.resources) {
      if (!resource.pending) continue;
      plan.base = resource.pending->base;
      plan.audiences = resource.pending->audiences;
      const auto trips = guard(services_.manifest.guard, *resource.pending, declared_audiences(pass.outputs()));
      plan.findings.insert(plan.findings.end(), trips.begin(), trips.end());
    }
  }
  return {};
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
    ++state.applied;
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
