#include "emulator/analytics/connections.h"

#include <algorithm>
#include <cctype>

#include "emulator/analytics/connection_model.h"
#include "emulator/registry/resources.h"

namespace emulator {
namespace {

constexpr const char* kConnectionsPath = "/data/connections";

HttpError no_connection(const std::string& id) {
  return analytics_failure(404, "resource_not_found", "Unable to find connection " + id);
}

Json summary_of(const Json& backfills) {
  int completed = 0;
  int running = 0;
  for (const Json& backfill : backfills) ++(backfill["status"] == "COMPLETED" ? completed : running);
  return {{"total", backfills.size()},
          {"failed", 0},
          {"inProgress", running},
          {"completed", completed},
          {"invalid", false}};
}

bool names_one_of(const std::set<std::string>& wanted, const Json& connection) {
  const auto id = connection["id"].get<std::string>();
  return wanted.contains(id) || wanted.contains(id.substr(3));
}

std::string searchable(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

Json expanded_connection(const Expansion& expansion, const Json& whole) {
  static const std::map<std::string, std::vector<std::string>> kMembers = {
      {"name", {"name"}},
      {"primaryIdType", {"primaryIdType"}},
      {"configuredContainers", {"configuredContainers"}},
      {"description", {"description"}},
      {"owner", {"owner"}},
      {"ownerFullName", {"owner"}},
      {"isDeleted", {"isDeleted"}},
      {"isDisabled", {"isDisabled"}},
      {"dataSets", {"dataSets"}},
      {"createdDate", {"createdDate"}},
      {"modified", {"modifiedDate", "modifiedBy"}},
      {"caseSensitive", {"caseSensitive"}},
      {"organization", {"organization"}},
      {"externalData", {"externalData", "idWithoutPrefix"}},
      {"backfillEnabled", {"backfillEnabled"}},
      {"backfillsSummaryConnection", {"backfillSummary"}},
      {"sandboxName", {"sandboxName"}},
      {"sandboxId", {"sandboxId"}},
      {"floatPrecision", {"floatPrecision"}},
      {"dataRetentionMonths", {"dataRetentionMonths"}},
      {"validationErrors", {"connectionValidationErrors"}},
      {"tags", {"tags"}}};
  static const std::set<std::string> kOfDataSet = {"dataSetId",
                                                   "domain",
                                                   "type",
                                                   "name",
                                                   "timestampId",
                                                   "visitorId",
                                                   "identityNamespace",
                                                   "identityMap",
                                                   "lookupKeyField",
                                                   "lookupParentFields",
                                                   "dataSourceType",
                                                   "usePrimaryIdNamespace"};
  static const std::map<std::string, std::vector<std::string>> kInDataSet = {
      {"granularStreaming", {"streaming", "streamingEnabledAt"}},
      {"granularBackfills", {"backfills"}},
      {"backfillsSummaryDataSets", {"backfillSummary"}},
      {"dataSetLastIngested", {"lastIngestedTime"}},
      {"schemaInfo", {"schemaInfo"}}};
  Json shown = expansion.of(whole, {"id"}, kMembers);
  if (shown.contains("dataSets"))
    for (Json& data_set : shown["dataSets"]) data_set = expansion.of(data_set, kOfDataSet, kInDataSet);
  return shown;
}

void Connections::add_routes(AnalyticsRoutes& routes) {
  const std::string base = kConnectionsPath;
  const std::string of_data_set = base + "/{id}/datasets/{dataset}";
  routes.add("GET", base, [this](const Request& r) { return list(r); });
  routes.add("GET", base + "/search", [this](const Request& r) { return search(r); });
  routes.add("GET", base + "/configurationSettings", [](const Request&) {
    Json types = Json::array();
    for (const char* id : {"webData", "mobileAppData", "posData", "crmData", "surveyData", "productData",
                           "callCenterData", "accountsData", "transactionData", "customerFeedbackData", "other"})
      types.push_back({{"id", id}});
    return Response::json(200, {{"dataSourceTypes", std::move(types)}});
  });
  routes.add("GET", base + "/{id}", [this](const Request& r) { return one(r); });
  routes.add("GET", of_data_set + "/backfills", [this](const Request& r) { return backfills(r); });

  const std::string why = "connections are made and changed in the user interface only";
  routes.refuse_writes(base, why);
  routes.refuse_writes(base + "/{id}", why);
  routes.refuse_writes(base + "/{id}/datasets", why);
  routes.refuse_writes(of_data_set, why);
  routes.refuse_writes(of_data_set + "/backfills", why);
}

Json Connections::whole_data_set(const Json& data_set) const {
  Json shown = data_set;
  shown.erase("_emulator");
  const std::string id = data_set["dataSetId"];
  const std::int64_t now = platform_.clock.now_ms();
  if (const Json* dataset = platform_.objects.find("dataset", id)) {
    shown["name"] = dataset->value("name", "");
    const std::string reference = dataset->value("schemaRef", Json::object()).value("id", "");
    const auto schema = find_resource(platform_, reference);
    shown["schemaInfo"] = {{"schemaId", reference},
                           {"schemaName", schema ? schema->value("title", "") : ""},
                           {"schemaRef", (*dataset)["schemaRef"]}};
  }
  const Json own = data_set.value("_emulator", Json::object());
  Json list = Json::array();
  for (const Json& backfill : own.value("backfills", Json::array()))
    list.push_back({{"id", backfill["id"]},
                    {"dataSetId", id},
                    {"status", backfill_status(backfill, now)},
                    {"startDate", nullptr},
                    {"endDate", nullptr},
                    {"createdDate", analytics_time(backfill["created"])},
                    {"allData", true}});
  shown["backfillSummary"] = summary_of(list);
  shown["backfills"] = std::move(list);

  std::optional<std::int64_t> newest;
  for (const HeldBatch& batch : held_batches(platform_, lake_, data_set, Delays::Wait)) {
    const auto here = arrival(platform_.settings, data_set, *platform_.objects.find("batch", batch.id), Delays::Wait);
    if (here) newest = std::max(newest.value_or(*here), *here);
  }
  if (newest) shown["lastIngestedTime"] = analytics_time(*newest);
  return shown;
}

Json Connections::whole(const Json& connection) const {
  Json shown = connection;
  shown.erase("_emulator");
  const auto id = connection["id"].get<std::string>();
  shown["idWithoutPrefix"] = id.substr(3);
  shown["externalData"] = {{"externalId", id.substr(3)}};
  Json backfills = Json::array();
  Json errors = Json::array();
  bool events = false;
  for (Json& data_set : shown["dataSets"]) {
    data_set = whole_data_set(data_set);
    for (const Json& backfill : data_set["backfills"]) backfills.push_back(backfill);
    events = events || data_set["type"] == "event" || data_set["type"] == "summary";
    if (platform_.objects.find("dataset", data_set["dataSetId"]) == nullptr)
      errors.push_back({{"errorCode", "DATA_SET_DOES_NOT_EXIST"},
                        {"dataSetId", data_set["dataSetId"]},
                        {"dataSetName", data_set["name"]}});
  }
  if (!events) errors.push_back({{"errorCode", "REQUIRED_EVENT_DATA_SET_MISSING"}});
  shown["backfillSummary"] = summary_of(backfills);
  shown["connectionValidationErrors"] = std::move(errors);
  return shown;
}

StaleCopy::Objects Connections::all() const {
  StaleCopy::Objects all;
  for (const auto& [id, connection] : platform_.objects.all(kConnectionKind)) all[id] = whole(connection);
  return all;
}

Response Connections::list(const Request& request) {
  const auto data_sets = word_list(request, "dataSetIds");
  const auto ids = word_list(request, "connectionIds");
  const auto sandbox_name = request.query_value("sandboxName");
  const auto sandbox_id = request.query_value("sandboxId");
  const auto since = request.query_value("filterByModifiedAfter");
  const Expansion expansion(request);
  const auto lock = platform_.objects.lock();
  std::vector<Json> found;
  for (const auto& [id, connection] : copy_.objects(platform_, request, [this] { return all(); })) {
    const bool holds = std::any_of(
        data_sets.begin(), data_sets.end(),
        [&object = connection](const std::string& wanted) { return find_data_set(object, wanted) != nullptr; });
    if (!data_sets.empty() && !holds) continue;
    if (!ids.empty() && !names_one_of(ids, connection)) continue;
    if (sandbox_name && connection["sandboxName"] != *sandbox_name) continue;
    if (sandbox_id && connection["sandboxId"] != *sandbox_id) continue;
    if (since && connection["modifiedDate"].get<std::string>() <= *since) continue;
    found.push_back(connection);
  }
  return Response::json(200, analytics_page(request, platform_.settings, std::move(found), [&](const Json& connection) {
                          return expanded_connection(expansion, connection);
                        }));
}

Response Connections::search(const Request& request) {
  const std::string query = searchable(request.query_value("query").value_or(""));
  const Expansion expansion(request);
  const auto lock = platform_.objects.lock();
  std::vector<Json> found;
  for (auto& [id, connection] : all())
    if (searchable(id).find(query) != std::string::npos ||
        searchable(connection["name"]).find(query) != std::string::npos)
      found.push_back(connection);
  return Response::json(200, analytics_page(request, platform_.settings, std::move(found), [&](const Json& connection) {
                          return expanded_connection(expansion, connection);
                        }));
}

Response Connections::one(const Request& request) {
  const auto lock = platform_.objects.lock();
  const Json* connection = find_connection(platform_, request.parameter("id"));
  if (connection == nullptr) throw no_connection(request.parameter("id"));
  return Response::json(200, expanded_connection(Expansion(request), whole(*connection)));
}

Response Connections::backfills(const Request& request) {
  const auto wanted = word_list(request, "includeStatus");
  const auto lock = platform_.objects.lock();
  const Json* connection = find_connection(platform_, request.parameter("id"));
  if (connection == nullptr) throw no_connection(request.parameter("id"));
  const Json* data_set = find_data_set(*connection, request.parameter("dataset"));
  if (data_set == nullptr)
    throw analytics_failure(
        404, "resource_not_found",
        "Connection " + request.parameter("id") + " has no data set " + request.parameter("dataset"));
  std::vector<Json> found;
  const Json whole = whole_data_set(*data_set);
  for (const Json& backfill : whole["backfills"]) {
    const bool done = backfill["status"] == "COMPLETED";
    if (!wanted.empty() && !wanted.contains(done ? "completed" : "inProgress")) continue;
    found.push_back(backfill);
  }
  Request plain = request;  // it sorts by a property that no other list has
  std::erase_if(plain.query, [](const auto& entry) { return entry.first == "sortProperty"; });
  return Response::json(
      200, analytics_page(plain, platform_.settings, std::move(found), [](const Json& backfill) { return backfill; }));
}

}  // namespace emulator
