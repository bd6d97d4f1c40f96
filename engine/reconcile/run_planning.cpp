#include <fmt/format.h>

#include <algorithm>

#include "engine/reconcile/approvals.h"
#include "engine/reconcile/guard.h"
#include "engine/reconcile/pass.h"
#include "engine/reconcile/plan_details.h"
#include "engine/reconcile/run_state.h"

// The planning half of a run: what was observed becomes a plan that a person can judge.

namespace audiencesync {
namespace {

// Runs that are looked through for the sizes of audiences; most of them have some.
constexpr std::size_t kRunsLookedAt = 24;

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

const Bulk* bulk_of(const Plan& plan) {
  for (const auto& change : plan.changes) {
    if (change.bulk) return &*change.bulk;
  }
  return nullptr;
}

// The numbers stay in sight: what was let through is still what happens.
void let_through(Plan& plan, const HeldPlan& held) {
  for (auto& finding : plan.findings) {
    if (finding.severity != Severity::Guard) continue;
    finding.severity = Severity::Note;
    finding.text += fmt::format("; let through by {}: {}", held.by, held.reason);
  }
}

}  // namespace

Result<bool> SyncRun::refresh(State& state, Pass& pass) {
  const bool refreshes = state.options.refresh == Refresh::Yes && state.expected() == nullptr;
  const auto not_before = refreshes ? std::optional(state.record->started) : std::nullopt;
  for (const auto& descriptor : registry_.stages()) {
    if (descriptor.phase != Phase::Refresh) continue;
    auto view = TRY(pass.observe(descriptor, not_before));
    // Without a refresh nothing is written here: what is missing stays "known after export".
    // Twice, because a new export is what makes the one before it superseded.
    for (int again = 0; again < 2; ++again) {
      if (!refreshes || view.changes.empty() || refuses(view.observed)) break;
      TRY(apply_changes(state, pass, view.changes));
      view = TRY(pass.observe(descriptor, not_before));
    }
    TRY(add_view(state, pass, view));
    state.plan.refresh.insert(state.plan.refresh.end(), view.changes.begin(), view.changes.end());
    if (refuses(view.observed)) return false;
  }
  return true;
}

Result<void> SyncRun::converge_plan(State& state, Pass& pass) {
  Plan& plan = state.plan;
  plan.source = joined_batches(pass.outputs());
  plan.source_created.reset();
  if (const auto created = pass.outputs().get({"export", "created"}); created.ok()) {
    if (const auto* ms = created.value().integer_if()) plan.source_created = from_epoch_ms(*ms);
  }
  plan.audiences.clear();
  state.samples.clear();
  plan.base.clear();
  plan.known = true;
  const auto views = TRY(pass.observe(Phase::Converge, std::nullopt));
  for (const auto& view : views) {
    TRY(add_view(state, pass, view));
    plan.changes.insert(plan.changes.end(), view.changes.begin(), view.changes.end());
  }
  state.sizes = plan.audiences;
  return {};
}

Result<void> SyncRun::add_view(State& state, Pass& pass, const StageView& view) {
  Plan& plan = state.plan;
  const auto& observed = view.observed;
  plan.findings.insert(plan.findings.end(), observed.findings.begin(), observed.findings.end());
  plan.stages.push_back(stage_state(view));
  for (const auto& [key, value] : observed.remember) state.remember[key] = value;
  state.samples.insert(state.samples.end(), observed.samples.begin(), observed.samples.end());
  for (const auto& finding : observed.findings) plan.known = plan.known && finding.severity != Severity::Wait;
  for (const auto& resource : observed.resources) {
    if (!resource.pending) continue;
    plan.base = resource.pending->base;
    plan.audiences = resource.pending->audiences;
    const auto declared = declared_audiences(pass.outputs());
    for (const auto& audience : resource.pending->audiences) {
      const bool kept = std::find(declared.begin(), declared.end(), audience.id) != declared.end();
      if (kept || audience.left == 0) continue;
      plan.findings.push_back({Severity::Warning, "audience-withdrawn",
                               fmt::format("audience '{}' is no longer in the manifest: its {} memberships end",
                                           audience.name, audience.left)});
    }
    const auto trips = guard(services_.manifest.guard, *resource.pending, declared);
    plan.findings.insert(plan.findings.end(), trips.begin(), trips.end());
  }
  return {};
}

// Whether a held or a reviewed plan is still what would be done. A held one that is not is released, and the next round
// plans without it; a reviewed one that is not is refused.
Result<bool> SyncRun::still_fits(State& state) {
  Plan& plan = state.plan;
  const auto now = services_.server.now();
  const bool fits = state.expected() == nullptr || covers(*state.expected(), plan);
  if (state.options.exact) {
    const auto& exact = *state.options.exact;
    const bool begun = state.applied > 0 || state.resumed;
    if (fits && (begun || exact.text("digest") == plan.digest())) return true;
    const auto what = exact.text("definition") != plan.definition ? "the manifest has changed"
                      : !plan.known || exact.text("source") != plan.source
                          ? "its export can no longer be used"
                          : "the target or what was proven in it has changed";
    return Error(ErrorCode::Conflict,
                 fmt::format("plan {} is stale: {} since it was made, so nothing of it is applied; make a new one: "
                             "audiencesync plan --fresh --format json --out FILE",
                             exact.text("digest").substr(0, 16), what));
  }
  if (fits) return true;
  const std::string why = "its export, its base or an object it changes is no longer as it was";
  plan.findings.clear();
  TRY(state.holds.lose(HoldState::Stale, why, now, state.record ? Holds::Record::Yes : Holds::Record::No));
  return false;
}

Result<void> SyncRun::complete_plan(State& state) {
  Plan& plan = state.plan;
  const auto& manifest = services_.manifest;
  if (state.holds.lost()) plan.findings.push_back(*state.holds.lost());
  plan.hold.reset();
  if (state.holds.live()) plan.hold = state.holds.shown();
  auto applied = TRY(store_.remembered(manifest.uid, kAppliedDefinition));
  const auto runs = TRY(store_.runs(manifest.uid, kRunsLookedAt));
  if (applied.is_null()) {
    // A state of an earlier version remembers only its runs.
    for (const auto& run : runs) {
      if (run.verdict == to_string(Verdict::Converged) && applied.is_null()) applied = run.manifest;
    }
  }
  const auto approvals = approval_findings(manifest, applied, plan);
  plan.findings.insert(plan.findings.end(), approvals.begin(), approvals.end());
  if (state.holds.approves(plan)) let_through(plan, *state.holds.live());
  TRY(add_suspension_findings(state));
  plan.history = membership_history(runs);
  plan.cost = plan_cost(plan.changes, services_.settings.limits);
  plan.samples = state.samples;
  if (const auto* bulk = bulk_of(plan); bulk != nullptr && manifest.engine == Engine::Local) {
    const auto forgotten = Forgotten::from_value(TRY(store_.remembered(manifest.uid, kForgotten)));
    auto samples = plan_samples(services_.memberships, *bulk, forgotten, state.options.samples);
    if (samples.ok()) {
      plan.samples = std::move(samples).take();
    } else {
      // They only illustrate; what is planned does not depend on them.
      services_.events.warn("plan.no_samples", {{"sync", plan.sync}, {"error", samples.error().text()}});
    }
  }
  if (state.options.mode == Mode::Plan && !plan.only_for_people()) {
    TRY(state.holds.offer(plan, services_.server.now(), services_.settings.timing.approval_ttl));
  }
  return {};
}

Result<void> SyncRun::prove(State& state, Pass& pass) {
  const auto views = TRY(pass.observe(Phase::Prove, std::nullopt));
  for (const auto& view : views) {
    auto& plan = state.plan;
    plan.findings.insert(plan.findings.end(), view.observed.findings.begin(), view.observed.findings.end());
    plan.stages.push_back(stage_state(view));
    state.report = view.observed.unchecked.value_or(view.observed.state);
    if (!state.record) continue;
    for (const auto& [key, value] : view.observed.remember) TRY(store_.remember(services_.manifest.uid, key, value));
  }
  if (state.plan.severest() < Severity::Refuse) return {};
  return Error(ErrorCode::Rejected,
               fmt::format("the memberships are proven in the dataset, but not in Customer Journey Analytics: {}",
                           state.report));
}

}  // namespace audiencesync
