#include "emulator/catalog/datasets.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "emulator/catalog/query.h"
#include "emulator/data/errors.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

constexpr const char* kDatasets = "/data/foundation/catalog/dataSets";
constexpr const char* kTableTag = "adobe/pqs/table";
constexpr const char* kTechnicalUser = "9F1C0A2B3D4E5F60718293A4@techacct.adobe.com";

std::string reference(const std::string& id) { return "@/dataSets/" + id; }

/// The part of a content type before its parameters, in lower case.
std::string media_type(const Request& request) {
  std::string type = request.header("content-type");
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type;
}

Json body_of(const Request& request) {
  const std::string type = media_type(request);
  if (type != "application/json" && type != "application/json-patch+json")
    throw catalog_failure(400,
                          "Content-Type must be application/json" + (type.empty() ? std::string() : ", not " + type));
  return json_body(request, catalog_failure(400, "The body is not JSON"));
}

/// Lower case, everything but letters and digits one underline.
std::string table_name(const std::string& name) {
  std::string table;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) != 0) {
      table += static_cast<char>(std::tolower(byte));
    } else if (!table.empty() && table.back() != '_') {
      table += '_';
    }
  }
  while (!table.empty() && table.back() == '_') table.pop_back();
  return table.empty() ? "dataset" : table;
}

std::string etag_of(const Json& dataset) { return "\"" + dataset.value("version", "") + "\""; }

/// What the platform itself keeps, nobody changes.
void refuse_system(const Json& dataset) {
  if (dataset.value("classification", Json::object()).value("managedBy", "") == "SYSTEM")
    throw catalog_failure(403, "The dataset is managed by the system and cannot be changed");
}

void keep_system_fields(Json& dataset, const Json& before) {
  for (const char* name : {"imsOrg", "sandboxId", "created", "createdClient", "createdUser", "viewId", "files",
                           "basePath", "state", "aspect", "classification", "persistence", "lastBatchId",
                           "lastBatchStatus", "lastSuccessfulBatch", "lastFailedBatch", "version", "_emulator"}) {
    dataset.erase(name);
    if (before.contains(name)) dataset[name] = before[name];
  }
}

}  // namespace

Datasets::Datasets(Platform& platform, Lake& lake, World& world)
    : platform_(platform),
      lake_(lake),
      expirations_(
          platform, [this](const std::string& id) { erase(id); }, [&world] { return world.profiles(); }) {}

void Datasets::add_routes(Router& router) {
  const std::string base = kDatasets;
  router.add("POST", base, checked([this](const Request& r) { return create(r); }));
  router.add("GET", base, checked([this](const Request& r) { return list(r); }));
  router.add("GET", base + "/{id}", checked([this](const Request& r) { return one(r); }));
  router.add("PATCH", base + "/{id}", checked([this](const Request& r) { return change(r); }));
  router.add("PUT", base + "/{id}", checked([this](const Request& r) { return replace(r); }));
  router.add("DELETE", base + "/{id}", checked([this](const Request& r) { return remove(r); }));
  expirations_.add_routes(router);
  router.add("PATCH", "/data/foundation/catalog/v2/dataSets/{id}",
             checked([this](const Request& r) { return change_nested(r); }));
}

const Json& Datasets::known(const std::string& id) const {
  const Json* dataset = platform_.objects.find("dataset", id);
  if (dataset == nullptr) throw catalog_failure(404, "DataSet not found.");
  return *dataset;
}

