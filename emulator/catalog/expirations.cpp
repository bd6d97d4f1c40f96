#include "emulator/catalog/expirations.h"

#include <ctime>
#include <vector>

#include "emulator/catalog/work_orders.h"
#include "emulator/data/errors.h"
#include "emulator/http/errors.h"

namespace emulator {
namespace {

constexpr const char* kKind = "expiration";
constexpr const char* kBase = "/data/core/hygiene/ttl";
constexpr const char* kUpdatedBy = "9F1C0A2B3D4E5F60718293A4@techacct.adobe.com";
constexpr std::int64_t kDay = 24LL * 60 * 60 * 1000;
constexpr std::uint64_t kExpirationsOnAPage = 25;
constexpr std::uint64_t kLargestPage = 100;
// What organisations are licensed for without a shield.
constexpr std::uint64_t kExpirationQuota = 75;

HttpError hygiene_failure(const std::string& why) { return {problem(400, "HYGN-3102-400", why)}; }

/// A time of day in UTC, or a bare day, which is its midnight.
std::optional<std::int64_t> time_of(const std::string& text) {
  std::tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) {
    parts = {};
    rest = ::strptime(text.c_str(), "%Y-%m-%d", &parts);
    if (rest == nullptr || *rest != '\0') return std::nullopt;
  }
  return std::int64_t{::timegm(&parts)} * 1000;
}

bool is_open(const Json& expiration) {
  return expiration["status"] == "pending" || expiration["status"] == "executing";
}

Json shown_expiration(Json expiration) {
  expiration.erase("_emulator");
  return expiration;
}

std::uint64_t page_number(const Request& request, const char* name, std::uint64_t otherwise) {
  const auto text = request.query_value(name);
  if (!text) return otherwise;
  const auto number = whole_number(*text);
  if (!number) throw hygiene_failure(std::string(name) + " must be a whole number");
  return *number;
}

bool contains(const Json& object, const char* name, const std::string& part) {
  return object.value(name, std::string()).find(part) != std::string::npos;
}

/// Whether one of the list's parameters speaks against it. Times are compared as days or by their parts, as text.
bool matches(const Request& request, const Json& expiration) {
  for (const char* name : {"datasetId", "status"})
    if (const auto value = request.query_value(name); value && expiration[name] != *value) return false;
  for (const char* name : {"datasetName", "displayName", "description"})
    if (const auto value = request.query_value(name); value && !contains(expiration, name, *value)) return false;
  if (const auto value = request.query_value("search"); value && !value->empty()) {
    bool found = false;
    for (const char* name : {"ttlId", "datasetId", "datasetName", "displayName", "description"})
      found = found || contains(expiration, name, *value);
    if (!found) return false;
  }
  const auto bounded = [&](const char* member, const std::string& prefix) {
    const std::string at = expiration[member];
    if (const auto day = request.query_value(prefix + "Date"); day && !at.starts_with(day->substr(0, 10))) return false;
    if (const auto from = request.query_value(prefix + "FromDate"); from && at < *from) return false;
    if (const auto to = request.query_value(prefix + "ToDate"); to && at > *to) return false;
    return true;
  };
  return bounded("expiry", "expiry") && bounded("updatedAt", "updated");
}

Json hygiene_body(const Request& request) {
  Json body = json_body(request, hygiene_failure("The body is not JSON"));
  if (!body.is_object()) throw hygiene_failure("The body must be a JSON object");
  return body;
}

}  // namespace

void Expirations::add_routes(Router& router) {
  const std::string base = kBase;
  router.add("GET", base, checked([this](const Request& r) { return list(r); }));
  router.add("POST", base, checked([this](const Request& r) { return create(r); }));
  router.add("GET", base + "/{id}", checked([this](const Request& r) { return one(r); }));
  router.add("PUT", base + "/{id}", checked([this](const Request& r) { return change(r); }));
  router.add("DELETE", base + "/{id}", checked([this](const Request& r) { return cancel(r); }));
  router.add("GET", "/data/core/hygiene/quota", checked([this](const Request& r) { return quota(r); }));
}

