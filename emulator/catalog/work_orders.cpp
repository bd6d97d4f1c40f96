#include "emulator/catalog/work_orders.h"

#include <algorithm>
#include <ctime>

#include "emulator/data/errors.h"
#include "emulator/http/errors.h"
#include "emulator/http/uri.h"
#include "emulator/organization/namespaces.h"
#include "emulator/registry/schema_view.h"

namespace emulator {
namespace {

constexpr const char* kOrder = "work_order";
constexpr const char* kPath = "/data/core/hygiene/workorder";
constexpr const char* kAllDatasets = "ALL";
constexpr const char* kCreatedBy = "9F1C0A2B3D4E5F60718293A4@techacct.adobe.com";
constexpr std::size_t kMostIdentities = 100'000;
constexpr std::uint64_t kOrdersOnAPage = 25;
constexpr std::uint64_t kMostOrdersOnAPage = 100;
constexpr std::uint64_t kMonthlyIdentities = 2'000'000;
constexpr const char* kIdentityDescriptor = "xdm:descriptorIdentity";

HttpError order_failure(const std::string& why) { return {problem(400, "HYGN-3102-400", why)}; }

std::string order_text(const Json& object, const char* name) {
  const Json value = object.value(name, Json(""));
  if (!value.is_string()) throw order_failure(std::string(name) + " must be a text");
  return value;
}

/// Both forms: {"namespacesIdentities":[{"namespace":{"code"},"IDs":[..]}]} and the older
/// {"identities":[{"namespace":{"code"},"id"}]}.
Json identities_in(const Json& body) {
  const bool older = !body.contains("namespacesIdentities");
  const Json groups = body.value(older ? "identities" : "namespacesIdentities", Json());
  if (!groups.is_array() || groups.empty()) throw order_failure("namespacesIdentities must name at least one identity");
  Json all = Json::array();
  for (const Json& group : groups) {
    const Json space = group.is_object() ? group.value("namespace", Json::object()) : Json::object();
    const std::string code = space.is_object() ? space.value("code", "") : "";
    if (code.empty()) throw order_failure("each identity needs a namespace with a code");
    const Json ids = older ? Json::array({group.value("id", Json())}) : group.value("IDs", Json::array());
    for (const Json& id : ids) {
      if (!id.is_string() || id.get<std::string>().empty()) throw order_failure("each identity must be a text");
      all.push_back({code, id});
    }
  }
  if (all.empty()) throw order_failure("namespacesIdentities must name at least one identity");
  if (all.size() > kMostIdentities) throw order_failure("a request may have 100000 identities at most");
  return all;
}

std::uint64_t order_number(const Request& request, const char* name, std::uint64_t otherwise) {
  const auto text = request.query_value(name);
  if (!text) return otherwise;
  const auto number = whole_number(*text);
  if (!number) throw order_failure(std::string(name) + " must be a whole number");
  return *number;
}

bool order_matches(const Request& request, const Json& order, const std::string& sandbox) {
  if (const auto type = request.query_value("type"); type && order["action"] != *type) return false;
  if (const auto wanted = request.query_value("sandboxName"); wanted && *wanted != sandbox) return false;
  for (const char* name : {"status", "workorderId"})
    if (const auto value = request.query_value(name); value && order[name] != *value) return false;
  const auto has = [&](const char* name, const std::string& part) {
    return order[name].get<std::string>().find(part) != std::string::npos;
  };
  for (const char* name : {"displayName", "description"})
    if (const auto value = request.query_value(name); value && !has(name, *value)) return false;
  if (const auto author = request.query_value("author"); author && !has("createdBy", *author)) return false;
  if (const auto part = request.query_value("search"))
    if (!has("workorderId", *part) && !has("displayName", *part) && !has("description", *part) &&
        !has("datasetName", *part) && !has("createdBy", *part))
      return false;
  const std::string at = order["createdAt"];
  if (const auto day = request.query_value("filterDate"); day && !at.starts_with(day->substr(0, 10))) return false;
  if (const auto from = request.query_value("fromDate"); from && at < *from) return false;
  const auto to = request.query_value("toDate");
  return !to || at <= *to;
}

/// `orderBy=-createdAt` and the like; without, the newest comes first.
void put_in_order(std::vector<Json>& orders, std::string field) {
  const bool descending = field.empty() || field[0] == '-';
  if (!field.empty() && (field[0] == '-' || field[0] == '+' || field[0] == ' ')) field.erase(0, 1);
  if (field.empty()) field = "createdAt";
  if (field == "id") field = "workorderId";
  std::stable_sort(orders.begin(), orders.end(), [&](const Json& a, const Json& b) {
    const Json left = a.value(field, Json());
    const Json right = b.value(field, Json());
    return descending ? right < left : left < right;
  });
}

}  // namespace

std::int64_t day_begin(std::int64_t now_ms) {
  constexpr std::int64_t kDay = 24LL * 3600 * 1000;
  return now_ms - now_ms % kDay;
}

std::int64_t month_begin(std::int64_t now_ms) {
  const std::time_t now = now_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  parts.tm_mday = 1;
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  return std::int64_t{::timegm(&parts)} * 1000;
}

std::uint64_t monthly_identities(std::uint64_t profiles) { return std::min(kMonthlyIdentities, profiles / 20); }

std::uint64_t identities_since(const Platform& platform, std::int64_t since_ms) {
  std::uint64_t sum = 0;
  for (const auto& [id, order] : platform.objects.all(kOrder))
    if (order["_emulator"]["made"].get<std::int64_t>() >= since_ms) sum += order["operationCount"].get<std::uint64_t>();
  return sum;
}

WorkOrders::WorkOrders(Platform& platform, World& world, Lake& lake, Worker& worker)
    : platform_(platform), world_(world), lake_(lake), worker_(worker) {}

void WorkOrders::add_routes(Router& router) {
  const std::string base = kPath;
  router.add("GET", base, checked([this](const Request& r) { return list(r); }));
  router.add("POST", base, checked([this](const Request& r) { return create(r); }));
  router.add("GET", base + "/{id}", checked([this](const Request& r) { return one(r); }));
  router.add("PUT", base + "/{id}", checked([this](const Request& r) { return change(r); }));
}

void WorkOrders::resume() {
  const auto lock = platform_.objects.lock();
  for (const auto& [id, order] : platform_.objects.all(kOrder))
    if (order["status"] != "completed" && order["status"] != "failed") schedule(id, order);
}

void WorkOrders::schedule(const std::string& id, const Json& order) {
  const std::int64_t due = order["_emulator"]["due"];
  worker_.at(due, [this, name = id] { finish(name); });
}

const Json& WorkOrders::known(const Request& request) const {
  const Json* found = platform_.objects.find(kOrder, request.parameter("id"));
  if (found == nullptr) throw HttpError{gateway_error("404003", "There is no work order " + request.parameter("id"))};
  return *found;
}

Json WorkOrders::shown(const Json& order) const {
  Json object = order;
  const std::int64_t made = order["_emulator"]["made"];
  const std::int64_t due = order["_emulator"]["due"];
  if (order["status"] == "received" && due > made) {
    // Four steps of equal length; the last one is over when the rows are gone.
    static const std::vector<std::string> kSteps{"received", "validated", "submitted", "ingested"};
    const std::int64_t step = (platform_.clock.now_ms() - made) * 4 / (due - made);
    object["status"] = kSteps[static_cast<std::size_t>(std::clamp<std::int64_t>(step, 0, 3))];
  }
  const std::string product = object["status"] == "completed" || object["status"] == "failed"
                                  ? std::string(object["status"])
                                  : std::string("waiting");
  object["productStatusDetails"] = Json::array();
  for (const char* name : {"Data Management", "Identity Service", "Profile Service"})
    object["productStatusDetails"].push_back(
        {{"productName", name}, {"productStatus", product}, {"createdAt", object["updatedAt"]}});
  object.erase("_emulator");
  return object;
}

std::optional<IdentityPlaces> WorkOrders::places_of(const Json& dataset) const {
  const std::string schema_id = dataset.value("schemaRef", Json::object()).value("id", "");
  const std::optional<Json> schema = resolved_schema(platform_, schema_id);
  if (!schema) return std::nullopt;
  IdentityPlaces places;
  places.map = (*schema)["properties"].contains("identityMap");
  if (const Json& primary = (*schema)["primaryIdentity"]; primary.is_string()) {
    places.primary_path = "$";
    for (const std::string& name : path_segments(primary.get<std::string>()))
      places.primary_path += ".\"" + name + "\"";
    for (const auto& [id, kept] : platform_.objects.all("descriptor")) {
      const Json& value = kept["value"];
      if (value["@type"] != kIdentityDescriptor || value["xdm:sourceSchema"] != schema_id ||
          !value.value("xdm:isPrimary", false))
        continue;
      const std::string space = value["xdm:namespace"].is_string() ? value["xdm:namespace"].get<std::string>()
                                                                   : value["xdm:namespace"].dump();
      const auto known_space = find_namespace_by_id(platform_, space);
      places.primary_space = known_space && value.value("xdm:property", "") == "xdm:id"
                                 ? (*known_space)["code"].get<std::string>()
                                 : space;
    }
  }
  if (places.primary_path.empty() && !places.map) return std::nullopt;
  return places;
}

void WorkOrders::spend(std::uint64_t identities) const {
  const std::int64_t now = platform_.clock.now_ms();
  const std::uint64_t profiles = world_.profiles();
  if (identities_since(platform_, day_begin(now)) + identities > kDailyIdentities)
    throw order_failure("dailyConsumerDeleteIdentitiesQuota is used up; it begins anew at 00:00 GMT");
  if (identities_since(platform_, month_begin(now)) + identities > monthly_identities(profiles))
    throw order_failure("monthlyConsumerDeleteIdentitiesQuota is used up; it begins anew with the month");
}

Response WorkOrders::create(const Request& request) {
  const Json body = json_body(request, order_failure("The body is not JSON"));
  if (!body.is_object()) throw order_failure("The body must be a JSON object");
  if (order_text(body, "action") != "delete_identity") throw order_failure("action must be delete_identity");
  const std::string dataset_id = order_text(body, "datasetId");
  const Json identities = identities_in(body);
  const auto lock = platform_.objects.lock();
  std::string dataset_name = kAllDatasets;
  if (dataset_id != kAllDatasets) {
    const Json* dataset = platform_.objects.find("dataset", dataset_id);
    if (dataset == nullptr) throw order_failure("There is no dataset '" + dataset_id + "'");
    if (!places_of(*dataset))
      throw order_failure("The schema of the dataset has no primary identity and no identityMap");
    dataset_name = dataset->value("name", "");
  }
  for (const Json& identity : identities) {
    const std::string code = identity[0];
    if (!knows_namespace(platform_, code)) throw order_failure("There is no identity namespace '" + code + "'");
  }
  spend(identities.size());
  const std::string id = "DI-" + platform_.new_uuid(kOrder);
  const std::int64_t now = platform_.clock.now_ms();
  const Json order = {
      {"workorderId", id},
      {"orgId", platform_.identity.organization},
      {"bundleId", "BN-" + platform_.new_uuid("bundle")},
      {"action", "identity-delete"},
      {"createdAt", iso8601(now)},
      {"updatedAt", iso8601(now)},
      {"operationCount", identities.size()},
      {"targetServices", {"profile", "datalake", "identity"}},
      {"status", "received"},
      {"createdBy", kCreatedBy},
      {"datasetId", dataset_id},
      {"datasetName", dataset_name},
      {"displayName", order_text(body, "displayName")},
      {"description", order_text(body, "description")},
      {"_emulator",
       {{"made", now}, {"due", now + platform_.settings.hygiene_delay.count()}, {"identities", identities}}}};
  platform_.objects.put(kOrder, id, order);
  lake_.note(kOrder, id, {{"dataset", dataset_id}, {"identities", identities.size()}});
  schedule(id, order);
  Json answer = order;
  answer.erase("_emulator");
  return Response::json(200, answer);
}

Response WorkOrders::list(const Request& request) {
  const std::uint64_t limit = order_number(request, "limit", kOrdersOnAPage);
  const std::uint64_t page = order_number(request, "page", 0);
  if (limit == 0 || limit > kMostOrdersOnAPage) throw order_failure("limit must be between 1 and 100");
  const auto lock = platform_.objects.lock();
  const std::int64_t visible = platform_.clock.now_ms() - platform_.settings.list_lag.count();
  std::vector<Json> found;
  for (const auto& [id, order] : platform_.objects.all(kOrder)) {
    if (order["_emulator"]["made"].get<std::int64_t>() > visible) continue;
    Json object = shown(order);
    if (order_matches(request, object, platform_.identity.sandbox)) found.push_back(std::move(object));
  }
  put_in_order(found, request.query_value("orderBy").value_or(""));
  Json results = Json::array();
  for (std::uint64_t i = page * limit; i < found.size() && results.size() < limit; ++i) results.push_back(found[i]);
  const std::string here = "/workorder?limit=" + std::to_string(limit) + "&page=";
  const std::size_t shown_now = results.size();
  Json body = {{"results", std::move(results)},
               {"total", found.size()},
               {"count", shown_now},
               {"_links", {{"page", {{"href", here + "{page}"}, {"templated", true}}}}}};
  if ((page + 1) * limit < found.size())
    body["_links"]["next"] = {{"href", here + std::to_string(page + 1)}, {"templated", false}};
  return Response::json(200, body);
}

Response WorkOrders::one(const Request& request) {
  const auto lock = platform_.objects.lock();
  return Response::json(200, shown(known(request)));
}

Response WorkOrders::change(const Request& request) {
  const Json body = json_body(request, order_failure("The body is not JSON"));
  const auto lock = platform_.objects.lock();
  Json order = known(request);
  if (!body.is_object() || (!body.contains("name") && !body.contains("displayName") && !body.contains("description")))
    throw order_failure("name or description is needed");
  for (const char* name : {"name", "displayName"})
    if (body.contains(name)) order["displayName"] = order_text(body, name);
  if (body.contains("description")) order["description"] = order_text(body, "description");
  order["updatedAt"] = iso8601(platform_.clock.now_ms());
  platform_.objects.put(kOrder, request.parameter("id"), order);
  return Response::json(200, shown(order));
}

void WorkOrders::erase_rows(const std::string& dataset, const IdentityPlaces& places, RowEraser& eraser) {
  for (const std::string& batch : lake_.batches_of(dataset)) {
    // What is read here may be compacted or withdrawn meanwhile, so the files change under the lock.
    const auto lock = platform_.objects.lock();
    const Json* known_batch = platform_.objects.find("batch", batch);
    if (known_batch == nullptr || !Lake::is_live(known_batch->value("status", ""))) continue;
    const Json before = (*known_batch)["_emulator"].value("files", Json::array());
    Json files = Json::array();
    for (const Json& file : before)
      if (const auto part = eraser.erase(lake_.parts_folder(batch) / file["name"].get<std::string>(), places))
        files.push_back({{"name", part->name}, {"bytes", part->bytes}, {"rows", part->rows}});
    if (files != before) lake_.change_batch(batch, [&](Json& object) { object["_emulator"]["files"] = files; });
  }
}

void WorkOrders::finish(const std::string& id) {
  std::vector<DoomedIdentity> doomed;
  std::vector<std::pair<std::string, IdentityPlaces>> datasets;
  std::string wanted;
  {
    const auto lock = platform_.objects.lock();
    const Json* order = platform_.objects.find(kOrder, id);
    if (order == nullptr || (*order)["status"] != "received") return;
    wanted = (*order)["datasetId"];
    for (const Json& identity : (*order)["_emulator"]["identities"]) doomed.push_back({identity[0], identity[1]});
    for (const auto& [dataset, object] : platform_.objects.all("dataset"))
      if (wanted == kAllDatasets || wanted == dataset)
        if (const auto places = places_of(object)) datasets.emplace_back(dataset, *places);
  }
  std::string status = "completed";
  try {
    RowEraser eraser(world_.database(), doomed);
    for (const auto& [dataset, places] : datasets) erase_rows(dataset, places, eraser);
    if (wanted == kAllDatasets)
      for (const DoomedIdentity& one : doomed) world_.forget(one.space, one.id);
  } catch (const DatabaseError&) {
    status = "failed";
  }
  const auto lock = platform_.objects.lock();
  Json order = *platform_.objects.find(kOrder, id);
  order["status"] = status;
  order["updatedAt"] = iso8601(platform_.clock.now_ms());
  order["_emulator"].erase("identities");
  platform_.objects.put(kOrder, id, std::move(order));
}

}  // namespace emulator
