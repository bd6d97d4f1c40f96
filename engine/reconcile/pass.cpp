#include "engine/reconcile/pass.h"

#include <algorithm>

#include "engine/reconcile/diff.h"

namespace audiencesync {

Fields resolve(const Fields& fields, const OutputTable& outputs) {
  Fields resolved = fields;
  for (auto& [name, field] : resolved) {
    const auto* ref = std::get_if<Ref>(&field);
    if (ref == nullptr) continue;
    if (auto value = outputs.get(*ref); value.ok()) field = std::move(value).take();
  }
  return resolved;
}

bool refuses(const Observed& observed) {
  return std::any_of(observed.findings.begin(), observed.findings.end(),
                     [](const Finding& finding) { return finding.severity == Severity::Refuse; });
}

Stage& Pass::stage(const StageDescriptor& descriptor) {
  auto& stage = stages_[descriptor.name];
  if (!stage) stage = descriptor.make();
  return *stage;
}

Result<StageView> Pass::observe(const StageDescriptor& descriptor, std::optional<Time> not_before) {
  if (services_.stop.stop_requested()) return Error(ErrorCode::Interrupted, "interrupted while observing");
  ObserveRequest request{
      descriptor.desire(services_.manifest), not_before, pinned_source_, read_back_, back_to_, samples_};
  for (auto& resource : request.desired) resource.fields = resolve(resource.fields, outputs_);
  ReadContext context(services_, outputs_);
  auto observed = TRY(stage(descriptor).observe(request, context).in(descriptor.name));
  StageView view{&descriptor, std::move(observed), {}};
  outputs_.put(descriptor.name, view.observed.outputs);
  view.changes = diff(request.desired, view.observed, descriptor.rules);
  return view;
}

Result<std::vector<StageView>> Pass::observe(Phase phase, std::optional<Time> not_before) {
  std::vector<StageView> views;
  for (const auto& descriptor : registry_.stages()) {
    if (descriptor.phase != phase) continue;
    auto view = TRY(observe(descriptor, not_before));
    views.push_back(std::move(view));
    if (refuses(views.back().observed)) break;
  }
  return views;
}

}  // namespace audiencesync