void Expirations::settle() {
  const std::int64_t now = platform_.clock.now_ms();
  const std::int64_t delay = platform_.settings.hygiene_delay.count();
  std::vector<Json> moved;
  for (const auto& [id, expiration] : platform_.objects.all(kKind)) {
    const std::int64_t due = expiration["_emulator"]["due"];
    if (!is_open(expiration) || due > now) continue;
    Json next = expiration;
    next["status"] = due + delay <= now ? "completed" : "executing";
    if (next["status"] != expiration["status"]) moved.push_back(std::move(next));
  }
  for (Json& next : moved) {
    next["updatedAt"] = iso8601(now);
    if (next["status"] == "completed") erase_(next["datasetId"]);
    const std::string id = next["ttlId"];
    platform_.objects.put(kKind, id, std::move(next));
  }
}

const Json* Expirations::find(const std::string& id) const {
  if (const Json* exact = platform_.objects.find(kKind, id)) return exact;
  const Json* newest = nullptr;
  for (const auto& [key, expiration] : platform_.objects.all(kKind))
    if (expiration["datasetId"] == id &&
        (newest == nullptr || (*newest)["_emulator"]["number"] < expiration["_emulator"]["number"]))
      newest = &expiration;
  return newest;
}

const Json& Expirations::known(const std::string& id) const {
  const Json* found = find(id);
  if (found == nullptr) throw HttpError{gateway_error("404003", "There is no dataset expiration " + id)};
  return *found;
}

std::int64_t Expirations::future(const std::string& text) const {
  const auto expiry = time_of(text);
  if (!expiry) throw hygiene_failure("expiry '" + text + "' is not a time, for example 2030-12-31T00:00:00Z");
  if (*expiry < platform_.clock.now_ms() + kDay) throw hygiene_failure("expiry must be at least 24 hours from now");
  return *expiry;
}

Response Expirations::store(int status, Json expiration, std::int64_t expiry_ms) {
  const std::string id = expiration["ttlId"];
  expiration["expiry"] = iso8601(expiry_ms);
  expiration["_emulator"]["due"] = expiry_ms;
  expiration["updatedAt"] = iso8601(platform_.clock.now_ms());
  const std::string dataset_id = expiration["datasetId"];
  if (const Json* known_dataset = platform_.objects.find("dataset", dataset_id)) {
    Json dataset = *known_dataset;
    if (is_open(expiration)) {
      dataset["tags"][kExpiryTag] = Json::array({std::to_string(expiry_ms)});
    } else {
      dataset["tags"].erase(kExpiryTag);
    }
    platform_.objects.put("dataset", dataset_id, std::move(dataset));
  }
  platform_.objects.put(kKind, id, expiration);
  return Response::json(status, shown_expiration(std::move(expiration)));
}

Response Expirations::list(const Request& request) {
  const std::uint64_t limit = page_number(request, "limit", kExpirationsOnAPage);
  const std::uint64_t page = page_number(request, "page", 0);
  if (limit == 0 || limit > kLargestPage) throw hygiene_failure("limit must be between 1 and 100");
  const auto lock = platform_.objects.lock();
  settle();
  std::vector<const Json*> found;
  for (const auto& [id, expiration] : platform_.objects.all(kKind))
    if (matches(request, expiration)) found.push_back(&expiration);
  Json results = Json::array();
  for (std::uint64_t i = page * limit; i < found.size() && results.size() < limit; ++i)
    results.push_back(shown_expiration(*found[i]));
  return Response::json(200, {{"results", results},
                              {"current_page", page},
                              {"total_pages", (found.size() + limit - 1) / limit},
                              {"total_count", found.size()}});
}

Response Expirations::one(const Request& request) {
  const auto lock = platform_.objects.lock();
  settle();
  return Response::json(200, shown_expiration(known(request.parameter("id"))));
}

