#include "emulator/analytics/segment_routes.h"

#include "emulator/analytics/assets.h"
#include "emulator/analytics/components.h"
#include "emulator/analytics/segment_sql.h"
#include "emulator/analytics/users.h"

namespace emulator {
namespace {

constexpr std::size_t kMostSegmentsOfOrganization = 50'000;

const AssetSort& segment_sort() { return *asset_sort("segment"); }

/// Throws a 400 unless the definition can be understood against the components of the data view.
void check_definition(const Json& definition, const Json& view) {
  if (!definition.is_object())
    throw analytics_failure(400, "invalid_request", "definition must be formatted as a JSON Object");
  const auto dimension = [&view](const std::string& name) {
    return find_component(view, ComponentKind::Dimension, name) ? "SELECT 1" : "";
  };
  const auto metric = [&view](const std::string& name) {
    const auto found = find_component(view, ComponentKind::Metric, name);
    return found && is_metric_of_events(*found) ? "1" : "";
  };
  segment_condition(definition, {dimension, [](const std::string&) { return std::string(); }, metric});
}

/// What the validator calls the functions of a definition, each once.
void collect_features(const Json& node, std::set<std::string>& features) {
  if (node.is_object() && node.contains("func") && node["func"].is_string())
    features.insert("function_" + node["func"].get<std::string>());
  if (node.is_structured())
    for (const Json& part : node) collect_features(part, features);
}

/// The verdict on a definition, which never fails.
Json judged_segment(const Platform& platform, const Json& definition, const std::string& view) {
  Json errors = Json::array();
  try {
    check_definition(definition, known_data_view(platform, view));
  } catch (const HttpError& refusal) {
    errors.push_back(Json::parse(refusal.response.body)["errorDescription"]);
  }
  std::set<std::string> features;
  collect_features(definition, features);
  return {{"valid", errors.empty()},
          {"message", errors.empty() ? Json("The segment is valid") : errors[0]},
          {"validator_version", "1.1.11"},
          {"supported_products", Json::array()},
          {"supported_schema", Json::array()},
          {"supported_features", features},
          {"errors", errors}};
}

Json shown_segment(const Platform& platform, const Request& request, const Json& segment) {
  static const std::map<std::string, std::vector<std::string>> kMembers = [] {
    std::map<std::string, std::vector<std::string>> members;
    for (const char* name :
         {"definition", "isDeleted", "createdDate", "owner", "tags", "shares", "approved", "favorite", "dataName",
          "ownerFullName", "internal", "definitionLastModified", "compatibility"})
      members[name] = {name};
    members["modified"] = {"modifiedDate", "modifiedBy"};
    members["dataId"] = {"dataId", "rsid"};
    members["sharesFullName"] = {"shares"};
    return members;
  }();
  const Expansion expansion(request);
  Json whole = whole_asset(platform, segment_sort(), segment);
  if (expansion.has("compatibility"))
    whole["compatibility"] = judged_segment(platform, segment["definition"], segment["dataId"]);
  return expansion.of(whole, {"id", "name", "description", "dataId", "rsid"}, kMembers);
}

const Json& known_segment(const Platform& platform, const std::string& id) {
  return known_asset(platform, segment_sort(), id);
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
  const auto name = request.query_value("name");
  const auto since = request.query_value("filterByModifiedAfter");
  const auto lock = platform_.objects.lock();
  const auto& objects = copy_.objects(platform_, request, [this] { return platform_.objects.all(kSegmentKind); });
  std::vector<Json> found;
  for (Json& segment : listed_assets(platform_, request, "/segments", objects)) {
    if (name && segment["name"].get<std::string>().find(*name) == std::string::npos) continue;
    if (since && segment["modifiedDate"].get<std::string>() <= *since) continue;
    found.push_back(std::move(segment));
  }
  return asset_page(request, platform_, std::move(found),
                    [&](const Json& segment) { return shown_segment(platform_, request, segment); });
}

Response SegmentRoutes::one(const Request& request) {
  const auto lock = platform_.objects.lock();
  return Response::json(200, shown_segment(platform_, request, known_segment(platform_, request.parameter("id"))));
}

Response SegmentRoutes::create(const Request& request) {
  const Json body = asset_body(request);
  const auto lock = platform_.objects.lock();
  if (body.value("name", "").empty() || data_id_of(body).empty() || !body.contains("definition"))
    throw analytics_failure(400, "invalid_request", "name, dataId, and definition are all required");
  check_definition(body["definition"], known_data_view(platform_, data_id_of(body)));
  if (platform_.objects.all(kSegmentKind).size() >= kMostSegmentsOfOrganization)
    throw analytics_failure(400, "invalid_request", "The organization has 50000 segments already");
  owner_of_body(body);  // before an id is used up
  Json segment = {{"name", body["name"]},
                  {"description", body.value("description", "")},
                  {"dataId", data_id_of(body)},
                  {"rsid", data_id_of(body)},
                  {"definition", body["definition"]},
                  {"definitionLastModified", analytics_time(platform_.clock.now_ms())},
                  {"approved", false},
                  {"favorite", false}};
  const std::string id = "s300000022_" + platform_.new_id("segment");
  return Response::json(
      200, shown_segment(platform_, request, create_asset(platform_, segment_sort(), id, std::move(segment), body)));
}

Response SegmentRoutes::change(const Request& request) {
  const Json body = asset_body(request);
  const auto lock = platform_.objects.lock();
  Json segment = known_segment(platform_, request.parameter("id"));
  for (const char* name : {"name", "description", "definition"})
    if (body.contains(name)) segment[name] = body[name];
  if (body.contains("owner")) segment["owner"] = owner_of_body(body);
  if (body.contains("definition")) segment["definitionLastModified"] = analytics_time(platform_.clock.now_ms());
  if (!data_id_of(body).empty()) segment["dataId"] = segment["rsid"] = data_id_of(body);
  check_definition(segment["definition"], known_data_view(platform_, segment["dataId"]));
  change_asset(platform_, segment_sort(), segment);
  return Response::json(200, shown_segment(platform_, request, segment));
}

Response SegmentRoutes::remove(const Request& request) {
  const auto lock = platform_.objects.lock();
  hide_asset(platform_, segment_sort(), request.parameter("id"));
  return Response::json(200, {{"status", "ok"}, {"result", "success"}, {"message", "Segment deleted"}});
}

Response SegmentRoutes::validate(const Request& request) {
  const Json body = asset_body(request);
  const bool whole = body.contains("definition");
  const Json& definition = whole ? body["definition"] : body;
  const std::string view = whole ? data_id_of(body) : request.query_value("rsid").value_or("");
  const auto lock = platform_.objects.lock();
  return Response::json(200, judged_segment(platform_, definition, view));
}

}  // namespace emulator
