#include "plugins/export/export_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plugins/export/batch_queries.h"
#include "plugins/export/export_judgement.h"
#include "plugins/export/export_request.h"
#include "plugins/export/export_run.h"
#include "plugins/export/landed_source.h"
#include "plugins/export/profile_snapshot.h"
#include "plugins/export/staging.h"
#include "plugins/export/union_path.h"
#include "plugins/platform/batches.h"
#include "plugins/platform/schema_registry.h"

namespace audiencesync {
namespace {

/// An export that may be used, with what was judged.
struct JudgedExport {
  platform::ExportJob job;
  std::vector<ExportBatch> batches;
  std::uint64_t rows = 0;
};

class ExportStage final : public Stage {
 public:
  Result<Observed> observe(const ObserveRequest& request, ReadContext& context) override;
  Result<Applied> apply(const Change& change, WriteContext& context) override;

 private:
  std::string missed_;              // why the export of this pass is no newer than the one before
  std::set<std::string> own_jobs_;  // ran in this pass: as fresh as was asked for, whatever the clocks say
};

std::vector<std::string> declared_statuses(const Manifest& manifest) {
  std::vector<std::string> statuses;
  for (const auto status : manifest.source.statuses) statuses.emplace_back(to_string(status));
  return statuses;
}

std::vector<Resource> desired_export(const Manifest& manifest) {
  if (manifest.source.from != SourceFrom::ExportJob) return {};  // others write it: there is nothing to make
  Resource staging;
  staging.key = {"export", "staging"};
  staging.fields["name"] = Value(staging_name(manifest.uid));
  staging.fields["schema"] = Value(platform::kProfileUnion);
  Resource job;
  job.key = {"export", "job"};
  const auto statuses = declared_statuses(manifest);
  job.fields["dataset"] = Ref{"export", "dataset"};
  job.fields["audiences"] = Ref{"audiences", "audiences"};
  job.fields["merge_policy"] = Ref{"audiences", "merge_policy"};
  job.fields["fields"] = Value(export_fields(manifest.identity.field));
  job.fields["statuses"] = Value(Value::Array(statuses.begin(), statuses.end()));
  if (manifest.engine == Engine::QueryService) return {{kBatchQueriesKey, {}, "", {}}, staging, job};
  return {staging, job};
}

Result<ExportExpectation> expectation_of(const ReadContext& context, const Value& audiences) {
  ExportExpectation expectation;
  if (const auto* list = audiences.array_if())
    for (const auto& audience : *list)
      if (const auto expected = audience.number("expected"); expected && *expected > 0 && !audience.flag("held"))
        expectation.expected_people += static_cast<std::uint64_t>(*expected);
  const auto current = TRY(context.records().current(context.manifest().uid + "/analytics"));
  if (current) expectation.current_people = current->people;
  return expectation;
}

/// The job's batches with their holders, from the list of the dataset as far as that shows them.
Result<std::vector<ExportBatch>> batches_of_job(http::ReadClient& client, const platform::ExportJob& job,
                                                const std::vector<platform::Batch>& listed) {
  std::vector<ExportBatch> batches;
  for (const auto& id : job.batches) {
    const auto found =
        std::find_if(listed.begin(), listed.end(), [&](const platform::Batch& batch) { return batch.id == id; });
    std::optional<platform::Batch> batch;
    if (found != listed.end()) batch = *found;
    if (!batch) batch = TRY(platform::get_batch(client, id));
    ExportBatch one;
    one.id = id;
    if (batch) {
      auto holder = platform::current_holder(client, std::move(*batch));
      // A successor that the catalog does not show (yet) leaves the holder unknown.
      if (!holder && holder.error().code() != ErrorCode::NotFound) return std::move(holder).error();
      if (holder) one.holder = std::move(holder).take();
    }
    batches.push_back(std::move(one));
  }
  return batches;
}

/// Batches that open changes still read.
Result<std::set<std::string>> pinned_batches(const ReadContext& context) {
  std::set<std::string> pinned;
  const auto open = TRY(context.records().open_changes(context.manifest().uid));
  for (const auto& record : open) {
    if (!record.change.bulk) continue;
    std::string id;
    for (const char c : record.change.bulk->source + ",") {
      if (c != ',') {
        id.push_back(c);
      } else {
        pinned.insert(std::move(id));
        id.clear();
      }
    }
  }
  return pinned;
}

/// Older exports of ours that nothing needs any more.
Result<void> add_superseded(const ReadContext& context, const JudgedExport& newest,
                            const std::vector<platform::Batch>& listed, const std::string& dataset,
                            Observed& observed) {
  auto needed = TRY(pinned_batches(context));
  Value::Array superseded;
  std::string client;  // that writes our exports: what another one put here is not ours to take back
  for (const auto& batch : newest.batches) {
    needed.insert(batch.id);
    if (batch.holder) needed.insert(batch.holder->id);
  }
  for (const auto& batch : listed)
    if (needed.contains(batch.id) && client.empty()) client = batch.client;
  for (const auto& batch : listed) {
    const bool foreign = !client.empty() && !batch.client.empty() && batch.client != client;
    const bool older = batch.created && newest.job.created && *batch.created < *newest.job.created;
    if (!platform::is_live(batch) || !older || foreign || needed.contains(batch.id)) continue;
    Resource resource;
    resource.key = {"export", "batch/" + batch.id};
    resource.fields["batch"] = Value(batch.id);
    resource.fields["dataset"] = Value(dataset);
    observed.resources.push_back(std::move(resource));
    superseded.push_back(batch.id);
  }
  observed.outputs["superseded"] = std::move(superseded);
  return {};
}

void put_outputs(const JudgedExport& chosen, Observed& observed) {
  Resource job;
  job.key = {"export", "job"};
  job.version = chosen.job.id;
  observed.resources.push_back(std::move(job));
  Value::Array ids;
  Value::Array holders;
  for (const auto& batch : chosen.batches) {
    ids.push_back(batch.id);
    if (batch.holder && std::find(holders.begin(), holders.end(), Value(batch.holder->id)) == holders.end())
      holders.push_back(batch.holder->id);
  }
  observed.outputs["job"] = chosen.job.id;
  observed.outputs["batches"] = std::move(ids);
  observed.outputs["holders"] = std::move(holders);
  observed.outputs["profiles"] = chosen.rows;
  if (chosen.job.created) observed.outputs["created"] = to_epoch_ms(*chosen.job.created);
}

/// Jobs of the sandbox since `since`; an empty answer is asked for once more, because a new export costs hours.
Result<std::vector<platform::ExportJob>> recent_jobs(http::ReadClient& client, Time since) {
  auto jobs = TRY(platform::export_jobs_since(client, since));
  if (jobs.empty()) jobs = TRY(platform::export_jobs_since(client, since));
  return jobs;
}

Result<Observed> ExportStage::observe(const ObserveRequest& request, ReadContext& context) {
  const auto& manifest = context.manifest();
  if (manifest.source.from == SourceFrom::Files) return observe_landed_files(request, context);
  if (manifest.source.from == SourceFrom::ProfileSnapshot) return observe_profile_snapshot(request, context);
  Observed observed;
  const auto audiences = TRY(context.output({"audiences", "audiences"}));
  const auto policy = TRY(context.output({"audiences", "merge_policy"}));
  ExportRequest wanted;
  wanted.fields = export_fields(manifest.identity.field);
  wanted.merge_policy = policy.string_if() != nullptr ? *policy.string_if() : std::string();
  auto filter = export_filter(audiences, declared_statuses(manifest));
  if (!filter) {
    observed.findings.push_back({Severity::Refuse, "nothing-to-export", filter.error().message()});
    return observed;
  }
  wanted.filter = std::move(filter).take();
  if (manifest.engine == Engine::QueryService) TRY(observe_batch_queries(context, observed));

  const auto union_schema = TRY(platform::profile_union(context.http()));
  if (auto problem = path_problem(union_schema, manifest.identity.field)) {
    observed.findings.push_back(
        {Severity::Refuse, "identity-field",
         fmt::format("{}: identity.field '{}': {}", manifest.file, manifest.identity.field, *problem)});
    return observed;
  }

  auto staging = TRY(find_staging(context));
  observed.findings.insert(observed.findings.end(), staging.findings.begin(), staging.findings.end());
  const bool refused = std::any_of(staging.findings.begin(), staging.findings.end(),
                                   [](const Finding& finding) { return finding.severity == Severity::Refuse; });
  if (!staging.dataset || refused) return observed;
  wanted.dataset = staging.dataset->id;
  observed.outputs["dataset"] = wanted.dataset;
  observed.remember[kStagingMemory] = wanted.dataset;
  Resource dataset;
  dataset.key = {"export", "staging"};
  dataset.version = staging.dataset->version;
  dataset.fields["name"] = Value(staging.dataset->name);
  dataset.fields["schema"] = Value(staging.dataset->schema);
  observed.resources.push_back(std::move(dataset));

  auto by_age = context.server().now() - manifest.source.max_age;
  // A held plan may be older than what a new one would use.
  if (request.pinned_source) by_age -= context.settings().timing.approval_ttl;
  const auto not_before = request.not_before.value_or(by_age);
  const auto jobs = TRY(recent_jobs(context.http(), std::min(by_age, not_before)));
  const auto listed = TRY(platform::batches_of(context.http(), wanted.dataset));
  const auto expectation = TRY(expectation_of(context, audiences));
  if (!missed_.empty()) observed.findings.push_back({Severity::Warning, "evaluation-missed", missed_});
  bool chosen = false;
  for (const auto& job : jobs) {
    if (job.status != platform::ExportStatus::Succeeded || !covers(job, wanted)) continue;
    if (request.pinned_source && fmt::format("{}", fmt::join(job.batches, ",")) != *request.pinned_source) continue;
    const bool fresh = own_jobs_.contains(job.id) || (job.created && *job.created >= not_before);
    JudgedExport judged;
    judged.job = job;
    judged.batches = TRY(batches_of_job(context.http(), job, listed));
    const auto judgement = judge_export(job, judged.batches, expectation);
    if (fresh && !chosen && judgement.finding) observed.findings.push_back(*judgement.finding);
    if (judgement.verdict == ExportVerdict::Suspect && fresh && !chosen) return observed;
    if (judgement.verdict != ExportVerdict::Usable) continue;
    judged.rows = judgement.rows;
    if (fresh && !chosen) put_outputs(judged, observed);
    chosen = chosen || fresh;
    if (request.pinned_source) break;
    // What is older than the newest usable export is superseded, also when a fresher one has been asked for.
    TRY(add_superseded(context, judged, listed, wanted.dataset, observed));
    break;
  }
  return observed;
}

Result<Applied> ExportStage::apply(const Change& change, WriteContext& context) {
  if (change.key.name == "staging") {
    Applied applied;
    applied.proof.version = TRY(create_staging(context));
    applied.outputs["dataset"] = applied.proof.version;
    return applied;
  }
  if (change.key == kBatchQueriesKey) return try_batch_queries(context);
  if (change.key.name == "job") {
    auto applied = TRY(run_export(change, context));
    own_jobs_.insert(applied.proof.version);
    if (const auto missed = applied.outputs.find("missed"); missed != applied.outputs.end()) {
      if (const auto* text = missed->second.string_if()) missed_ = *text;
      applied.outputs.erase(missed);
    }
    return applied;
  }
  if (change.action == Action::Delete && change.key.name.starts_with("batch/"))
    return drop_export_batch(change, context);
  return Error(ErrorCode::Internal, "the export stage does not know " + change.key.text());
}

}  // namespace

StageDescriptor export_stage() {
  ResourceRule staging;
  staging.prefix = "staging";
  staging.fields = {{"name", Compare::Given}, {"schema", Compare::Given}};
  ResourceRule job;
  job.prefix = "job";
  job.missing = Action::Run;
  for (const auto* name : {"dataset", "audiences", "merge_policy", "fields", "statuses"})
    job.fields[name] = Compare::Given;
  ResourceRule batch_queries;
  batch_queries.prefix = kBatchQueriesKey.name;
  batch_queries.missing = Action::Run;
  ResourceRule batch;
  batch.prefix = "batch/";
  batch.prune = true;
  return {.name = "export",
          .summary =
              "Runs export jobs into our staging dataset, or finds the profiles elsewhere, and checks what they hold.",
          .phase = Phase::Refresh,
          .needs = {"audiences"},
          .rules = {staging, job, batch_queries, batch},
          .desire = desired_export,
          .make = [] { return std::unique_ptr<Stage>(std::make_unique<ExportStage>()); }};
}

}  // namespace audiencesync
