#include "plugins/platform/export_jobs.h"

#include <algorithm>

#include "plugins/platform/call.h"
#include "plugins/platform/paging.h"
#include "plugins/platform/redact.h"

namespace audiencesync::platform {
namespace {

const char* const kExportJobs = "/data/core/ups/export/jobs";

ExportStatus export_status(const std::string& text) {
  const auto word = ascii_lower(text);
  if (word == "new" || word == "queued") return ExportStatus::New;
  if (word == "processing") return ExportStatus::Processing;
  if (word == "succeeded") return ExportStatus::Succeeded;
  if (word == "failed") return ExportStatus::Failed;
  return ExportStatus::Other;
}

void add_batch(std::vector<std::string>& batches, const Value* value) {
  auto id = id_text(value);
  if (!id.empty() && std::find(batches.begin(), batches.end(), id) == batches.end()) batches.push_back(std::move(id));
}

/// `batchId`, or `batches` as an array of objects, one object, or ids.
std::vector<std::string> batches_from(const Value& destination) {
  std::vector<std::string> batches;
  add_batch(batches, destination.find("batchId"));
  const auto* list = destination.find("batches");
  if (list == nullptr) return batches;
  if (list->is_object()) add_batch(batches, list->find("batchId"));
  for (const auto& entry : destination.items("batches"))
    add_batch(batches, entry.is_object() ? entry.find("batchId") : &entry);
  return batches;
}

std::string reasons_from(const Value& job) {
  std::string reasons;
  for (const auto& error : job.items("errors")) {
    if (!reasons.empty()) reasons += "; ";
    reasons += id_text(error.find("code"));
    auto message = error.text("msg");
    if (message.empty()) message = error.text("message");
    if (!message.empty()) reasons += (reasons.empty() || reasons.ends_with("; ") ? "" : ": ") + redacted(message);
  }
  return reasons;
}

}  // namespace

ExportJob export_job_from(const Value& value) {
  ExportJob job;
  job.id = id_text(value.find("id"));
  job.status_text = value.text("status");
  job.status = export_status(job.status_text);
  if (const auto* destination = value.find("destination")) {
    job.dataset = destination->text("datasetId");
    if (job.dataset.empty()) job.dataset = destination->text("dataSetId");
    job.batches = batches_from(*destination);
  }
  job.fields = value.text("fields");
  job.merge_policy = id_text(value.find_path({"mergePolicy", "id"}));
  if (const auto* filter = value.find("filter")) job.filter = *filter;
  job.created = time_of(value.find("creationTime"));
  if (const auto* metrics = value.find("metrics"))
    if (const auto count = metrics->number("totalExportedProfileCounter"); count && *count >= 0)
      job.profiles = static_cast<std::uint64_t>(*count);
  job.reasons = reasons_from(value);
  return job;
}

Result<std::vector<ExportJob>> export_jobs_since(http::ReadClient& client, Time since) {
  std::vector<ExportJob> jobs;
  const auto fetch = [&](const std::string& cursor) -> Result<std::string> {
    http::Query query{{"limit", "100"}};
    if (!cursor.empty()) query.emplace_back("offset", cursor);
    auto answer = TRY(read_json(client, get(kExportJobs, std::move(query))));
    bool reached = false;
    for (const auto& record : answer.items("records")) {
      auto job = export_job_from(record);
      reached = reached || (job.created && *job.created < since);
      if (!job.created || *job.created >= since) jobs.push_back(std::move(job));
    }
    if (reached) return std::string();
    return next_cursor(answer, "offset");
  };
  TRY(each_page("export jobs", fetch).in("export jobs"));
  std::stable_sort(jobs.begin(), jobs.end(), [](const ExportJob& left, const ExportJob& right) {
    return left.created.value_or(Time()) > right.created.value_or(Time());
  });
  return jobs;
}

Result<std::optional<ExportJob>> get_export_job(http::ReadClient& client, const std::string& id) {
  auto answer = TRY(read_json_if_there(client, get(std::string(kExportJobs) + "/" + http::encode_segment(id)))
                        .in("export job " + id));
  if (answer.is_null()) return std::optional<ExportJob>();
  return std::optional<ExportJob>(export_job_from(answer));
}

Result<ExportJob> create_export_job(http::WriteClient& client, const Value& body) {
  auto answer =
      TRY(write_json(client, send(http::Method::Post, kExportJobs, body, http::Repeat::Once)).in("start export job"));
  auto job = export_job_from(answer);
  if (job.id.empty()) return Error(ErrorCode::Unknown, "the platform started an export job and named no id");
  return job;
}

Result<void> cancel_export_job(http::WriteClient& client, const std::string& id) {
  http::Request request;
  request.method = http::Method::Delete;
  request.path = std::string(kExportJobs) + "/" + http::encode_segment(id);
  request.repeat = http::Repeat::Repeatable;
  request.expected = {404};
  TRY(client.write(request).in("cancel export job " + id));
  return {};
}

}  // namespace audiencesync::platform
