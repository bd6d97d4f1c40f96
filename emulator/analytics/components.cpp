#include "emulator/analytics/components.h"

#include <algorithm>

#include "emulator/analytics/connection_model.h"
#include "emulator/analytics/fields.h"
#include "emulator/auth/gateway.h"

namespace emulator {
namespace {

Json standard_component(const std::string& id, const std::string& name) {
  return {{"id", id}, {"name", name}, {"dataset", nullptr}, {"path", nullptr}, {"type", "string"}, {"many", false}};
}

const std::vector<Json>& standard_components(ComponentKind kind) {
  static const std::vector<Json> kDimensions{standard_component("variables/daterangeday", "Day"),
                                             standard_component("variables/daterangehour", "Hour"),
                                             standard_component("variables/daterangeminute", "Minute"),
                                             standard_component("variables/daterangemonth", "Month"),
                                             standard_component("variables/daterangequarter", "Quarter"),
                                             standard_component("variables/daterangeweek", "Week"),
                                             standard_component("variables/daterangeyear", "Year")};
  static const std::vector<Json> kMetrics{standard_component("metrics/occurrences", "Events"),
                                          standard_component("metrics/visitors", "People"),
                                          standard_component("metrics/visits", "Sessions")};
  return kind == ComponentKind::Dimension ? kDimensions : kMetrics;
}

const char* prefix_of(ComponentKind kind) { return kind == ComponentKind::Dimension ? "variables/" : "metrics/"; }

std::string api_type(const std::string& type) {
  if (type == "integer") return "INT";
  if (type == "number") return "DECIMAL";
  if (type == "boolean") return "BOOLEAN";
  return "STRING";
}

/// As live answers show the function list of a component.
Json definition_of(const Json& component) {
  Json list = Json::array({{{"func", "raw-field"},
                            {"id", component["path"]},
                            {"field", component["path"]},
                            {"label", component.value("title", "")}}});
  if (component.value("delimiter", "") != "")
    list.push_back({{"func", "split"}, {"delimiter", component["delimiter"]}, {"result", "array"}});
  return list;
}

Json include_rules(const Json& component) {
  const Json values = component.value("include", Json::array());
  Json rules = Json::array();
  for (const Json& value : values) rules.push_back({{"clause", "equals"}, {"value", value}});
  return {{"enabled", !values.empty()}, {"caseSensitive", true}, {"match", "or"}, {"type", "string"}, {"rules", rules}};
}

}  // namespace

const Json& known_data_view(const Platform& platform, const std::string& id) {
  const Json* view = platform.objects.find(kDataViewKind, id);
  if (view == nullptr) throw analytics_failure(404, "resource_not_found", "Unable to find Data View ID " + id);
  return *view;
}

bool is_metric_of_events(const Json& component) {
  return component["id"] == "metrics/occurrences" || (!component["path"].is_null() && component["dataset"].is_null());
}

bool component_denied(const Settings& settings, const Json& data_view, const Json& component) {
  const std::string id = component["id"];
  const bool metric = id.starts_with("metrics/");
  const std::string path =
      "/data/dataviews/" + data_view["id"].get<std::string>() + (metric ? "/metrics/" : "/dimensions/");
  return is_denied(settings, "GET", path + id) || is_denied(settings, "GET", path + id.substr(id.find('/') + 1));
}

std::vector<Json> components_of(const Json& data_view, ComponentKind kind) {
  std::vector<Json> all = standard_components(kind);
  const std::string prefix = prefix_of(kind);
  for (const Json& component : data_view["_emulator"].value("components", Json::array()))
    if (component["id"].get<std::string>().starts_with(prefix)) all.push_back(component);
  std::sort(all.begin(), all.end(), [](const Json& a, const Json& b) { return a["id"] < b["id"]; });
  return all;
}

std::optional<Json> find_component(const Json& data_view, ComponentKind kind, const std::string& id) {
  const std::string prefix = prefix_of(kind);
  // Clients name the person id in two ways.
  if (kind == ComponentKind::Dimension && id == prefix + "adobe_identitynamespace_personid")
    return find_component(data_view, kind, kPersonIdDimension);
  for (Json& component : components_of(data_view, kind))
    if (component["id"] == id || component["id"] == prefix + id) return std::move(component);
  return std::nullopt;
}

void Components::add_routes(AnalyticsRoutes& routes) {
  const std::string base = "/data/dataviews/{view}/";
  for (const auto& [name, kind] :
       {std::pair("dimensions", ComponentKind::Dimension), std::pair("metrics", ComponentKind::Metric)}) {
    const std::string path = base + name;
    const std::string why = std::string(name) + " of a data view are chosen in the user interface only";
    routes.add("GET", path, [this, kind = kind](const Request& r) { return list(r, kind); });
    routes.add("GET", path + "/{id...}", [this, kind = kind](const Request& r) { return one(r, kind); });
    routes.refuse_writes(path, why);
    routes.refuse_writes(path + "/{id...}", why);
  }
}

bool Components::has_data(const Json& connection, const Json& component) const {
  if (component["path"].is_null()) return true;
  Connection session(world_.database());
  for (const Json& data_set : connection["dataSets"]) {
    const bool its_own =
        component["dataset"].is_null() ? data_set["type"] == "event" : data_set["dataSetId"] == component["dataset"];
    if (!its_own) continue;
    std::vector<HeldBatch> batches = held_batches(platform_, lake_, data_set, Delays::Wait);
    std::erase_if(batches, [](const HeldBatch& batch) { return batch.withdrawn; });
    const std::string rows = rows_.sql(batches, {{"value", component["container"], WantedField::As::Document}});
    const std::string found =
        "SELECT 1 FROM (" + rows + ") WHERE coalesce(value, 'null') NOT IN ('null', '[]', '\"\"') LIMIT 1";
    if (session.number(found) > 0) return true;
  }
  return false;
}

Json Components::shown(const Expansion& expansion, const Json& data_view, const Json& component) const {
  static const std::map<std::string, std::vector<std::string>> kMembers = [] {
    std::map<std::string, std::vector<std::string>> members;
    for (const char* name : {"approved",
                             "favorite",
                             "tags",
                             "usageSummary",
                             "description",
                             "sourceFieldId",
                             "segmentable",
                             "required",
                             "hideFromReporting",
                             "hidden",
                             "includeExcludeSetting",
                             "fieldDefinition",
                             "storageId",
                             "tableName",
                             "dataSetIds",
                             "dataSetType",
                             "type",
                             "schemaPath",
                             "hasData",
                             "sourceFieldName",
                             "schemaType",
                             "sourceFieldType",
                             "fromGlobalLookup",
                             "multiValued",
                             "precision",
                             "bucketingSetting",
                             "noValueOptionsSetting",
                             "defaultDimensionSort",
                             "persistenceSetting",
                             "countType",
                             "formatSetting",
                             "attributionSetting"})
      members[name] = {name};
    // Live answers carry these two beside what they were asked for.
    members["favorite"].emplace_back("sharedComponent");
    members["countType"].emplace_back("derivedFieldCompatible");
    return members;
  }();
  const Json* connection = find_connection(platform_, data_view["parentDataGroupId"]);
  const bool metric = component["id"].get<std::string>().starts_with("metrics/");
  const bool own = !component["path"].is_null();
  Json data_sets = Json::array();
  std::string type = "event";
  if (connection != nullptr && own) {
    for (const Json& data_set : (*connection)["dataSets"]) {
      if (component["dataset"].is_null() ? data_set["type"] == "event"
                                         : data_set["dataSetId"] == component["dataset"]) {
        data_sets.push_back(data_set["dataSetId"]);
        type = data_set["type"];
      }
    }
    if (data_sets.empty() && component["dataset"].is_string()) {  // taken out of the connection since
      data_sets.push_back(component["dataset"]);
      type = component.value("dataset_type", "profile");
    }
  }
  Json whole = {{"id", component["id"]},
                {"name", component["name"]},
                {"description", component.value("description", "")},
                {"type", metric ? "INT" : api_type(component["type"])},
                {"approved", false},
                {"favorite", false},
                {"sharedComponent", false},
                {"tags", Json::array()},
                {"hidden", false},
                {"hideFromReporting", false},
                {"required", component["id"] == "metrics/visitors" || component["id"] == "metrics/visits" ||
                                 component["id"] == "metrics/occurrences"},
                {"segmentable", true},
                {"fromGlobalLookup", false},
                {"dataSetIds", data_sets},
                {"dataSetType", type},
                {"multiValued", component.value("many", false)},
                {"includeExcludeSetting", include_rules(component)},
                {"sourceFieldType", own ? "custom" : "standard"},
                {"persistenceSetting", {{"enabled", false}}}};
  if (own) {
    whole.update({{"schemaPath", component["path"]},
                  {"schemaType", component["type"]},
                  {"sourceFieldId", component["path"]},
                  {"sourceFieldName", component.value("title", "")},
                  {"fieldDefinition", definition_of(component)}});
  }
  if (metric) {
    whole.update({{"derivedFieldCompatible", true},
                  {"countType", own ? "values" : "instances"},
                  {"precision", 0},
                  {"formatSetting", {{"polarity", "positive"}, {"formatType", "decimal"}, {"decimalPlaces", 0}}},
                  {"attributionSetting", {{"enabled", false}}}});
  } else {
    whole.update({{"bucketingSetting", {{"enabled", false}, {"bucketSettings", Json::array()}}},
                  {"noValueOptionsSetting", {{"noneSettingType", "show-no-value"}, {"customNoneValue", "No value"}}}});
  }
  if (expansion.has("hasData")) whole["hasData"] = connection != nullptr && has_data(*connection, component);
  return expansion.of(whole, {"id", "name"}, kMembers);
}

Response Components::list(const Request& request, ComponentKind kind) {
  const Expansion expansion(request);
  const auto lock = platform_.objects.lock();
  const Json& view = known_data_view(platform_, request.parameter("view"));
  std::vector<Json> all = components_of(view, kind);
  std::erase_if(all, [&](const Json& component) { return component_denied(platform_.settings, view, component); });
  // The service answers everything on one page unless it is asked for pages.
  Request paged = request;
  if (!request.query_value("limit"))
    paged.query.emplace_back("limit", std::to_string(std::clamp<std::size_t>(all.size(), 1, 1000)));
  return Response::json(200, analytics_page(paged, platform_.settings, std::move(all),
                                            [&](const Json& component) { return shown(expansion, view, component); }));
}

Response Components::one(const Request& request, ComponentKind kind) {
  const auto lock = platform_.objects.lock();
  const Json& view = known_data_view(platform_, request.parameter("view"));
  const auto component = find_component(view, kind, request.parameter("id"));
  if (component && component_denied(platform_.settings, view, *component))
    throw analytics_failure(403, "insufficient_access", "User is not authorized to perform this action");
  if (!component)
    throw analytics_failure(404, "resource_not_found",
                            "Data View " + request.parameter("view") + " has no component " + request.parameter("id"));
  return Response::json(200, shown(Expansion(request), view, *component));
}

}  // namespace emulator
