#include <algorithm>

#include "emulator/data/errors.h"
#include "emulator/exports/export_jobs.h"

namespace emulator {
namespace {

constexpr const char* kExportJobs = "/data/core/ups/export/jobs";
constexpr std::uint64_t kFirstNumber = 11'000;
constexpr std::uint64_t kDefaultJobs = 100;

Json shown_job(Json job) {
  job.erase("_emulator");
  return job;
}

HttpError bad_job(const std::string& message) { return ups_failure(400, "UPAPI-100400-400", message); }

HttpError no_job(const std::string& id) {
  return ups_failure(404, "UPAPI-100404-404", "Export job " + id + " not found");
}

bool is_union(const std::string& schema) {
  return schema == "https://ns.adobe.com/xdm/context/profile__union" || schema == "_xdm.context.profile__union";
}

/// Refuses what the platform's own parser would: wrong types and missing required members.
void check_job(const Json& job) {
  if (!job.is_object()) throw bad_job("The body must be an object");
  if (job.value("schema", Json::object()).value("name", "") != "_xdm.context.profile")
    throw bad_job("schema.name must be _xdm.context.profile");
  if (job.value("destination", Json::object()).value("datasetId", "").empty())
    throw bad_job("destination.datasetId is required");
  if (job.contains("fields") && !job["fields"].is_string())
    throw bad_job("fields must be a string of comma-separated paths");
  const Json segments = job.value("filter", Json::object()).value("segments", Json::array());
  if (!segments.is_array()) throw bad_job("filter.segments must be an array");
  for (const Json& segment : segments) {
    if (segment.value("segmentId", "").empty()) throw bad_job("Each of filter.segments needs a segmentId");
    const Json statuses = segment.value("status", Json::array());
    if (!statuses.is_array()) throw bad_job("filter.segments[].status must be an array");
    for (const Json& status : statuses)
      if (status != "realized" && status != "existing" && status != "exited")
        throw bad_job("filter.segments[].status may hold realized, existing and exited, not " + status.dump());
  }
}

}  // namespace

void ExportJobs::add_routes(Router& router) {
  const std::string base = kExportJobs;
  router.add("POST", base, checked([this](const Request& r) { return create(r); }));
  router.add("GET", base, checked([this](const Request& r) { return list(r); }));
  router.add("GET", base + "/{id}", checked([this](const Request& r) { return one(r); }));
  router.add("DELETE", base + "/{id}", checked([this](const Request& r) { return cancel(r); }));
  router.add("PUT", "/_emulator/exports", checked([this](const Request& r) { return force(r); }), {.gate = Gate::Open});
}

Response ExportJobs::create(const Request& request) {
  const Json body = json_body(request, bad_job("The body is not JSON"));
  check_job(body);
  const std::string dataset_id = body["destination"]["datasetId"];
  const auto lock = platform_.objects.lock();
  const Json* dataset = platform_.objects.find("dataset", dataset_id);
  if (dataset == nullptr) throw bad_job("Dataset " + dataset_id + " not found");
  if (!is_union(dataset->value("schemaRef", Json::object()).value("id", "")))
    throw bad_job("The destination dataset must have the union schema of _xdm.context.profile");

  const std::uint64_t number = kFirstNumber + platform_.objects.next("export_job");
  const std::string id = std::to_string(number);
  const std::int64_t now = platform_.clock.now_ms();
  Json job = {{"id", number},
              {"jobType", "BATCH"},
              {"status", "NEW"},
              {"imsOrgId", platform_.identity.organization},
              {"profileInstanceId", "ups"},
              {"destination", body["destination"]},
              {"fields", body.value("fields", "")},
              {"schema", body["schema"]},
              {"filter", body.value("filter", Json::object())},
              {"errors", Json::array()},
              {"metrics", Json::object()},
              {"computeGatewayJobId",
               {{"exportJob", platform_.new_uuid("compute")}, {"pushJob", platform_.new_uuid("compute")}}},
              {"creationTime", now},
              {"updateTime", now},
              {"requestId", request.header("x-request-id")}};
  job["destination"]["segmentPerBatch"] = body["destination"].value("segmentPerBatch", false);
  if (body.contains("additionalFields")) job["additionalFields"] = body["additionalFields"];
  if (body.contains("evaluationInfo")) job["evaluationInfo"] = body["evaluationInfo"];
  if (body.contains("mergePolicy")) {
    job["mergePolicy"] = body["mergePolicy"];
    if (!job["mergePolicy"].contains("version")) job["mergePolicy"]["version"] = 1;
  } else {
    for (const auto& [policy, object] : platform_.objects.all("merge_policy"))
      if (object.value("default", false)) job["mergePolicy"] = {{"id", policy}, {"version", 1}};
  }
  const std::int64_t delay = platform_.settings.export_delay.count();
  job["_emulator"] = {{"start", now + delay / 4}, {"due", now + delay}};
  if (const Json* forced = platform_.objects.find("forced", "export")) {
    Json left = *forced;
    job["_emulator"]["forced"] = left["next"];
    const int times = left.value("times", 1);
    left["times"] = times - 1;
    if (times <= 1) {
      platform_.objects.erase("forced", "export");
    } else {
      platform_.objects.put("forced", "export", std::move(left));
    }
  }
  Response response = Response::json(200, shown_job(job));
  response.headers["x-location"] = std::string(kExportJobs) + "/" + id;
  platform_.objects.put("export_job", id, std::move(job));
  lake_.note("export_job", id, {{"dataset", dataset_id}});
  worker_.at(now + delay / 4, [this, id] { start(id); });
  return response;
}

Response ExportJobs::list(const Request& request) {
  std::uint64_t limit = kDefaultJobs;
  if (const auto text = request.query_value("limit")) {
    const auto number = whole_number(*text);
    if (!number || *number == 0) throw bad_job("limit must be a positive number");
    limit = *number;
  }
  const auto status = request.query_value("status");
  if (status && *status != "NEW" && *status != "SUCCEEDED" && *status != "FAILED")
    throw bad_job("status must be NEW, SUCCEEDED or FAILED");

  const auto lock = platform_.objects.lock();
  limit = std::min(limit, platform_.settings.page_cap);
  const std::int64_t lag = platform_.settings.list_lag.count();
  std::vector<const Json*> jobs;
  for (const auto& [id, job] : platform_.objects.all("export_job")) {
    if (lag > 0 && job.value("creationTime", std::int64_t{0}) + lag > platform_.clock.now_ms()) continue;
    if (!status || job.value("status", "") == *status) jobs.push_back(&job);
  }
  std::sort(jobs.begin(), jobs.end(), [](const Json* a, const Json* b) { return (*b)["id"] < (*a)["id"]; });
  auto job = jobs.begin();
  if (const auto offset = request.query_value("offset"); offset && !offset->empty()) {
    // Behind the underline stands the last job of the page before; newest first, so the next one has a smaller number.
    const auto number = whole_number(offset->substr(offset->find('_') + 1));
    if (!number) throw bad_job("offset is not one of ours");
    job = std::find_if(job, jobs.end(), [&](const Json* one) { return (*one)["id"].get<std::uint64_t>() < *number; });
  }
  Json records = Json::array();
  std::string offset;
  for (; job != jobs.end() && records.size() < limit; ++job) {
    offset = std::to_string((*job)->value("creationTime", std::int64_t{0})) + "_" + (**job)["id"].dump();
    records.push_back(shown_job(**job));
  }
  std::string next;
  if (job != jobs.end())
    next = "/export/jobs/?limit=" + std::to_string(limit) + "&offset=" + offset + (status ? "&status=" + *status : "");
  return Response::json(
      200, {{"records", records},
            {"page", {{"sortField", "createdTime"}, {"sort", "desc"}, {"pageOffset", offset}, {"pageSize", limit}}},
            {"link", {{"next", next}}}});
}

Response ExportJobs::one(const Request& request) {
  const auto lock = platform_.objects.lock();
  const Json* job = platform_.objects.find("export_job", request.parameter("id"));
  if (job == nullptr) throw no_job(request.parameter("id"));
  return Response::json(200, shown_job(*job));
}

Response ExportJobs::cancel(const Request& request) {
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  const Json* known = platform_.objects.find("export_job", id);
  if (known == nullptr) throw no_job(id);
  const std::string status = known->value("status", "");
  if (status == "NEW" || status == "PROCESSING") {
    const Json batches = (*known)["_emulator"].value("batches", Json::array());
    change(id, [](Json& job) { job["status"] = "CANCELLED"; });
    for (const Json& batch : batches)
      lake_.change_batch(batch["id"], [](Json& object) { object["status"] = "aborted"; });
  }
  return Response::json(200, {{"status", true}, {"message", "Export job has been marked for cancelling"}});
}

Response ExportJobs::force(const Request& request) {
  const Json body = json_body(request, control_failure("the body is not JSON"));
  const std::string next = body.value("next", "");
  const auto lock = platform_.objects.lock();
  if (next.empty()) {
    platform_.objects.erase("forced", "export");
    return Response::json(200, Json::object());
  }
  if (next != "FAILED" && next != "zero_rows" && next != "stuck" && next != "batch_failed" && next != "partial")
    throw control_failure("unknown result '" + next + "'; one of FAILED, zero_rows, stuck, batch_failed, partial");
  const Json forced = {{"next", next}, {"times", body.value("times", 1)}};
  platform_.objects.put("forced", "export", forced);
  return Response::json(200, forced);
}

}  // namespace emulator
