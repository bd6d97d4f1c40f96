#include "emulator/exports/export_jobs.h"

#include <algorithm>
#include <cctype>

#include "emulator/data/profile_fields.h"
#include "emulator/exports/parquet_writer.h"
#include "emulator/exports/segment_filter.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

constexpr const char* kUnion = "https://ns.adobe.com/xdm/context/profile__union";

/// Whether the merged schema has that dotted path.
bool has_path(const Json& schema, const std::string& path) {
  const Json* node = &schema;
  for (std::size_t begin = 0; begin != std::string::npos;) {
    const std::size_t dot = path.find('.', begin);
    const std::string name = path.substr(begin, dot == std::string::npos ? dot : dot - begin);
    while (node->contains("items")) node = &node->at("items");
    if (node->contains("additionalProperties") && node->at("additionalProperties").is_object()) {
      node = &node->at("additionalProperties");
    } else if (node->contains("properties") && node->at("properties").contains(name)) {
      node = &node->at("properties").at(name);
    } else {
      return false;
    }
    begin = dot == std::string::npos ? dot : dot + 1;
  }
  return true;
}

Json span(std::int64_t start, std::int64_t end) {
  return {{"startTimeInMs", start}, {"endTimeInMs", end}, {"totalTimeInMs", end - start}};
}

Json as_json(const std::vector<PartFile>& parts) {
  Json files = Json::array();
  for (const PartFile& part : parts) files.push_back({{"name", part.name}, {"bytes", part.bytes}, {"rows", part.rows}});
  return files;
}

}  // namespace

ExportJobs::ExportJobs(Platform& platform, World& world, Lake& lake, Worker& worker)
    : platform_(platform), world_(world), lake_(lake), worker_(worker) {}

void ExportJobs::change(const std::string& id, const std::function<void(Json&)>& change) {
  const auto lock = platform_.objects.lock();
  const Json* known = platform_.objects.find("export_job", id);
  if (known == nullptr) return;
  Json job = *known;
  change(job);
  job["updateTime"] = platform_.clock.now_ms();
  platform_.objects.put("export_job", id, std::move(job));
}

void ExportJobs::fail(const std::string& id, const std::string& code, const std::string& message) {
  std::vector<std::string> batches;
  change(id, [&](Json& job) {
    for (const Json& one : job["_emulator"].value("batches", Json::array())) batches.push_back(one["id"]);
    job["status"] = "FAILED";
    job["destination"]["batchId"] = "";
    job["destination"].erase("batches");
    job["errors"] = Json::array({{{"code", code}, {"msg", message}, {"callStack", ""}}});
  });
  for (const std::string& batch : batches) {
    lake_.fail(batch, "unknown", "Job aborted.");
    lake_.drop_files(batch);
  }
}

void ExportJobs::resume() {
  const auto lock = platform_.objects.lock();
  for (const auto& [id, job] : platform_.objects.all("export_job")) {
    const std::string status = job.value("status", "");
    const Json& facts = job["_emulator"];
    const std::string name = id;
    if (status == "NEW") worker_.at(facts.value("start", std::int64_t{0}), [this, name] { start(name); });
    if (status == "PROCESSING" && facts.value("written", false))
      worker_.at(facts.value("due", std::int64_t{0}), [this, name] { finish(name); });
    if (status == "PROCESSING" && !facts.value("written", false)) worker_.at(0, [this, name] { write(name); });
    if (status == "SUCCEEDED" && !facts.value("published", false))
      worker_.at(facts.value("visible", std::int64_t{0}), [this, name] { publish(name); });
  }
}

std::string ExportJobs::why_not(const Json& job) const {
  for (const SegmentFilter& segment : segment_filters(job)) {
    if (segment.space == "ups" && platform_.objects.find("audience", segment.audience) == nullptr)
      return "Error in Export Job: segment " + segment.audience + " not found";
  }
  return {};
}