Json Datasets::shown(const std::string& id, const Json& dataset) const {
  Json object = dataset;
  object.erase("_emulator");
  object["files"] = "@/dataSetFiles?dataSetId=" + id;
  const auto due = dataset.value("created", std::int64_t{0}) + platform_.settings.table_tag_delay.count();
  if (due <= platform_.clock.now_ms()) object["tags"][kTableTag] = Json::array({dataset["_emulator"]["table"]});
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (const std::string& batch : lake_.batches_of(id)) {
    const Json* found = platform_.objects.find("batch", batch);
    if (found == nullptr || !Lake::is_live(found->value("status", ""))) continue;
    for (const Json& file : (*found)["_emulator"].value("files", Json::array())) {
      rows += file["rows"].get<std::uint64_t>();
      bytes += file["bytes"].get<std::uint64_t>();
    }
  }
  object["extensions"]["adobe_lakeHouse"]["metrics"] = {{"rowCount", rows}, {"storageSize", bytes}};
  return object;
}

std::string Datasets::table_for(const std::string& name, const std::string& id) const {
  const std::string wanted = table_name(name);
  const auto taken = [&](const std::string& table) {
    const auto& all = platform_.objects.all("dataset");
    return std::any_of(all.begin(), all.end(), [&](const auto& entry) {
      return entry.first != id && entry.second["_emulator"].value("table", "") == table;
    });
  };
  std::string table = wanted;
  for (int i = 1; taken(table); ++i) table = wanted + "_" + std::to_string(i);
  return table;
}

void Datasets::check(const Json& dataset) const {
  if (!dataset.is_object()) throw catalog_failure(400, "A dataset must be an object");
  if (dataset.value("name", "").empty()) throw catalog_failure(400, "name is required");
  const std::string schema = dataset.value("schemaRef", Json::object()).value("id", "");
  if (schema.empty()) throw catalog_failure(400, "schemaRef.id is required");
  if (!resolved_schema(platform_, schema)) throw catalog_failure(400, "schemaRef.id: schema " + schema + " not found");
  const Json tags = dataset.value("tags", Json::object());
  if (!tags.is_object()) throw catalog_failure(400, "tags must be an object");
  for (const auto& [name, values] : tags.items()) {
    const bool strings =
        values.is_array() && std::all_of(values.begin(), values.end(), [](const Json& v) { return v.is_string(); });
    if (!strings) throw catalog_failure(400, "tags: the value of '" + name + "' must be an array of strings");
    if (name.starts_with("adobe") && name != kTableTag && !name.starts_with("adobe/hygiene") &&
        !name.starts_with("adobe/siphon"))
      throw catalog_failure(400, "tags: names that start with adobe are reserved ('" + name + "')");
  }
}

Response Datasets::create(const Request& request) {
  const Json body = body_of(request);
  const auto lock = platform_.objects.lock();
  check(body);
  if (body.value("tags", Json::object()).contains(kTableTag))
    throw catalog_failure(400, "tags: adobe/pqs/table is reserved");
  const std::string id = platform_.new_id("dataset");
  const std::int64_t now = platform_.clock.now_ms();
  Json dataset = {{"imsOrg", platform_.identity.organization},
                  {"sandboxId", platform_.identity.sandbox},
                  {"created", now},
                  {"updated", now},
                  {"createdClient", platform_.identity.client_id},
                  {"createdUser", kTechnicalUser},
                  {"updatedUser", kTechnicalUser},
                  {"version", "1.0.0"},
                  {"state", "DRAFT"},
                  {"aspect", "production"},
                  {"viewId", platform_.new_id("view")},
                  {"basePath", "/platform/emulator/" + id},
                  {"fileDescription", {{"persisted", true}, {"containerFormat", "parquet"}, {"format", "parquet"}}},
                  {"classification", {{"dataBehavior", "record"}, {"managedBy", "CUSTOMER"}}},
                  {"tags", Json::object()}};
  const Json system = dataset;
  dataset.update(body);
  Json kept = system;
  kept["_emulator"] = {{"number", platform_.objects.next("dataset_order")}, {"table", table_for(body["name"], id)}};
  keep_system_fields(dataset, kept);
  if (!dataset["schemaRef"].contains("contentType"))
    dataset["schemaRef"]["contentType"] = "application/vnd.adobe.xed+json;version=1";
  platform_.objects.put("dataset", id, std::move(dataset));
  lake_.note("dataset", id, {{"name", body["name"]}});
  Response response = Response::json(201, Json::array({reference(id)}));
  response.headers["location"] = std::string(kDatasets) + "/" + id;
  return response;
}

