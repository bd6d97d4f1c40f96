#include "emulator/audiences/audiences.h"

#include <algorithm>
#include <cctype>
#include <functional>

#include "emulator/audiences/bulk_ids.h"
#include "emulator/data/errors.h"

namespace emulator {
namespace {

constexpr std::uint64_t kDefaultPage = 60;

std::string folded(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string as_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

bool passes_property(const Json& audience, const std::string& property) {
  const auto equals = property.find("==");
  if (equals == std::string::npos) return audience.contains(property);
  const auto found = audience.find(property.substr(0, equals));
  return found != audience.end() && as_text(*found) == property.substr(equals + 2);
}

HttpError no_audience(const std::string& id) {
  return ups_failure(404, "UPAPI-113430-404", "Audience " + id + " not found");
}

bool is_forbidden(const Json& audience) { return audience["_emulator"].value("forbidden", false); }

HttpError no_access(const std::string& id) {
  return ups_failure(403, "UPAPI-113752-403", "User is not authorized to read audience " + id);
}

/// Says nothing about people here, who are in audiences at random; but each audience has its own.
std::string invented_expression(const Platform& platform, const std::string& name) {
  return "workAddress.country = \"US\" and " + platform.identity.tenant + ".interest = " + Json(name).dump();
}

Json shown(Json audience) {
  audience.erase("_emulator");
  return audience;
}

bool by_creation(const Json* a, const Json* b) {
  return (*a)["_emulator"]["number"].get<std::uint64_t>() < (*b)["_emulator"]["number"].get<std::uint64_t>();
}

std::vector<const Json*> in_order(const Objects& objects) {
  std::vector<const Json*> found;
  for (const auto& [id, audience] : objects.all("audience")) found.push_back(&audience);
  std::sort(found.begin(), found.end(), by_creation);
  return found;
}

}  // namespace

Audiences::Audiences(Platform& platform, World& world, Lake& lake) : platform_(platform), world_(world), lake_(lake) {}

Json Audiences::made(const std::string& id, const std::string& name) const {
  const std::int64_t now = platform_.clock.now_ms();
  Json audience = {
      {"id", id},
      {"audienceId", id},
      {"name", name},
      {"description", "Invented for the emulator"},
      {"type", "SegmentDefinition"},
      {"originName", "REAL_TIME_CUSTOMER_PROFILE"},
      {"namespace", "AEPSegments"},
      {"lifecycleState", "published"},
      {"state", "enabled"},
      {"evaluationInfo",
       {{"batch", {{"enabled", true}}}, {"continuous", {{"enabled", false}}}, {"synchronous", {{"enabled", false}}}}},
      {"expression", {{"type", "PQL"}, {"format", "pql/text"}, {"value", invented_expression(platform_, name)}}},
      {"schema", {{"name", "_xdm.context.profile"}}},
      {"definedOn", Json::array({{{"meta:resourceType", "unions"},
                                  {"meta:containerId", "tenant"},
                                  {"$ref", "https://ns.adobe.com/xdm/context/profile__union"}}})},
      {"profileInstanceId", "ups"},
      {"imsOrgId", platform_.identity.organization},
      {"sandbox",
       {{"sandboxId", platform_.identity.sandbox},
        {"sandboxName", platform_.identity.sandbox},
        {"type", "production"},
        {"default", true}}},
      {"creationTime", now},
      {"updateTime", now},
      {"createEpoch", now / 1000},
      {"updateEpoch", now / 1000},
      {"dependents", Json::array()},
      {"dependencies", Json::array()},
      {"labels", Json::array()},
      {"isSystem", false},
      {"dataGovernancePolicy", {{"excludeOptOut", true}}}};
  for (const auto& [policy_id, policy] : platform_.objects.all("merge_policy"))
    if (policy.value("default", false)) audience["mergePolicyId"] = policy_id;
  return audience;
}

std::vector<std::string> Audiences::invent(unsigned count) {
  static const std::vector<std::string> kNames = {
      "Luma - Blue+ Members",    "Luma - Platinum",       "Luma - Cart Abandoners", "Luma - New This Month",
      "Luma - Yoga Enthusiasts", "Luma - Lapsed 90 Days", "Luma - Newsletter",      "Luma - High Value",
      "Luma - App Users",        "Luma - Gift Buyers",    "Luma - Winback",         "Luma - Birthday This Week",
      "Luma - Store Visitors",   "Luma - Trial Ending",   "Luma - Reviewers",       "Luma - Runners"};
  const auto lock = platform_.objects.lock();
  std::vector<std::string> ids;
  for (unsigned i = 0; i < count; ++i) {
    const std::string id = platform_.new_uuid("audience");
    Json audience = made(id, i < kNames.size() ? kNames[i] : "Luma - Segment " + std::to_string(i + 1));
    audience["_emulator"] = {{"number", platform_.objects.next("audience_order")}};
    platform_.objects.put("audience", id, std::move(audience));
    ids.push_back(id);
  }
  return ids;
}

Json Audiences::listed() const {
  const auto lock = platform_.objects.lock();
  Json out = Json::array();
  for (const Json* audience : in_order(platform_.objects))
    out.push_back({{"id", (*audience)["id"]}, {"name", (*audience)["name"]}});
  return out;
}

std::vector<std::string> Audiences::computed() const {
  const auto lock = platform_.objects.lock();
  std::vector<std::string> ids;
  for (const Json* audience : in_order(platform_.objects))
    if (audience->value("lifecycleState", "") == "published" && audience->value("namespace", "") == "AEPSegments" &&
        !(*audience)["_emulator"].value("frozen", false))
      ids.push_back((*audience)["id"]);
  return ids;
}

void Audiences::add_routes(Router& router) {
  const std::string base = "/data/core/ups/audiences";
  router.add("GET", base, checked([this](const Request& r) { return list(r); }));
  router.add("POST", base, checked([this](const Request& r) { return create(r); }));
  router.add("POST", base + "/bulk-get", checked([this](const Request& r) { return bulk_get(r); }));
  router.add("GET", base + "/{id}", checked([this](const Request& r) { return one(r); }));
  router.add("PATCH", base + "/{id}", checked([this](const Request& r) { return change(r, false); }));
  router.add("PUT", base + "/{id}", checked([this](const Request& r) { return change(r, true); }));
  router.add("DELETE", base + "/{id}", checked([this](const Request& r) { return remove(r); }));
  router.add("POST", "/_emulator/audiences", checked([this](const Request& r) { return control(r); }),
             {.gate = Gate::Open});
}

Response Audiences::list(const Request& request) {
  const auto lock = platform_.objects.lock();
  std::uint64_t limit = kDefaultPage;
  std::uint64_t page = 0;
  if (const auto text = request.query_value("limit")) {
    const auto number = whole_number(*text);
    if (!number || *number == 0) throw ups_failure(400, "UPAPI-113001-400", "limit must be a positive number");
    limit = *number;
  }
  limit = std::min(limit, platform_.settings.page_cap);
  if (const auto text = request.query_value("start")) {
    const auto number = whole_number(*text);
    if (!number) throw ups_failure(400, "UPAPI-113001-400", "start must be a number");
    page = *number;
  }
  const std::string name = folded(request.query_value("name").value_or(""));
  const std::string description = folded(request.query_value("description").value_or(""));
  const auto entity = request.query_value("entityType");

  std::vector<const Json*> found;
  for (const Json* audience : in_order(platform_.objects)) {
    if (audience->value("isSystem", false) || is_forbidden(*audience)) continue;
    if (folded(audience->value("name", "")).find(name) == std::string::npos) continue;
    if (folded(audience->value("description", "")).find(description) == std::string::npos) continue;
    if (entity && (*audience)["schema"].value("name", "") != *entity) continue;
    const auto properties = request.query_values("property");
    if (!std::all_of(properties.begin(), properties.end(),
                     [&](const auto& p) { return passes_property(*audience, p); }))
      continue;
    found.push_back(audience);
  }
  std::string field = "updateTime";
  std::string order = "desc";
  if (const auto sort = request.query_value("sort")) {
    const auto colon = sort->find(':');
    field = sort->substr(0, colon);
    order = colon == std::string::npos ? "asc" : folded(sort->substr(colon + 1));
    std::stable_sort(found.begin(), found.end(), [&](const Json* a, const Json* b) {
      const Json left = a->value(field, Json());
      const Json right = b->value(field, Json());
      return order == "desc" ? right < left : left < right;
    });
  }

  // `start` counts pages, as the samples of the platform do; a client that takes `next` never notices.
  const std::uint64_t total = found.size();
  const std::uint64_t pages = (total + limit - 1) / limit;
  Json children = Json::array();
  for (std::uint64_t i = page * limit; i < std::min(total, (page + 1) * limit); ++i)
    children.push_back(shown(*found[i]));
  Json body = {{"children", std::move(children)},
               {"_page",
                {{"totalCount", total},
                 {"totalPages", pages},
                 {"pageSize", limit},
                 {"limit", limit},
                 {"start", std::to_string(page)},
                 {"sortField", field},
                 {"sort", order}}},
               {"_links", Json::object()}};
  if (page + 1 < pages) {
    const std::string next = std::to_string(page + 1);
    body["_page"]["next"] = next;
    body["_links"]["next"]["href"] =
        "@/audiences?start=" + next + "&limit=" + std::to_string(limit) + "&totalCount=" + std::to_string(total);
  }
  return Response::json(200, body);
}

Response Audiences::one(const Request& request) {
  const auto lock = platform_.objects.lock();
  const Json* audience = platform_.objects.find("audience", request.parameter("id"));
  if (audience == nullptr) throw no_audience(request.parameter("id"));
  if (is_forbidden(*audience)) throw no_access(request.parameter("id"));
  return Response::json(200, shown(*audience));
}

Response Audiences::bulk_get(const Request& request) {
  const auto ids = bulk_ids(request);
  const auto lock = platform_.objects.lock();
  Json results = Json::object();
  std::size_t missing = 0;
  for (const auto& id : ids) {
    const Json* audience = platform_.objects.find("audience", id);
    if (audience != nullptr && !is_forbidden(*audience)) {
      results[id] = shown(*audience);
      continue;
    }
    ++missing;
    results[id] = Json::parse((audience == nullptr ? no_audience(id) : no_access(id)).response.body);
  }
  if (missing == ids.size()) throw ups_failure(404, "UPAPI-113000-404", "None of the audiences was found");
  return Response::json(207, {{"results", std::move(results)}});
}

Response Audiences::create(const Request& request) {
  const Json body = json_body(request, ups_failure(400, "UPAPI-113001-400", "The body is not JSON"));
  if (!body.is_object() || !body.contains("name") || !body["name"].is_string())
    throw ups_failure(400, "UPAPI-113001-400", "An audience needs a name");
  const auto lock = platform_.objects.lock();
  const std::string id = platform_.new_uuid("audience");
  Json audience = made(id, body["name"]);
  audience.update(body);
  audience["id"] = id;
  if (body.value("type", "") == "ExternalSegment" || body.value("type", "") == "ExternalAudience") {
    if (!body.contains("audienceId"))
      throw ups_failure(400, "UPAPI-113001-400", "An external audience needs an audienceId");
  } else {
    audience["audienceId"] = id;
  }
  audience["_emulator"] = {{"number", platform_.objects.next("audience_order")}};
  Json answer = shown(audience);
  platform_.objects.put("audience", id, std::move(audience));
  lake_.note("audience", id, {{"name", body["name"]}});
  return Response::json(201, answer);
}

Response Audiences::change(const Request& request, bool replace) {
  const Json body = json_body(request, ups_failure(400, "UPAPI-113001-400", "The body is not JSON"));
  const std::string& id = request.parameter("id");
  const auto lock = platform_.objects.lock();
  const Json* known = platform_.objects.find("audience", id);
  if (known == nullptr) throw no_audience(id);
  Json audience = replace ? made(id, known->value("name", "")) : *known;
  if (body.is_array()) {
    try {
      audience = audience.patch(body);
    } catch (const Json::exception&) {
      throw ups_failure(400, "UPAPI-113001-400", "The JSON patch does not apply");
    }
  } else if (body.is_object()) {
    audience.update(body);
  } else {
    throw ups_failure(400, "UPAPI-113001-400", "An object or a JSON patch is needed");
  }
  if (audience.value("namespace", "") != known->value("namespace", ""))
    throw ups_failure(400, "UPAPI-113434-400", "The namespace of an audience cannot change");
  audience["id"] = id;
  audience["creationTime"] = (*known)["creationTime"];
  audience["createEpoch"] = (*known)["createEpoch"];
  audience["updateTime"] = platform_.clock.now_ms();
  audience["updateEpoch"] = platform_.clock.now_ms() / 1000;
  audience["_emulator"] = (*known)["_emulator"];
  Json answer = shown(audience);
  platform_.objects.put("audience", id, std::move(audience));
  return Response::json(201, answer);
}

Response Audiences::remove(const Request& request) {
  const auto lock = platform_.objects.lock();
  if (platform_.objects.find("audience", request.parameter("id")) == nullptr)
    throw no_audience(request.parameter("id"));
  platform_.objects.erase("audience", request.parameter("id"));
  return Response::empty(204);
}

Response Audiences::control(const Request& request) {
  const Json body = json_body(request, control_failure("the body is not JSON"));
  if (!body.is_object()) throw control_failure("the body must be an object");
  const std::string action = body.value("do", "");
  std::string id = body.value("id", "");
  if (action == "create") {
    {
      const auto lock = platform_.objects.lock();
      if (id.empty()) id = platform_.new_uuid("audience");
      Json audience = made(id, body.value("name", "Audience " + id));
      if (body.contains("fields")) audience.update(body["fields"]);
      audience["_emulator"] = {{"number", platform_.objects.next("audience_order")}};
      platform_.objects.put("audience", id, std::move(audience));
    }
    world_.enroll(id, body.value("share", 0.1));
    return Response::json(200, {{"id", id}});
  }
  {
    const auto lock = platform_.objects.lock();
    const Json* known = platform_.objects.find("audience", id);
    if (known == nullptr) throw control_failure("no audience '" + id + "'");
    Json audience = *known;
    audience["updateTime"] = platform_.clock.now_ms();
    audience["updateEpoch"] = platform_.clock.now_ms() / 1000;
    if (action == "rename") {
      audience["name"] = body.value("name", "");
    } else if (action == "archive" || action == "publish") {
      audience["lifecycleState"] = action == "archive" ? "archived" : "published";
    } else if (action == "forbid" || action == "allow") {
      audience["_emulator"]["forbidden"] = action == "forbid";
    } else if (action == "set_merge_policy") {
      audience["mergePolicyId"] = body.value("merge_policy", body.value("mergePolicyId", ""));
    } else if (action == "set") {
      audience.update(body.value("fields", Json::object()));
    } else if (action == "delete") {
      platform_.objects.erase("audience", id);
      return Response::json(200, {{"id", id}});
    } else if (action != "empty") {
      throw control_failure(
          "unknown action '" + action +
          "'; one of create, rename, archive, publish, forbid, allow, delete, set_merge_policy, set, empty");
    }
    if (action == "empty")
      audience["_emulator"]["frozen"] = true;  // evolve must not fill it again behind a test's back
    platform_.objects.put("audience", id, std::move(audience));
  }
  if (action == "empty") world_.empty(id);
  return Response::json(200, {{"id", id}});
}

}  // namespace emulator