Response Expirations::create(const Request& request) {
  const Json body = hygiene_body(request);
  const auto lock = platform_.objects.lock();
  settle();
  const std::string id = body.value("datasetId", "");
  const Json* dataset = platform_.objects.find("dataset", id);
  if (dataset == nullptr) throw hygiene_failure("There is no dataset '" + id + "'");
  if (dataset->value("classification", Json::object()).value("managedBy", "") == "SYSTEM")
    throw hygiene_failure("The dataset is managed by the system");
  if (body.value("displayName", "").empty()) throw hygiene_failure("displayName is required");
  const std::int64_t expiry = future(body.value("expiry", ""));
  if (const Json* before = find(id); before != nullptr && is_open(*before))
    throw hygiene_failure("The dataset has the expiration " + (*before)["ttlId"].get<std::string>() + " already");
  Json expiration = {{"ttlId", "SD-" + platform_.new_uuid("expiration")},
                     {"datasetId", id},
                     {"datasetName", dataset->value("name", "")},
                     {"sandboxName", platform_.identity.sandbox},
                     {"displayName", body["displayName"]},
                     {"description", body.value("description", "")},
                     {"imsOrg", platform_.identity.organization},
                     {"status", "pending"},
                     {"updatedBy", kUpdatedBy},
                     {"_emulator", {{"number", platform_.objects.next("expiration number")}}}};
  return store(201, std::move(expiration), expiry);
}

Response Expirations::change(const Request& request) {
  const Json body = hygiene_body(request);
  const auto lock = platform_.objects.lock();
  settle();
  Json expiration = known(request.parameter("id"));
  if (expiration["status"] != "pending")
    throw hygiene_failure("The expiration is " + expiration["status"].get<std::string>() +
                          " and only a pending one can be changed");
  for (const auto& [name, value] : body.items())
    if (name != "displayName" && name != "description" && name != "expiry")
      throw hygiene_failure(name + " cannot be changed");
  for (const char* name : {"displayName", "description"})
    if (body.contains(name)) expiration[name] = body[name].get<std::string>();
  std::int64_t expiry = expiration["_emulator"]["due"];
  if (body.contains("expiry")) expiry = future(body["expiry"]);
  return store(200, std::move(expiration), expiry);
}

Response Expirations::cancel(const Request& request) {
  const auto lock = platform_.objects.lock();
  settle();
  Json expiration = known(request.parameter("id"));
  if (expiration["status"] != "pending")
    throw hygiene_failure("The expiration is " + expiration["status"].get<std::string>() +
                          " and only a pending one can be cancelled");
  expiration["status"] = "cancelled";
  const std::int64_t due = expiration["_emulator"]["due"];
  return store(200, std::move(expiration), due);
}

Response Expirations::quota(const Request& request) {
  const auto lock = platform_.objects.lock();
  settle();
  std::uint64_t open = 0;
  for (const auto& [id, expiration] : platform_.objects.all(kKind)) open += is_open(expiration) ? 1U : 0U;
  const auto wanted = request.query_value("quotaType");
  Json quotas = Json::array();
  const auto add = [&](const char* name, const char* description, std::uint64_t consumed, std::uint64_t all) {
    if (!wanted || *wanted == name)
      quotas.push_back({{"name", name}, {"description", description}, {"consumed", consumed}, {"quota", all}});
  };
  add("datasetExpirationQuota", "Dataset expirations that are pending or executing", open, kExpirationQuota);
  const std::int64_t now = platform_.clock.now_ms();
  add("dailyConsumerDeleteIdentitiesQuota", "Identities deleted today", identities_since(platform_, day_begin(now)),
      kDailyIdentities);
  add("monthlyConsumerDeleteIdentitiesQuota", "Identities deleted this month",
      identities_since(platform_, month_begin(now)), monthly_identities(profiles_()));
  if (quotas.empty()) throw hygiene_failure("There is no quota '" + *wanted + "'");
  return Response::json(200, {{"quotas", quotas}});
}

}  // namespace emulator
