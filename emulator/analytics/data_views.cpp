#include "emulator/analytics/data_views.h"

#include <algorithm>
#include <cctype>

#include "emulator/analytics/assets.h"
#include "emulator/analytics/audit_log.h"
#include "emulator/analytics/components.h"
#include "emulator/analytics/connection_model.h"
#include "emulator/analytics/users.h"
#include "emulator/auth/gateway.h"
#include "emulator/data/errors.h"

namespace emulator {
namespace {

constexpr const char* kDataViewsPath = "/data/dataviews";

/// What a client may not set: a body that carries it is taken without.
constexpr std::array kReadOnly{"id",           "owner",     "createdDate",           "modifiedDate",
                               "modifiedBy",   "isDeleted", "currentTimezoneOffset", "recentRecordedAccess",
                               "organization", "_emulator"};

std::string external_name(const std::string& name) {
  std::string out;
  for (const char c : name)
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? static_cast<char>(std::tolower(c)) : '_';
  return out;
}

Json data_view_body(const Request& request) {
  Json body = json_body(request, analytics_failure(400, "invalid_json_input", "The body is not valid JSON"));
  if (!body.is_object()) throw analytics_failure(400, "invalid_json_input", "The body must be a JSON object");
  for (const char* name : kReadOnly) body.erase(name);
  return body;
}

bool has_text(const Json& body, const char* name) {
  return body.contains(name) && body[name].is_string() && !body[name].get_ref<const std::string&>().empty();
}

/// Requests shout, answers do not.
Json with_lower_case_session(Json sessions) {
  for (Json& session : sessions)
    for (const char* name : {"granularity", "func"})
      if (session.contains(name) && session[name].is_string()) {
        auto text = session[name].get<std::string>();
        std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
        session[name] = text;
      }
  return sessions;
}

/// Fills in what a data view has without being told.
void complete_data_view(Json& view) {
  const Json defaults = {
      {"description", ""},
      {"segmentList", Json::array()},
      {"curationEnabled", false},
      {"sessionDefinition", Json::array({{{"numPeriods", 30}, {"granularity", "MINUTE"}, {"func", "INACTIVITY"}}})},
      {"containerNames", {{"event", "Event"}, {"session", "Session"}, {"people", "Person"}}}};
  for (const auto& [name, value] : defaults.items())
    if (!view.contains(name) || view[name].is_null()) view[name] = value;
  view["parentDataGroupId"] = connection_key(view["parentDataGroupId"]);
  Json external = view.value("externalData", Json::object());
  if (!external.is_object()) external = Json::object();
  if (external.value("externalId", "").empty()) external["externalId"] = external_name(view["name"]);
  external["externalParentId"] = view["parentDataGroupId"].get<std::string>().substr(3);
  view["externalData"] = std::move(external);
  view["sessionDefinition"] = with_lower_case_session(view["sessionDefinition"]);
}

}  // namespace

void DataViews::add_routes(AnalyticsRoutes& routes) {
  const std::string base = kDataViewsPath;
  routes.add("GET", base, [this](const Request& r) { return list(r); });
  routes.add("POST", base, [this](const Request& r) { return create(r); });
  routes.add("POST", base + "/validate", [this](const Request& r) { return validate(r); });
  routes.add("PUT", base + "/copy/{id}", [this](const Request& r) { return copy(r); });
  routes.add("GET", base + "/{id}", [this](const Request& r) { return one(r); });
  routes.add("PUT", base + "/{id}", [this](const Request& r) { return replace(r); });
  routes.add("DELETE", base + "/{id}", [this](const Request& r) { return remove(r); });
}

std::string DataViews::complaint(const Json& body) const {
  std::string missing;
  for (const char* name : {"name", "parentDataGroupId", "timezoneDesignator"})
    if (!has_text(body, name)) missing += (missing.empty() ? "" : ", ") + std::string(name);
  if (!missing.empty()) return "The following fields are required: [" + missing + "] ";
  const std::string zone = body["timezoneDesignator"];
  if (Connection(world_.database()).number("SELECT count(*) FROM pg_timezone_names() WHERE name = " + sql_text(zone)) ==
      0)
    return "timezoneDesignator '" + zone + "' is not a time zone";
  const Json sessions = body.value("sessionDefinition", Json::array());
  if (!sessions.is_null() && !sessions.is_array()) return "sessionDefinition must be an array";
  for (const Json& session : sessions) {
    const Json shown = with_lower_case_session(Json::array({session}))[0];
    const auto one_of = [&](const char* name, std::initializer_list<const char*> words) {
      return std::any_of(words.begin(), words.end(), [&](const char* word) { return shown.value(name, "") == word; });
    };
    if (!session.is_object() || !one_of("granularity", {"minute", "hour", "day", "week"}) ||
        !one_of("func", {"inactivity", "before_events"}))
      return "sessionDefinition is not valid";
  }
  return {};
}

Response DataViews::validate(const Request& request) {
  const Json body = data_view_body(request);
  const auto lock = platform_.objects.lock();
  std::string message = complaint(body);
  if (message.empty() && find_connection(platform_, body["parentDataGroupId"]) == nullptr)
    message = "Unable to find parentDataGroup";
  return Response::json(200, {{"valid", message.empty()},
                              {"message", message.empty() ? "The data view is valid" : message},
                              {"validator_version", "1.0.0"}});
}

std::string DataViews::make(Json body) {
  const std::string id = "dv_" + platform_.new_id("data view");
  const std::string now = analytics_time(platform_.clock.now_ms());
  body.update({{"id", id},
               {"organization", platform_.identity.organization},
               {"owner", analytics_user(kTechnicalAccount)},
               {"isDeleted", false},
               {"createdDate", now},
               {"modifiedDate", now},
               {"modifiedBy", kTechnicalAccount}});
  if (!body.contains("_emulator")) body["_emulator"] = {{"components", Json::array()}};
  complete_data_view(body);
  const std::string name = body["name"];
  platform_.objects.put(kDataViewKind, id, std::move(body));
  record_audit(platform_, {"CREATE", "DATA_VIEW", id, name, {}});
  return id;
}

Json DataViews::whole(const Json& data_view) const {
  Json shown = data_view;
  shown["tags"] = tags_of(platform_, "dataView", data_view["id"]);
  const std::string zone = sql_text(data_view["timezoneDesignator"].get<std::string>());
  const std::string now = "epoch_ms(" + std::to_string(platform_.clock.now_ms()) + ")";
  const auto rows = Connection(world_.database())
                        .rows("SELECT (epoch_ms(timezone(" + zone + ", " + now + "::TIMESTAMPTZ)) - epoch_ms(" + now +
                              ")) / 3600000.0");
  shown["currentTimezoneOffset"] = rows.empty() || !rows[0][0] ? Json(nullptr) : Json(std::stod(*rows[0][0]));
  shown["recentRecordedAccess"] = iso8601(platform_.clock.now_ms()).substr(0, 10);
  if (const Json* connection = find_connection(platform_, data_view["parentDataGroupId"]))
    shown.update({{"sandboxName", (*connection)["sandboxName"]}, {"sandboxId", (*connection)["sandboxId"]}});
  return shown;
}

Json DataViews::answer(const Request& request, const Json& data_view) const {
  static const std::map<std::string, std::vector<std::string>> kMembers = [] {
    std::map<std::string, std::vector<std::string>> members;
    for (const char* name :
         {"name", "description", "owner", "isDeleted", "parentDataGroupId", "segmentList", "currentTimezoneOffset",
          "timezoneDesignator", "createdDate", "organization", "curationEnabled", "recentRecordedAccess",
          "sessionDefinition", "externalData", "containerNames", "tags", "sandboxId", "sandboxName"})
      members[name] = {name};
    members["modified"] = {"modifiedDate", "modifiedBy"};
    members["ownerFullName"] = {"owner"};
    return members;
  }();
  return Expansion(request).of(whole(data_view), {"id"}, kMembers);
}

Response DataViews::list(const Request& request) {
  const auto parents = word_list(request, "parentDataGroupId");
  const auto external = word_list(request, "externalIds");
  const auto external_parents = word_list(request, "externalParentIds");
  const auto ids = word_list(request, "dataViewIds");
  const auto lock = platform_.objects.lock();
  std::vector<Json> found;
  for (const auto& [id, view] :
       copy_.objects(platform_, request, [this] { return platform_.objects.all(kDataViewKind); })) {
    const std::string parent = view["parentDataGroupId"];
    if (!parents.empty() && !parents.contains(parent) && !parents.contains(parent.substr(3))) continue;
    if (!external.empty() && !external.contains(view["externalData"]["externalId"])) continue;
    if (!external_parents.empty() && !external_parents.contains(parent.substr(3))) continue;
    if (!ids.empty() && !ids.contains(id)) continue;
    if (is_denied(platform_.settings, "GET", kDataViewsPath + ("/" + id))) continue;
    found.push_back(view);
  }
  return Response::json(200, analytics_page(request, platform_.settings, std::move(found),
                                            [&](const Json& view) { return answer(request, view); }));
}

Response DataViews::one(const Request& request) {
  const auto lock = platform_.objects.lock();
  return Response::json(200, answer(request, known_data_view(platform_, request.parameter("id"))));
}

Response DataViews::create(const Request& request) {
  Json body = data_view_body(request);
  const auto lock = platform_.objects.lock();
  if (const std::string wrong = complaint(body); !wrong.empty()) throw analytics_failure(400, "invalid_data", wrong);
  if (find_connection(platform_, body["parentDataGroupId"]) == nullptr)
    throw analytics_failure(404, "resource_not_found", "Unable to find parentDataGroup");
  const std::string id = make(std::move(body));
  return Response::json(200, answer(request, known_data_view(platform_, id)));
}

Response DataViews::replace(const Request& request) {
  const Json body = data_view_body(request);
  const auto lock = platform_.objects.lock();
  const std::string id = request.parameter("id");
  const Json before = known_data_view(platform_, id);
  Json view = before;
  if (platform_.settings.dataview_put == "overwrite") {
    view = body;
    for (const char* name : kReadOnly)
      if (before.contains(name)) view[name] = before[name];
  } else {
    view.update(body);
  }
  if (const std::string wrong = complaint(view); !wrong.empty()) throw analytics_failure(400, "invalid_data", wrong);
  if (connection_key(view["parentDataGroupId"]) != before["parentDataGroupId"])
    throw analytics_failure(400, "invalid_data", "The connection of a data view cannot be changed");
  complete_data_view(view);
  view["modifiedDate"] = analytics_time(platform_.clock.now_ms());
  platform_.objects.put(kDataViewKind, id, view);
  record_audit(platform_, {"EDIT", "DATA_VIEW", id, view["name"], {}});
  return Response::json(200, answer(request, view));
}

Response DataViews::copy(const Request& request) {
  const auto lock = platform_.objects.lock();
  Json body = known_data_view(platform_, request.parameter("id"));
  body["name"] = body["name"].get<std::string>() + " (Copy)";
  body["externalData"].erase("externalId");
  body["_emulator"].erase("analysis");
  return Response::json(200, answer(request, known_data_view(platform_, make(std::move(body)))));
}

Response DataViews::remove(const Request& request) {
  const auto lock = platform_.objects.lock();
  const std::string id = request.parameter("id");
  if (known_data_view(platform_, id)["_emulator"].value("analysis", false))
    throw analytics_failure(409, "resource_conflict",
                            "Data View " + id + " is used by an audience analysis configuration");
  record_audit(platform_, {"DELETE", "DATA_VIEW", id, known_data_view(platform_, id)["name"], {}});
  platform_.objects.erase(kDataViewKind, id);
  return Response::json(200, {{"result", "success"}});
}

}  // namespace emulator