Response Datasets::list(const Request& request) {
  const auto lock = platform_.objects.lock();
  expirations_.settle();
  const std::int64_t lag = platform_.settings.list_lag.count();
  std::vector<CatalogEntry> entries;
  for (const auto& [id, dataset] : platform_.objects.all("dataset")) {
    if (lag > 0 && dataset.value("created", std::int64_t{0}) + lag > platform_.clock.now_ms()) continue;
    entries.push_back({id, shown(id, dataset), dataset["_emulator"]["number"]});
  }
  return Response::json(200, catalog_list(request, std::move(entries), {}));
}

Response Datasets::one(const Request& request) {
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  expirations_.settle();
  const Json& dataset = known(id);
  Response response = Response::json(200, {{id, shown(id, dataset)}});
  response.headers["etag"] = etag_of(dataset);
  return response;
}

Response Datasets::store(const std::string& id, Json dataset, const Json& before) {
  refuse_system(before);
  check(dataset);
  keep_system_fields(dataset, before);
  // Clients send back what they read; the table's name and the metrics are ours.
  if (dataset.contains("tags")) dataset["tags"].erase(kTableTag);
  if (dataset.contains("extensions") && dataset["extensions"].contains("adobe_lakeHouse"))
    dataset["extensions"]["adobe_lakeHouse"].erase("metrics");
  const std::string version = before.value("version", "1.0.0");
  const std::size_t dot = version.rfind('.');
  dataset["version"] = version.substr(0, dot + 1) + std::to_string(std::stoul(version.substr(dot + 1)) + 1);
  dataset["updated"] = platform_.clock.now_ms();
  Response response = Response::json(200, Json::array({reference(id)}));
  response.headers["etag"] = etag_of(dataset);
  platform_.objects.put("dataset", id, std::move(dataset));
  return response;
}

Response Datasets::change(const Request& request) {
  const Json body = body_of(request);
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  const Json before = known(id);
  Json dataset = before;
  if (media_type(request) == "application/json-patch+json") {
    try {
      dataset = shown(id, before).patch(body);
    } catch (const Json::exception&) {
      throw catalog_failure(400, "The JSON patch does not apply");
    }
  } else {
    if (!body.is_object()) throw catalog_failure(400, "The body must be an object");
    dataset.update(body);
  }
  return store(id, std::move(dataset), before);
}

Response Datasets::change_nested(const Request& request) {
  const Json body = body_of(request);
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  const Json before = known(id);
  if (!body.is_object()) throw catalog_failure(400, "The body must be an object");
  const std::string match = request.header("if-match");
  if (!match.empty() && match != "*" && match != etag_of(before) && "\"" + match + "\"" != etag_of(before))
    throw catalog_failure(412, "The dataset is at " + etag_of(before) + ", not at " + match);
  for (const auto& [name, value] : body.items())
    if (name != "name" && name != "description" && name != "tags" && name != "extensions" && name != "classification" &&
        name != "unifiedTags")
      throw catalog_failure(400, "'" + name + "' cannot be changed here");
  Json dataset = before;
  dataset.merge_patch(body);
  return store(id, std::move(dataset), before);
}

Response Datasets::replace(const Request& request) {
  const Json body = body_of(request);
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  const Json before = known(id);
  return store(id, body, before);
}

Response Datasets::remove(const Request& request) {
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  refuse_system(known(id));
  erase(id);
  return Response::json(200, Json::array({reference(id)}));
}

void Datasets::erase(const std::string& id) {
  for (const std::string& batch : lake_.batches_of(id)) {
    lake_.change_batch(batch, [](Json& object) { object["status"] = "deleted"; });
    lake_.drop_files(batch);
  }
  platform_.objects.erase("dataset", id);
}

}  // namespace emulator
