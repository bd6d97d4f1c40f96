#include "emulator/analytics/date_ranges.h"

#include "emulator/analytics/components.h"
#include "emulator/analytics/users.h"

namespace emulator {
namespace {

/// Date ranges and projects differ in little more than in what is required.
struct PlainAsset {
  const char* path;
  const char* component;
  const char* id_prefix;
  bool needs_view;

  const AssetSort& sort() const { return *asset_sort(component); }
};

constexpr PlainAsset kDateRanges{"/dateranges", "dateRange", "", false};
constexpr PlainAsset kProjects{"/projects", "project", "", true};

/// What is wrong with an asset; "" when nothing is.
std::string asset_complaint(const Platform& platform, const PlainAsset& sort, const Json& asset) {
  if (!asset.contains("name") || !asset["name"].is_string() || asset["name"] == "") return "name is required";
  const Json definition = asset.value("definition", Json());
  if (!definition.is_object() && !definition.is_string()) return "definition is required";
  if (!sort.needs_view) return {};
  const std::string type = asset.value("type", "project");
  if (type != "project" && type != "mobileScorecard") return "type '" + type + "' is not possible";
  if (platform.objects.find(kDataViewKind, data_id_of(asset)) == nullptr)
    return "Unable to find the data view '" + data_id_of(asset) + "'";
  return {};
}

Json shown_plain(const Platform& platform, const PlainAsset& sort, const Request& request, const Json& asset) {
  static const std::map<std::string, std::vector<std::string>> kMembers = {
      {"definition", {"definition"}},
      {"modified", {"modified"}},
      {"ownerFullName", {"ownerFullName"}},
      {"sharesFullName", {"shares"}},
      {"shares", {"shares"}},
      {"tags", {"tags"}},
      {"accessLevel", {"accessLevel"}},
      {"externalReferences", {"externalReferences"}}};
  Json whole = whole_asset(platform, sort.sort(), asset);
  if (sort.needs_view) {
    whole["accessLevel"] = "own";
    whole["reportSuiteName"] = whole["dataName"];
  }
  return Expansion(request).of(
      whole, {"id", "name", "description", "rsid", "dataId", "reportSuiteName", "owner", "type", "created"}, kMembers);
}

void take_plain(Json& asset, const PlainAsset& sort, const Json& body) {
  for (const char* name : {"name", "description", "definition", "type", "externalReferences"})
    if (body.contains(name)) asset[name] = body[name];
  if (!asset.contains("description")) asset["description"] = "";
  if (sort.needs_view && !asset.contains("type")) asset["type"] = "project";
  if (!data_id_of(body).empty()) asset["dataId"] = asset["rsid"] = data_id_of(body);
}

Response create_plain(Platform& platform, const PlainAsset& sort, const Request& request) {
  const Json body = asset_body(request);
  Json asset = Json::object();
  take_plain(asset, sort, body);
  const auto lock = platform.objects.lock();
  if (const std::string wrong = asset_complaint(platform, sort, asset); !wrong.empty())
    throw analytics_failure(400, "invalid_data", wrong);
  owner_of_body(body);
  const std::string id = sort.id_prefix + platform.new_id(sort.component);
  return Response::json(
      200, shown_plain(platform, sort, request, create_asset(platform, sort.sort(), id, std::move(asset), body)));
}

Response change_plain(Platform& platform, const PlainAsset& sort, const Request& request) {
  const Json body = asset_body(request);
  const auto lock = platform.objects.lock();
  Json asset = known_asset(platform, sort.sort(), request.parameter("id"));
  take_plain(asset, sort, body);
  if (body.contains("owner")) asset["owner"] = owner_of_body(body);
  if (const std::string wrong = asset_complaint(platform, sort, asset); !wrong.empty())
    throw analytics_failure(400, "invalid_data", wrong);
  change_asset(platform, sort.sort(), asset);
  return Response::json(200, shown_plain(platform, sort, request, asset));
}

void add_plain_routes(AnalyticsRoutes& routes, Platform& platform, const PlainAsset& sort) {
  const std::string base = sort.path;
  routes.add("GET", base, [&platform, &sort](const Request& request) {
    const auto lock = platform.objects.lock();
    auto found = listed_assets(platform, request, sort.path, platform.objects.all(sort.sort().kind));
    const auto shown = [&](const Json& asset) { return shown_plain(platform, sort, request, asset); };
    if (!sort.needs_view || request.query_value("pagination").value_or("false") == "true")
      return asset_page(request, platform, std::move(found), shown);
    Json all = Json::array();  // of projects, everything at once unless pages are asked for
    for (const Json& asset : found) all.push_back(shown(asset));
    return Response::json(200, all);
  });
  routes.add("POST", base,
             [&platform, &sort](const Request& request) { return create_plain(platform, sort, request); });
  routes.add("GET", base + "/{id}", [&platform, &sort](const Request& request) {
    const auto lock = platform.objects.lock();
    return Response::json(
        200, shown_plain(platform, sort, request, known_asset(platform, sort.sort(), request.parameter("id"))));
  });
  routes.add("PUT", base + "/{id}",
             [&platform, &sort](const Request& request) { return change_plain(platform, sort, request); });
  routes.add("DELETE", base + "/{id}", [&platform, &sort](const Request& request) {
    const auto lock = platform.objects.lock();
    hide_asset(platform, sort.sort(), request.parameter("id"));
    return Response::json(200, {{"result", "success"}, {"message", "It was deleted"}});
  });
}

}  // namespace

void add_date_range_routes(AnalyticsRoutes& routes, Platform& platform) {
  add_plain_routes(routes, platform, kDateRanges);
}

void add_project_routes(AnalyticsRoutes& routes, Platform& platform) {
  routes.add("POST", std::string(kProjects.path) + "/validate", [&platform](const Request& request) {
    const Json body = asset_body(request);
    const Json project = body.value("project", Json());
    if (!project.is_object()) throw analytics_failure(400, "invalid_request", "project is required");
    const auto lock = platform.objects.lock();
    const std::string wrong = asset_complaint(platform, kProjects, project);
    return Response::json(200, {{"valid", wrong.empty()},
                                {"message", wrong.empty() ? "The project is valid" : wrong},
                                {"validatorVersion", "1.0.0"}});
  });
  add_plain_routes(routes, platform, kProjects);
}

}  // namespace emulator
