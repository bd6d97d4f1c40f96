#include "emulator/catalog/batches.h"

#include <algorithm>

#include "emulator/catalog/query.h"
#include "emulator/data/errors.h"

namespace emulator {
namespace {

Json shown_batch(Json batch) {
  batch.erase("_emulator");
  return batch;
}

std::vector<std::string> ids_in(const std::string& text) {
  std::vector<std::string> ids;
  for (std::size_t begin = 0; begin != std::string::npos;) {
    const std::size_t comma = text.find(',', begin);
    ids.push_back(text.substr(begin, comma == std::string::npos ? comma : comma - begin));
    begin = comma == std::string::npos ? comma : comma + 1;
  }
  return ids;
}

bool is_listed(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

CatalogBatches::CatalogBatches(Platform& platform, Lake& lake) : platform_(platform), lake_(lake) {}

void CatalogBatches::add_routes(Router& router) {
  const std::string base = "/data/foundation/catalog";
  router.add("GET", base + "/batches", checked([this](const Request& r) { return list(r); }));
  router.add("GET", base + "/batches/{id}", checked([this](const Request& r) { return one(r); }));
  router.add("GET", base + "/lastBatches", checked([this](const Request& r) { return last(r); }));
  router.add("GET", base + "/dataSetFiles", checked([this](const Request& r) { return files(r); }));
  router.add("POST", "/_emulator/batches", checked([this](const Request& r) { return control(r); }),
             {.gate = Gate::Open});
}

Response CatalogBatches::list(const Request& request) {
  const auto dataset = request.query_value("dataSet");
  const auto batch_id = request.query_value("batch");
  const auto lock = platform_.objects.lock();
  const std::int64_t lag = platform_.settings.list_lag.count();
  std::vector<CatalogEntry> entries;
  for (const auto& [id, batch] : platform_.objects.all("batch")) {
    if (lag > 0 && batch.value("created", std::int64_t{0}) + lag > platform_.clock.now_ms()) continue;
    if (dataset && !is_listed(ids_in(*dataset), Lake::dataset_of(batch))) continue;
    if (batch_id && !is_listed(ids_in(*batch_id), id)) continue;
    entries.push_back({id, shown_batch(batch), batch["_emulator"]["number"]});
  }
  return Response::json(200, catalog_list(request, std::move(entries), {"dataSet", "batch"}));
}

Response CatalogBatches::one(const Request& request) {
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  const Json* batch = platform_.objects.find("batch", id);
  if (batch == nullptr) throw catalog_failure(404, "Batch not found.");
  return Response::json(200, {{id, shown_batch(*batch)}});
}

Response CatalogBatches::last(const Request& request) {
  const auto wanted = request.query_value("dataSetId");
  if (!wanted) throw catalog_failure(400, "dataSetId is required");
  const auto lock = platform_.objects.lock();
  Json answer = Json::object();
  for (const std::string& id : ids_in(*wanted)) {
    const Json* dataset = platform_.objects.find("dataset", id);
    if (dataset == nullptr) continue;
    Json& one = answer[id] = Json::object();
    if (dataset->contains("lastBatchId")) one["lastBatchId"] = (*dataset)["lastBatchId"];
    if (dataset->contains("lastBatchStatus")) one["lastBatchStatus"] = (*dataset)["lastBatchStatus"];
    if (dataset->contains("lastSuccessfulBatch")) one["lastSuccessfulBatchId"] = (*dataset)["lastSuccessfulBatch"];
    if (dataset->contains("lastFailedBatch")) one["lastFailedBatchId"] = (*dataset)["lastFailedBatch"];
  }
  return Response::json(200, answer);
}

Response CatalogBatches::files(const Request& request) {
  const auto dataset = request.query_value("dataSetId");
  const auto batch_id = request.query_value("batch");
  if (!dataset && !batch_id) throw catalog_failure(400, "dataSetId or batch is required");
  const auto lock = platform_.objects.lock();
  std::vector<CatalogEntry> entries;
  for (const auto& [id, batch] : platform_.objects.all("batch")) {
    if (!Lake::is_live(batch.value("status", ""))) continue;
    if (dataset && Lake::dataset_of(batch) != *dataset) continue;
    if (batch_id && id != *batch_id) continue;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    for (const Json& file : batch["_emulator"].value("files", Json::array())) {
      rows += file["rows"].get<std::uint64_t>();
      bytes += file["bytes"].get<std::uint64_t>();
    }
    entries.push_back({id + "-1",
                       {{"batchId", id},
                        {"dataSetId", Lake::dataset_of(batch)},
                        {"created", batch["created"]},
                        {"updated", batch["updated"]},
                        {"isValid", true},
                        {"version", "1.0.0"},
                        {"records", rows},
                        {"size", bytes}},
                       batch["_emulator"]["number"]});
  }
  return Response::json(200, catalog_list(request, std::move(entries), {"dataSetId", "batch"}));
}

Response CatalogBatches::compact(const Json& body) {
  const auto lock = platform_.objects.lock();
  const std::string dataset = body.value("dataset", "");
  if (platform_.objects.find("dataset", dataset) == nullptr) throw control_failure("no dataset '" + dataset + "'");
  std::vector<std::string> old = body.value("batches", std::vector<std::string>());
  if (old.empty())
    for (const std::string& id : lake_.batches_of(dataset))
      if (Lake::is_live(lake_.batch_status(id))) old.push_back(id);
  for (const std::string& id : old) {
    const Json* batch = platform_.objects.find("batch", id);
    if (batch == nullptr || !Lake::is_live(batch->value("status", "")) || Lake::dataset_of(*batch) != dataset)
      throw control_failure("batch '" + id + "' is not a live batch of the dataset");
  }
  if (old.empty()) throw control_failure("the dataset has no live batch");
  const std::string successor = lake_.create_batch(dataset,
                                                   {{"status", "staging"},
                                                    {"started", platform_.clock.now_ms()},
                                                    {"inputFormat", {{"format", "parquet"}}},
                                                    {"replay", {{"predecessors", old}, {"reason", "consolidation"}}}},
                                                   {{"by", "compaction"}});
  std::filesystem::create_directories(lake_.parts_folder(successor));
  std::vector<PartFile> parts;
  for (const std::string& id : old) {
    const Json* batch = platform_.objects.find("batch", id);
    for (const Json& file : (*batch)["_emulator"].value("files", Json::array())) {
      PartFile part{file["name"], file["bytes"], file["rows"]};
      std::filesystem::create_hard_link(lake_.parts_folder(id) / part.name, lake_.parts_folder(successor) / part.name);
      parts.push_back(std::move(part));
    }
  }
  lake_.succeed(successor, parts, Json::object());
  for (const std::string& id : old) {
    lake_.change_batch(id, [&](Json& batch) {
      batch["status"] = "inactive";
      batch["tags"]["acp_successor"] = Json::array({successor});
    });
    lake_.drop_files(id);
  }
  return Response::json(200, {{"batch", successor}});
}

Response CatalogBatches::control(const Request& request) {
  const Json body = json_body(request, control_failure("the body is not JSON"));
  const std::string action = body.value("do", "");
  if (action == "compact") return compact(body);
  const std::string id = body.value("batch", "");
  const auto lock = platform_.objects.lock();
  if (platform_.objects.find("batch", id) == nullptr) throw control_failure("no batch '" + id + "'");
  if (action == "vanish") {
    lake_.change_batch(id, [](Json& batch) { batch["status"] = "deleted"; });
    lake_.drop_files(id);
  } else if (action == "erase") {
    lake_.change_batch(id, [](Json& batch) { batch["status"] = "deleted"; });
    lake_.drop_files(id);
    platform_.objects.erase("batch", id);
  } else if (action == "set_status") {
    const std::string status = body.value("status", "");
    if (status.empty()) throw control_failure("set_status needs a status");
    lake_.change_batch(id, [&](Json& batch) { batch["status"] = status; });
  } else {
    throw control_failure("unknown action '" + action + "'; one of compact, vanish, erase, set_status");
  }
  return Response::json(200, {{"batch", id}});
}

}  // namespace emulator
