#include "emulator/data/lake.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace emulator {
namespace {

constexpr const char* kUser = "9F1C0A2B3D4E5F60718293A4@techacct.adobe.com";

std::string raised_version(const Json& object) {
  const std::string version = object.value("version", "1.0.0");
  const auto dot = version.rfind('.');
  return version.substr(0, dot + 1) + std::to_string(std::stoul("0" + version.substr(dot + 1)) + 1);
}

bool is_failure(const std::string& status) { return status == "failure" || status == "failed"; }

}  // namespace

Lake::Lake(Platform& platform) : platform_(platform) { std::filesystem::create_directories(platform.folder / "lake"); }

std::filesystem::path Lake::parts_folder(const std::string& batch) const {
  return platform_.folder / "lake" / batch / "parts";
}
std::filesystem::path Lake::uploads_folder(const std::string& batch) const {
  return platform_.folder / "lake" / batch / "uploads";
}
std::filesystem::path Lake::diagnostics_folder(const std::string& batch) const {
  return platform_.folder / "lake" / batch / "diagnostics";
}

std::filesystem::path Lake::withdrawn_folder(const std::string& batch) const {
  return platform_.folder / "withdrawn" / batch;
}

std::string Lake::create_batch(const std::string& dataset, const Json& fields, const Json& facts) {
  const auto lock = platform_.objects.lock();
  const std::string id = platform_.new_id("batch");
  const std::int64_t now = platform_.clock.now_ms();
  Json batch = {{"imsOrg", platform_.identity.organization},
                {"sandboxId", platform_.identity.sandbox},
                {"created", now},
                {"updated", now},
                {"createdClient", platform_.identity.client_id},
                {"createdUser", kUser},
                {"updatedUser", kUser},
                {"externalId", id},
                {"status", "loading"},
                {"version", "1.0.0"},
                {"errors", Json::array()},
                {"metrics", Json::object()},
                {"recordCount", 0},
                {"failedRecordCount", 0},
                {"relatedObjects", Json::array({{{"type", "dataSet"}, {"id", dataset}}})},
                {"tags", Json::object()},
                {"replay", Json::object()}};
  batch.update(fields);
  batch["_emulator"] = facts;
  batch["_emulator"]["number"] = platform_.objects.next("batch_order");
  note("batch", id, {{"externalId", batch["externalId"]}, {"dataset", dataset}, {"by", facts.value("by", "")}});
  platform_.objects.put("batch", id, std::move(batch));
  return id;
}

void Lake::change_batch(const std::string& id, const std::function<void(Json&)>& change) {
  const auto lock = platform_.objects.lock();
  const Json* known = platform_.objects.find("batch", id);
  if (known == nullptr) return;
  Json batch = *known;
  const std::string before = batch.value("status", "");
  change(batch);
  batch["updated"] = platform_.clock.now_ms();
  batch["version"] = raised_version(batch);
  const std::string after = batch.value("status", "");
  const std::string dataset_id = dataset_of(batch);
  if (is_live(before) && !is_live(after)) batch["_emulator"]["withdrawn"] = platform_.clock.now_ms();
  platform_.objects.put("batch", id, std::move(batch));

  if (after == before) return;
  const Json* found = platform_.objects.find("dataset", dataset_id);
  if (found == nullptr) return;
  Json dataset = *found;
  if (is_live(after) || is_failure(after)) {
    dataset["lastBatchId"] = id;
    dataset["lastBatchStatus"] = after;
    dataset[is_live(after) ? "lastSuccessfulBatch" : "lastFailedBatch"] = id;
  } else if (dataset.value("lastBatchId", "") == id) {
    dataset["lastBatchStatus"] = after;
  }
  platform_.objects.put("dataset", dataset_id, std::move(dataset));
}

std::string Lake::batch_status(const std::string& batch) {
  const auto lock = platform_.objects.lock();
  const Json* found = platform_.objects.find("batch", batch);
  return found == nullptr ? std::string() : found->value("status", "");
}

void Lake::succeed(const std::string& id, const std::vector<PartFile>& parts, const Json& metrics) {
  change_batch(id, [&](Json& batch) {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    Json files = Json::array();
    for (const PartFile& part : parts) {
      rows += part.rows;
      bytes += part.bytes;
      files.push_back({{"name", part.name}, {"bytes", part.bytes}, {"rows", part.rows}});
    }
    batch["_emulator"]["files"] = std::move(files);
    batch["_emulator"]["finished"] = platform_.clock.now_ms();
    batch["status"] = "success";
    batch["completed"] = platform_.clock.now_ms();
    batch["size"] = bytes;
    Json all = {{"outputByteSize", bytes},
                {"outputFileCount", parts.size()},
                {"outputRecordCount", rows},
                {"partitionCount", 1},
                {"failedRecordCount", 0},
                {"startTime", batch.value("started", batch.value("created", std::int64_t{0}))},
                {"endTime", platform_.clock.now_ms()}};
    all.update(metrics);
    batch["recordCount"] = all["outputRecordCount"];
    batch["failedRecordCount"] = all["failedRecordCount"];
    batch["metrics"] = std::move(all);
  });
}

void Lake::fail(const std::string& id, const std::string& code, const std::string& description) {
  change_batch(id, [&](Json& batch) {
    batch["status"] = "failure";
    batch["completed"] = platform_.clock.now_ms();
    batch["errors"] = Json::array({{{"code", code}, {"description", description}, {"rows", Json::array()}}});
  });
}

void Lake::drop_files(const std::string& batch) {
  std::error_code ignored;  // a file somebody still reads goes when it is closed
  {
    const auto lock = platform_.objects.lock();
    const Json* known = platform_.objects.find("batch", batch);
    if (known != nullptr && (*known)["_emulator"].contains("withdrawn") && keeps_withdrawn(dataset_of(*known))) {
      std::filesystem::create_directories(withdrawn_folder(batch).parent_path(), ignored);
      std::filesystem::rename(parts_folder(batch), withdrawn_folder(batch), ignored);
    }
  }
  std::filesystem::remove_all(platform_.folder / "lake" / batch, ignored);
}

std::vector<std::string> Lake::batches_of(const std::string& dataset) {
  const auto lock = platform_.objects.lock();
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (const auto& [id, batch] : platform_.objects.all("batch"))
    if (dataset_of(batch) == dataset) found.emplace_back(batch["_emulator"].value("number", std::uint64_t{0}), id);
  std::sort(found.begin(), found.end());
  std::vector<std::string> ids;
  ids.reserve(found.size());
  for (auto& [number, id] : found) ids.push_back(std::move(id));
  return ids;
}

void Lake::note(const std::string& kind, const std::string& id, const Json& facts) {
  const auto lock = platform_.objects.lock();
  char number[24];
  std::snprintf(number, sizeof number, "%012llu", static_cast<unsigned long long>(platform_.objects.next("ledger")));
  Json entry = facts;
  entry["kind"] = kind;
  entry["id"] = id;
  entry["created"] = platform_.clock.now_ms();
  platform_.objects.put("ledger", number, std::move(entry));
}

std::string Lake::dataset_of(const Json& batch) {
  for (const Json& related : batch.value("relatedObjects", Json::array()))
    if (related.value("type", "") == "dataSet") return related.value("id", "");
  return {};
}

}  // namespace emulator
