#include "emulator/analytics/segment_routes.h"

#include "emulator/analytics/components.h"
#include "emulator/analytics/segment_sql.h"
#include "emulator/data/errors.h"

namespace emulator {
namespace {

constexpr const char* kSegmentKind = "analytics_segment";
constexpr const char* kSegmentOwner = "9F1C0A2B3D4E5F60718293A4@techacct.adobe.com";

Json segment_body(const Request& request) {
  Json body = json_body(request, analytics_failure(400, "invalid_json_input", "The body is not valid JSON"));
  if (!body.is_object()) throw analytics_failure(400, "invalid_json_input", "The body must be a JSON object");
  return body;
}

/// The data view under either of its names.
std::string data_id_of(const Json& body) { return body.value("dataId", body.value("rsid", "")); }

/// Throws a 400 unless the definition can be understood against the dimensions of the data view.
void check_definition(const Json& definition, const Json& view) {
  if (!definition.is_object())
    throw analytics_failure(400, "invalid_request", "definition must be formatted as a JSON Object");
  const auto known = [&view](const std::string& name) {
    return find_component(view, ComponentKind::Dimension, name) ? "SELECT 1" : "";
  };
  segment_condition(definition, {known, [](const std::string&) { return std::string(); }});
}

Json shown_segment(const Request& request, const Json& segment) {
  static const std::map<std::string, std::vector<std::string>> kMembers = [] {
    std::map<std::string, std::vector<std::string>> members;
    for (const char* name : {"definition", "isDeleted", "createdDate", "owner", "tags", "approved", "favorite"})
      members[name] = {name};
    members["modified"] = {"modifiedDate", "modifiedBy"};
    members["dataId"] = {"dataId", "rsid"};
    return members;
  }();
  return Expansion(request).of(segment, {"id", "name", "description", "dataId", "rsid"}, kMembers);
}

const Json& known_segment(const Platform& platform, const std::string& id) {
  const Json* segment = platform.objects.find(kSegmentKind, id);
  if (segment == nullptr) throw analytics_failure(404, "resource_not_found", "Unable to find segment " + id);
  return *segment;
}

}  // namespace

void SegmentRoutes::add_routes(AnalyticsRoutes& routes) {
  for (const std::string base : {"/segments", "/filters"}) {
    routes.add("GET", base, [this](const Request& r) { return list(r); });
    routes.add("POST", base, [this](const Request& r) { return create(r); });
    routes.add("POST", base + "/validate", [this](const Request& r) { return validate(r); });
    routes.add("GET", base + "/{id}", [this](const Request& r) { return one(r); });
    routes.add("PUT", base + "/{id}", [this](const Request& r) { return change(r); });
    routes.add("DELETE", base + "/{id}", [this](const Request& r) { return remove(r); });
  }
}

Response SegmentRoutes::list(const Request& request) {
  const auto views = word_list(request, "dataIds");
  const auto ids = word_list(request, "filterByIds");
  const auto types = word_list(request, "includeType");
  const auto name = request.query_value("name");
  const auto since = request.query_value("filterByModifiedAfter");
  const auto lock = platform_.objects.lock();
  std::vector<Json> found;
  for (const auto& [id, segment] :
       copy_.objects(platform_, request, [this] { return platform_.objects.all(kSegmentKind); })) {
    if (segment.value("isDeleted", false) && !types.contains("deleted") && !types.contains("all")) continue;
    if (!views.empty() && !views.contains(segment["dataId"])) continue;
    if (!ids.empty() && !ids.contains(id)) continue;
    if (name && segment["name"].get<std::string>().find(*name) == std::string::npos) continue;
    if (since && segment["modifiedDate"].get<std::string>() <= *since) continue;
    found.push_back(segment);
  }
  return Response::json(200, analytics_page(request, platform_.settings, std::move(found),
                                            [&](const Json& segment) { return shown_segment(request, segment); }));
}

Response SegmentRoutes::one(const Request& request) {
  const auto lock = platform_.objects.lock();
  return Response::json(200, shown_segment(request, known_segment(platform_, request.parameter("id"))));
}

Response SegmentRoutes::create(const Request& request) {
  const Json body = segment_body(request);
  const auto lock = platform_.objects.lock();
  if (body.value("name", "").empty() || data_id_of(body).empty() || !body.contains("definition"))
    throw analytics_failure(400, "invalid_request", "name, dataId, and definition are all required");
  check_definition(body["definition"], known_data_view(platform_, data_id_of(body)));
  const std::string id = "s300000022_" + platform_.new_id("segment");
  const std::string now = analytics_time(platform_.clock.now_ms());
  Json segment = {{"id", id},
                  {"name", body["name"]},
                  {"description", body.value("description", "")},
                  {"dataId", data_id_of(body)},
                  {"rsid", data_id_of(body)},
                  {"definition", body["definition"]},
                  {"owner", {{"imsUserId", kSegmentOwner}}},
                  {"tags", body.value("tags", Json::array())},
                  {"approved", false},
                  {"favorite", false},
                  {"isDeleted", false},
                  {"createdDate", now},
                  {"modifiedDate", now},
                  {"modifiedBy", kSegmentOwner}};
  platform_.objects.put(kSegmentKind, id, segment);
  return Response::json(200, shown_segment(request, segment));
}

Response SegmentRoutes::change(const Request& request) {
  const Json body = segment_body(request);
  const auto lock = platform_.objects.lock();
  Json segment = known_segment(platform_, request.parameter("id"));
  for (const char* name : {"name", "description", "definition", "owner"})
    if (body.contains(name)) segment[name] = body[name];
  if (!data_id_of(body).empty()) segment["dataId"] = segment["rsid"] = data_id_of(body);
  check_definition(segment["definition"], known_data_view(platform_, segment["dataId"]));
  segment["modifiedDate"] = analytics_time(platform_.clock.now_ms());
  platform_.objects.put(kSegmentKind, request.parameter("id"), segment);
  return Response::json(200, shown_segment(request, segment));
}

Response SegmentRoutes::remove(const Request& request) {
  const auto lock = platform_.objects.lock();
  Json segment = known_segment(platform_, request.parameter("id"));
  // It is hidden only: it stays readable and works wherever it is used.
  segment["isDeleted"] = true;
  platform_.objects.put(kSegmentKind, request.parameter("id"), std::move(segment));
  return Response::json(200, {{"status", "ok"}, {"message", "Segment deleted"}});
}

Response SegmentRoutes::validate(const Request& request) {
  const Json body = segment_body(request);
  const bool whole = body.contains("definition");
  const Json& definition = whole ? body["definition"] : body;
  const std::string view = whole ? data_id_of(body) : request.query_value("rsid").value_or("");
  const auto lock = platform_.objects.lock();
  Json errors = Json::array();
  try {
    check_definition(definition, known_data_view(platform_, view));
  } catch (const HttpError& refusal) {
    errors.push_back(Json::parse(refusal.response.body)["errorDescription"]);
  }
  return Response::json(200, {{"valid", errors.empty()},
                              {"message", errors.empty() ? Json("The segment is valid") : errors[0]},
                              {"validator_version", "1.1.11"},
                              {"supported_products", Json::array()},
                              {"supported_schema", Json::array()},
                              {"supported_features", Json::array()},
                              {"errors", errors}});
}

}  // namespace emulator
