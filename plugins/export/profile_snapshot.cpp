#include "plugins/export/profile_snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/export/source_readiness.h"
#include "plugins/export/union_path.h"
#include "plugins/platform/batches.h"
#include "plugins/platform/datasets.h"
#include "plugins/platform/schema_registry.h"

namespace audiencesync {
namespace {

Time written_at(const platform::Batch& batch) { return batch.completed.value_or(batch.created.value_or(Time())); }

// The last whole picture. Earlier ones may still be there: they are of other days and never mixed with it.
std::optional<platform::Batch> newest_live(const std::vector<platform::Batch>& batches) {
  std::optional<platform::Batch> newest;
  for (const auto& batch : batches) {
    if (platform::is_live(batch) && (!newest || written_at(batch) >= written_at(*newest))) newest = batch;
  }
  return newest;
}

std::optional<Finding> complaint(const platform::Batch& batch, std::uint64_t current_people) {
  if (batch.failed_records.value_or(0) > 0) {
    return Finding{Severity::Refuse, "export-partial",
                   fmt::format("the platform lost {} rows of its profile snapshot (batch {}); nothing is computed from "
                               "a partial one, wait for tomorrow's or use source.from: export-job",
                               *batch.failed_records, batch.id)};
  }
  if (batch.records == std::uint64_t{0} && current_people > 0) {
    return Finding{Severity::Refuse, "export-empty",
                   fmt::format("the platform's profile snapshot (batch {}) holds nobody, although {} people are in the "
                               "target dataset; nothing is removed because of it, wait for tomorrow's or use "
                               "source.from: export-job",
                               batch.id, current_people)};
  }
  return std::nullopt;
}

}  // namespace

Result<Observed> observe_profile_snapshot(const ObserveRequest& request, ReadContext& context) {
  Observed observed;
  const auto& manifest = context.manifest();
  const auto union_schema = TRY(platform::profile_union(context.http()));
  if (auto problem = path_problem(union_schema, manifest.identity.field)) {
    observed.findings.push_back(
        {Severity::Refuse, "identity-field",
         fmt::format("{}: identity.field '{}': {}", manifest.file, manifest.identity.field, *problem)});
    return observed;
  }
  const auto policy = TRY(context.output({"audiences", "merge_policy"}));
  const std::string policy_id = policy.string_if() != nullptr ? *policy.string_if() : std::string();
  const auto datasets = TRY(platform::profile_snapshots_of(context.http(), policy_id));
  if (datasets.empty()) {
    observed.findings.push_back(
        {Severity::Refuse, "no-profile-snapshot",
         fmt::format("the platform writes no profile snapshot that we can see for merge policy {}; it does so for "
                     "active merge policies and shows it to those who may read system datasets: look there, or use "
                     "source.from: export-job",
                     policy_id)});
    return observed;
  }
  const auto batches = TRY(platform::batches_of(context.http(), datasets.back().id));
  std::optional<platform::Batch> chosen;
  if (request.pinned_source) {
    const auto pinned = std::find_if(batches.begin(), batches.end(), [&](const platform::Batch& batch) {
      return batch.id == *request.pinned_source && platform::is_live(batch);
    });
    if (pinned != batches.end()) chosen = *pinned;
  } else {
    chosen = newest_live(batches);
  }
  if (!chosen) {
    TRY(not_ready(request,
                  request.pinned_source
                      ? fmt::format("batch {} of the profile snapshot, which the plan was made from, is gone",
                                    *request.pinned_source)
                      : fmt::format("profile snapshot dataset {} has no batch to read yet; the platform writes one a "
                                    "day, run again tomorrow or use source.from: export-job",
                                    datasets.back().id),
                  observed));
    return observed;
  }
  const auto current = TRY(context.records().current(manifest.uid + "/analytics"));
  if (auto finding = complaint(*chosen, current ? current->people : 0)) {
    observed.findings.push_back(std::move(*finding));
    return observed;
  }
  const auto age = context.server().now() - written_at(*chosen);
  if (auto old = too_old(request, context, fmt::format("the profile snapshot (batch {})", chosen->id), age)) {
    TRY(not_ready(request, std::move(*old), observed));
    return observed;
  }
  observed.outputs["batches"] = Value::Array{Value(chosen->id)};
  observed.outputs["holders"] = Value::Array{Value(chosen->id)};
  if (chosen->records) observed.outputs["profiles"] = *chosen->records;
  observed.outputs["created"] = to_epoch_ms(written_at(*chosen));
  return observed;
}

}  // namespace audiencesync