std::string ExportJobs::bad_field(const std::string& fields) const {
  const auto schema = resolved_schema(platform_, kUnion);
  for (std::size_t begin = 0; begin != std::string::npos;) {
    const std::size_t comma = fields.find(',', begin);
    std::string path = fields.substr(begin, comma == std::string::npos ? comma : comma - begin);
    path.erase(std::remove_if(path.begin(), path.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
               path.end());
    begin = comma == std::string::npos ? comma : comma + 1;
    const bool ours = !path.empty() && !project(platform_.identity, Vocabulary{}, path).unknown;
    // A field of the union that nobody has a value for is only absent from the files; one it lacks breaks the batch.
    if (!ours && !(schema && has_path(*schema, path))) return path.empty() ? "(empty)" : path;
  }
  return {};
}

void ExportJobs::start(const std::string& id) {
  {
    const auto lock = platform_.objects.lock();
    const Json* known = platform_.objects.find("export_job", id);
    if (known == nullptr || known->value("status", "") != "NEW") return;
    const std::string problem = why_not(*known);
    if (!problem.empty()) return fail(id, "0100000003", problem);
    if ((*known)["_emulator"].value("forced", "") == "FAILED") return fail(id, "unknown", "Job aborted.");

    const std::string dataset = (*known)["destination"]["datasetId"];
    const bool per_segment = (*known)["destination"].value("segmentPerBatch", false);
    const std::vector<SegmentFilter> segments = segment_filters(*known);
    Json batches = Json::array();
    const std::size_t count = per_segment && !segments.empty() ? segments.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
      batches.push_back(
          {{"id", lake_.create_batch(dataset,
                                     {{"status", "staging"},
                                      {"started", platform_.clock.now_ms()},
                                      {"inputFormat", {{"format", "parquet"}}},
                                      {"tags", {{"acp_producer", {"profile-export"}}, {"exportJobId", {id}}}}},
                                     {{"by", "export"}, {"export_job", id}})}});
    }
    change(id, [&](Json& job) {
      job["status"] = "PROCESSING";
      if (per_segment && !segments.empty()) {
        job["destination"]["batches"] = Json::array();
        for (std::size_t i = 0; i < count; ++i)
          job["destination"]["batches"].push_back({{"segmentId", segments[i].audience},
                                                   {"segmentNs", segments[i].space},
                                                   {"status", segments[i].statuses},
                                                   {"batchId", batches[i]["id"]}});
      } else {
        job["destination"]["batchId"] = batches[0]["id"];
      }
      job["_emulator"]["batches"] = batches;
      job["_emulator"]["begun"] = platform_.clock.now_ms();
    });
  }
  write(id);
}

