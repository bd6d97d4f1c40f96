#include "plugins/export/export_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "plugins/export/evaluation_wait.h"
#include "plugins/export/export_request.h"
#include "plugins/export/export_turn.h"
#include "plugins/platform/batch_ingestion.h"
#include "plugins/platform/batches.h"
#include "plugins/platform/call.h"
#include "plugins/platform/export_jobs.h"
#include "plugins/platform/listing.h"

namespace audiencesync {
namespace {

/// How far our idea of server time may be off: answers carry whole seconds. None when the clocks agree.
Duration skew_of(const ReadContext& context) {
  return context.server().offset() == Duration(0) ? Duration(0) : Duration(1'500);
}

std::int64_t seconds_of(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

/// True when an earlier run computed its snapshot from this job: it is not what this change meant to start.
Result<bool> was_used(const ReadContext& context, const platform::ExportJob& job) {
  const auto current = TRY(context.records().current(context.manifest().uid + "/analytics"));
  if (!current) return false;
  return std::any_of(job.batches.begin(), job.batches.end(),
                     [&](const std::string& batch) { return current->source.find(batch) != std::string::npos; });
}

/// Jobs that an attempt opened at `opened` may have started, oldest first.
Result<std::vector<platform::ExportJob>> jobs_of_attempt(const ReadContext& context, const ExportRequest& request,
                                                         Time opened) {
  auto jobs = TRY(platform::export_jobs_since(context.http(), opened - skew_of(context)));
  std::vector<platform::ExportJob> ours;
  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
    const bool ended_badly =
        job->status == platform::ExportStatus::Failed || job->status == platform::ExportStatus::Other;
    if (ended_badly || !is_same_export(*job, request)) continue;
    const bool used = TRY(was_used(context, *job));
    if (!used) ours.push_back(*job);
  }
  return ours;
}

Value started_value(const std::string& id, Time at) {
  Value value;
  value["id"] = id;
  value["started"] = to_epoch_ms(at);
  return value;
}

Result<Value> start_job(const ExportRequest& request, WriteContext& context) {
  const auto find = [&](const Attempt& attempt) -> Result<std::optional<Value>> {
    auto jobs = TRY(jobs_of_attempt(context, request, attempt.opened));
    if (jobs.empty()) return std::optional<Value>();
    if (jobs.size() > 1)
      context.events().warn("export.twice",
                            {{"adopted", jobs.front().id}, {"other", jobs[1].id}, {"goes_on", "with the oldest job"}});
    return std::optional<Value>(started_value(jobs.front().id, jobs.front().created.value_or(attempt.opened)));
  };
  const auto make = [&](http::WriteClient& client, const Attempt& attempt) -> Result<Value> {
    const auto missed = TRY(await_evaluation(request, attempt.opened, context));
    TRY(await_export_turn(client, request.dataset, context));
    auto job = platform::create_export_job(client, export_body(request));
    if (!job) {
      if (job.error().code() != ErrorCode::Unknown) TRY(end_export_turn(context));
      return std::move(job).error();
    }
    TRY(name_export_job(job->id, context));
    auto value = started_value(job->id, job->created.value_or(attempt.opened));
    if (!missed.empty()) value["missed"] = missed;
    return value;
  };
  return context.once({.name = "job", .sequence = ""}, find, make);
}

Error failed_job(const platform::ExportJob& job) {
  if (job.status == platform::ExportStatus::Failed)
    return Error(ErrorCode::Rejected, fmt::format("export job {} failed: {}; the next apply starts a new one", job.id,
                                                  job.reasons.empty() ? "the platform gives no reason" : job.reasons));
  return Error(ErrorCode::Rejected,
               fmt::format("export job {} has status '{}', which means neither running nor done: taken as cancelled; "
                           "the next apply starts a new one",
                           job.id, job.status_text));
}

/// Gives up on a job: cancelled once, and given up for good when even that did not end it.
Result<void> give_up(const std::string& id, Duration age, WriteContext& context) {
  bool cancelled_now = false;
  const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    cancelled_now = true;
    TRY(platform::cancel_export_job(client, id));
    return Value(true);
  };
  TRY(context.once({.name = "cancel", .sequence = ""}, {}, make));
  TRY(end_export_turn(context));
  if (cancelled_now)
    return Error(ErrorCode::Timeout,
                 fmt::format("export job {} was not finished after {} s (deadline_export) and has been cancelled; run "
                             "apply again for a new one",
                             id, seconds_of(age)));
  return Error(ErrorCode::Rejected,
               fmt::format("export job {} still runs {} s after its start although it was cancelled; it is left alone, "
                           "and a new one is started",
                           id, seconds_of(age)));
}

/// Waits until the job has ended well. Errors: Rejected, Timeout, and those of `wait`.
Result<platform::ExportJob> finish_job(const std::string& id, Time started, WriteContext& context) {
  const auto& timing = context.settings().timing;
  const auto age = [&] { return Duration(context.server().now() - started); };
  bool late = false;
  std::optional<platform::ExportJob> done;
  auto ended =
      context.wait("export job " + id, timing.poll_export, timing.deadline_export + timing.poll_export,
                   [&]() -> Result<std::optional<Value>> {
                     auto job = TRY(platform::get_export_job(context.http(), id));
                     if (!job) {
                       if (age() < timing.settle) return std::optional<Value>();
                       return Error(ErrorCode::Rejected,
                                    fmt::format("export job {} is not known to the platform any more; the next apply "
                                                "starts a new one",
                                                id));
                     }
                     const bool runs = job->status == platform::ExportStatus::New ||
                                       job->status == platform::ExportStatus::Processing;
                     if (!runs && job->status != platform::ExportStatus::Succeeded) return failed_job(*job);
                     late = runs && age() > timing.deadline_export;
                     if (runs && !late) return std::optional<Value>();
                     done = std::move(*job);
                     return std::optional<Value>(true);
                   });
  const bool failed = !ended.ok() && ended.error().code() == ErrorCode::Rejected;
  if ((ended.ok() && !late) || failed) TRY(end_export_turn(context));
  if (!ended.ok()) return std::move(ended).error();
  if (late) TRY(give_up(id, age(), context));
  return *done;
}

/// Waits until every batch of the job is readable.
Result<void> await_batches(const platform::ExportJob& job, WriteContext& context) {
  const auto& timing = context.settings().timing;
  for (const auto& id : job.batches) {
    TRY(context.wait("export batch " + id, timing.poll_batch, timing.deadline_batch,
                     [&]() -> Result<std::optional<Value>> {
                       auto batch = TRY(platform::get_batch(context.http(), id));
                       if (!batch) return std::optional<Value>();
                       const auto holder = TRY(platform::current_holder(context.http(), *batch));
                       if (platform::is_live(holder)) return std::optional<Value>(true);
                       if (!platform::is_terminal(holder)) return std::optional<Value>();
                       return Error(ErrorCode::Rejected,
                                    fmt::format("batch {} of export job {} is {}: {}; the next apply starts a new "
                                                "export",
                                                id, job.id, holder.status, platform::reasons_of(holder)));
                     }));
  }
  return {};
}

std::string text_field(const Change& change, std::string_view name) {
  const auto found = change.after.find(name);
  if (found == change.after.end() || !std::holds_alternative<Value>(found->second)) return {};
  const auto* text = std::get<Value>(found->second).string_if();
  return text == nullptr ? std::string() : *text;
}

}  // namespace

Result<Applied> run_export(const Change& change, WriteContext& context) {
  const auto request = TRY(export_request(change.after));
  const auto started = TRY(start_job(request, context));
  const auto id = started.text("id");
  // Of an attempt that was interrupted, the slot is still ours, and now somebody sees to its job again.
  TRY(name_export_job(id, context));
  const auto job = TRY(finish_job(id, from_epoch_ms(started.number("started").value_or(0)), context));
  TRY(await_batches(job, context));
  // Whoever looks for a usable export reads the list: one that lacks this job would have it made again.
  TRY(platform::await_listing(context, "export job " + id, [&]() -> Result<bool> {
    const auto listed = TRY(platform::export_jobs_since(context.http(), job.created.value_or(Time())));
    return std::any_of(listed.begin(), listed.end(), [&](const auto& each) { return each.id == id; });
  }));
  Applied applied;
  applied.outputs["job"] = id;
  if (auto missed = started.text("missed"); !missed.empty()) applied.outputs["missed"] = std::move(missed);
  applied.proof.version = id;
  applied.proof.batch = job.batches.empty() ? std::string() : job.batches.front();
  applied.proof.records = job.profiles.value_or(0);
  return applied;
}

Result<Applied> drop_export_batch(const Change& change, WriteContext& context) {
  const auto id = text_field(change, "batch");
  const auto dataset = text_field(change, "dataset");
  const auto gone = [&]() -> Result<std::optional<Value>> {
    auto batch = TRY(platform::get_batch(context.http(), id));
    if (!batch || !platform::is_live(*batch)) return std::optional<Value>(true);
    if (batch->dataset != dataset)
      return Error(ErrorCode::Conflict, fmt::format("batch {} is in dataset {} and not in our staging dataset {}", id,
                                                    batch->dataset, dataset));
    return std::optional<Value>();
  };
  const auto already = TRY(gone());
  if (already) return Applied();
  const auto make = [&](http::WriteClient& client, const Attempt&) -> Result<Value> {
    auto reverted = platform::revert_batch(client, id);
    if (reverted) return Value(true);
    const auto code = reverted.error().code();
    if (code != ErrorCode::Rejected && code != ErrorCode::Permission && code != ErrorCode::Conflict &&
        code != ErrorCode::NotFound)
      return std::move(reverted).error();
    context.events().warn("export.batch_kept", {{"batch", id},
                                                {"error", reverted.error().text()},
                                                {"goes_on", "with the superseded export left in the staging dataset"}});
    return Value(false);
  };
  const auto accepted = TRY(context.once(
      {.name = "revert", .sequence = ""}, [&](const Attempt&) { return gone(); }, make));
  if (accepted == Value(false)) return Applied();
  const auto settle = context.settings().timing.settle;
  auto seen = context.wait("batch " + id + " to be taken back", std::max(settle / 8, Duration(1)), settle, gone);
  if (!seen && seen.error().code() != ErrorCode::NotFinished) return std::move(seen).error();
  return Applied();
}

}  // namespace audiencesync