void ExportJobs::write(const std::string& id) {
  Json job;
  std::uint64_t rows_per_part = 0;
  std::vector<std::string> guids;
  std::string unknown;
  {
    const auto lock = platform_.objects.lock();
    const Json* known = platform_.objects.find("export_job", id);
    if (known == nullptr || known->value("status", "") != "PROCESSING") return;
    job = *known;
    rows_per_part = platform_.settings.rows_per_part;
    const std::string fields = job.value("fields", "");
    if (fields.find_first_not_of(" \t\r\n") != std::string::npos) unknown = bad_field(fields);
    for (std::size_t i = 0; i < job["_emulator"]["batches"].size(); ++i) guids.push_back(platform_.new_uuid("part"));
  }
  const std::string forced = job["_emulator"].value("forced", "");
  const Vocabulary words = world_.vocabulary();
  const std::vector<SegmentFilter> segments = segment_filters(job);
  const Projection projection = project(platform_.identity, words, job.value("fields", ""));
  const std::string select = projection.select.empty() ? "md5('profile ' || profile_id) AS \"_id\"" : projection.select;
  Json batches = job["_emulator"]["batches"];
  ExportedRows all;
  try {
    for (std::size_t i = 0; i < batches.size() && unknown.empty(); ++i) {
      std::vector<SegmentFilter> of = segments;
      if (batches.size() > 1) of = {segments[i]};
      const std::string condition = forced == "zero_rows" ? "false" : export_condition(words, job, of);
      const std::filesystem::path folder = lake_.parts_folder(batches[i]["id"]);
      ExportedRows rows = write_parquet(world_, select, condition, folder, guids[i], rows_per_part);
      all.rows += rows.rows;
      all.with_email += rows.with_email;
      all.with_ecid += rows.with_ecid;
      batches[i]["claimed"] = rows.rows;
      if (forced == "partial" && !rows.parts.empty()) {
        std::filesystem::remove(folder / rows.parts.back().name);
        rows.parts.pop_back();
      }
      batches[i]["files"] = as_json(rows.parts);
    }
  } catch (const DatabaseError& error) {
    return fail(id, "0090000009", std::string("Error writing profiles to output path: ") + error.what());
  }
  std::int64_t due = 0;
  bool wanted = false;
  change(id, [&](Json& now) {
    wanted = now.value("status", "") == "PROCESSING";
    if (!wanted) return;  // cancelled meanwhile
    Json& facts = now["_emulator"];
    facts["batches"] = batches;
    facts["written"] = true;
    facts["counters"] = {{"total", all.rows}, {"email", all.with_email}, {"ecid", all.with_ecid}};
    if (!unknown.empty()) facts["bad_field"] = unknown;
    due = facts.value("due", std::int64_t{0});
  });
  if (!wanted) {
    for (const Json& batch : batches) lake_.drop_files(batch["id"]);
    return;
  }
  worker_.at(due, [this, id] { finish(id); });
}

void ExportJobs::finish(const std::string& id) {
  std::int64_t visible = 0;
  bool done = false;
  change(id, [&](Json& job) {
    if (job.value("status", "") != "PROCESSING" || job["_emulator"].value("forced", "") == "stuck") return;
    done = true;
    const std::int64_t begun = job["_emulator"].value("begun", std::int64_t{0});
    const std::int64_t now = platform_.clock.now_ms();
    const Json counters = job["_emulator"]["counters"];
    job["status"] = "SUCCEEDED";
    job["metrics"] = {
        {"totalTime", span(job["creationTime"], now)},
        {"profileExportTime", span(begun, now)},
        {"aCPDatasetWriteTime", span(begun, now)},
        {"totalExportedProfileCounter", counters["total"]},
        {"exportedProfileByNamespaceCounter", {{"email", counters["email"]}, {"ecid", counters["ecid"]}}}};
    visible = now + platform_.settings.export_visibility.count();
    job["_emulator"]["visible"] = visible;
  });
  if (done) worker_.at(visible, [this, id] { publish(id); });
}

void ExportJobs::publish(const std::string& id) {
  const auto lock = platform_.objects.lock();
  const Json* known = platform_.objects.find("export_job", id);
  if (known == nullptr || known->value("status", "") != "SUCCEEDED" || (*known)["_emulator"].value("published", false))
    return;
  const Json facts = (*known)["_emulator"];
  for (const Json& batch : facts["batches"]) {
    const std::string batch_id = batch["id"];
    if (lake_.batch_status(batch_id) != "staging") continue;  // somebody removed it
    if (facts.contains("bad_field") || facts.value("forced", "") == "batch_failed") {
      if (facts.contains("bad_field")) {
        lake_.fail(batch_id, "unknown",
                   "Job aborted. Field " + facts.value("bad_field", "") + " is not in the union schema");
      } else {
        lake_.fail(batch_id, "0070000017", "Unknown error occurred.");
      }
      lake_.drop_files(batch_id);
      continue;
    }
    std::vector<PartFile> parts;
    for (const Json& file : batch.value("files", Json::array()))
      parts.push_back({file["name"], file["bytes"], file["rows"]});
    const Json claimed = batch.value("claimed", Json(0));
    lake_.succeed(batch_id, parts, {{"inputRecordCount", claimed}, {"outputRecordCount", claimed}});
  }
  change(id, [](Json& job) { job["_emulator"]["published"] = true; });
}

}  // namespace emulator
