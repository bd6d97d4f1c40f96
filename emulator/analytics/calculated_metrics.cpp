#include "emulator/analytics/calculated_metrics.h"

#include <algorithm>

#include "emulator/analytics/components.h"
#include "emulator/analytics/metric_formula.h"
#include "emulator/analytics/users.h"

namespace emulator {
namespace {

constexpr const char* kMetricsPath = "/calculatedmetrics";
constexpr std::size_t kMostMetricsOfOrganization = 50'000;

const AssetSort& metric_sort() { return *asset_sort("calculatedMetric"); }

HttpError bad_metric(const std::string& why) { return analytics_failure(400, "invalid_data", why); }

/// What the formula is made of; throws a 400 unless everything in it is in the data view.
FormulaParts checked_formula(const Json& definition, const Json& view) {
  if (!definition.is_object()) throw bad_metric("definition must be formatted as a JSON Object");
  FormulaParts parts = formula_parts(definition);
  for (const std::string& id : parts.metrics)
    if (!find_component(view, ComponentKind::Metric, id))
      throw bad_metric("The metric '" + id + "' is not in the data view");
  return parts;
}

Json compatibility(bool valid, const std::string& message, const FormulaParts& parts) {
  Json metrics = Json::array();
  for (const std::string& id : parts.metrics) metrics.push_back({{"identity", id}});
  return {{"valid", valid},
          {"message", message},
          {"identityMetrics", std::move(metrics)},
          {"identityDimensions", Json::array()},
          {"functions", parts.functions},
          {"segments", Json::array()},
          {"validator_version", "1.0.0"},
          {"supported_products", Json::array()},
          {"supported_schema", Json::array()}};
}

/// The verdict on a definition, which never fails.
Json judged(const Json& definition, const Json* view) {
  FormulaParts parts;
  try {
    if (definition.is_object()) parts = formula_parts(definition);
    if (view == nullptr) throw bad_metric("Unable to find the data view");
    checked_formula(definition, *view);
  } catch (const HttpError& refusal) {
    return compatibility(false, Json::parse(refusal.response.body)["errorDescription"], parts);
  }
  return compatibility(true, "The calculated metric is valid", parts);
}

/// Requests may shout type and polarity; answers do not.
std::string known_word(const Json& body, const char* name, const std::string& otherwise,
                       std::initializer_list<const char*> words) {
  if (!body.contains(name) || body[name].is_null()) return otherwise;
  auto word = body[name].get<std::string>();
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  if (std::none_of(words.begin(), words.end(), [&](const char* one) { return word == one; }))
    throw bad_metric(std::string(name) + " '" + body[name].get<std::string>() + "' is not possible");
  return word;
}

void take_settings(Json& metric, const Json& body) {
  metric["type"] =
      known_word(body, "type", metric.value("type", "decimal"), {"currency", "time", "decimal", "percent"});
  metric["polarity"] = known_word(body, "polarity", metric.value("polarity", "positive"), {"positive", "negative"});
  const Json precision = body.value("precision", metric.value("precision", Json(0)));
  if (!precision.is_number_integer() || precision < 0 || precision > 10)
    throw bad_metric("precision must be between 0 and 10");
  metric["precision"] = precision;
}

void require_whole(const Json& body) {
  if (body.value("name", "").empty() || data_id_of(body).empty() || !body.contains("definition"))
    throw bad_metric("name, dataId, and definition are all required");
}

}  // namespace

void CalculatedMetrics::add_routes(AnalyticsRoutes& routes) {
  const std::string base = kMetricsPath;
  routes.add("GET", base, [this](const Request& r) { return list(r); });
  routes.add("POST", base, [this](const Request& r) { return create(r); });
  routes.add("POST", base + "/validate", [this](const Request& r) { return validate(r); });
  routes.add("GET", base + "/functions", [](const Request&) { return Response::json(200, Json(formula_functions())); });
  routes.add("GET", base + "/functions/{id}", [](const Request& request) {
    for (const Json& one : formula_functions())
      if (one["id"] == request.parameter("id")) return Response::json(200, one);
    throw analytics_failure(404, "resource_not_found", "Unable to find function " + request.parameter("id"));
  });
  routes.add("GET", base + "/{id}", [this](const Request& r) { return one(r); });
  routes.add("PUT", base + "/{id}", [this](const Request& r) { return change(r); });
  routes.add("DELETE", base + "/{id}", [this](const Request& r) { return remove(r); });
}

Json CalculatedMetrics::answer(const Request& request, const Json& metric) const {
  static const std::map<std::string, std::vector<std::string>> kMembers = [] {
    std::map<std::string, std::vector<std::string>> members;
    for (const char* name : {"definition", "isDeleted", "tags", "shares", "approved", "favorite", "dataName",
                             "ownerFullName", "compatibility", "internal"})
      members[name] = {name};
    members["modified"] = {"modified", "modifiedDate", "modifiedBy"};
    return members;
  }();
  Json whole = whole_asset(platform_, metric_sort(), metric);
  const Expansion expansion(request);
  if (expansion.has("compatibility"))
    whole["compatibility"] = judged(metric["definition"], platform_.objects.find(kDataViewKind, metric["dataId"]));
  return expansion.of(whole, {"id", "name", "description", "dataId", "rsid", "owner", "polarity", "precision", "type"},
                      kMembers);
}

Response CalculatedMetrics::list(const Request& request) {
  const auto lock = platform_.objects.lock();
  const auto& objects =
      copy_.objects(platform_, request, [this] { return platform_.objects.all(kCalculatedMetricKind); });
  return asset_page(request, platform_, listed_assets(platform_, request, kMetricsPath, objects),
                    [&](const Json& metric) { return answer(request, metric); });
}

Response CalculatedMetrics::one(const Request& request) {
  const auto lock = platform_.objects.lock();
  return Response::json(200, answer(request, known_asset(platform_, metric_sort(), request.parameter("id"))));
}

Response CalculatedMetrics::create(const Request& request) {
  const Json body = asset_body(request);
  require_whole(body);
  const auto lock = platform_.objects.lock();
  const std::string view = data_id_of(body);
  checked_formula(body["definition"], known_data_view(platform_, view));
  if (platform_.objects.all(kCalculatedMetricKind).size() >= kMostMetricsOfOrganization)
    throw bad_metric("The organization has 50000 calculated metrics already");
  Json metric = {{"name", body["name"]},
                 {"description", body.value("description", "")},
                 {"dataId", view},
                 {"rsid", view},
                 {"definition", body["definition"]},
                 {"approved", false},
                 {"favorite", false}};
  take_settings(metric, body);
  owner_of_body(body);  // before an id is used up
  const std::string id = "cm300000022_" + platform_.new_id("calculated metric");
  return Response::json(200, answer(request, create_asset(platform_, metric_sort(), id, std::move(metric), body)));
}

Response CalculatedMetrics::change(const Request& request) {
  const Json body = asset_body(request);
  const auto lock = platform_.objects.lock();
  Json metric = known_asset(platform_, metric_sort(), request.parameter("id"));
  for (const char* name : {"name", "description", "definition"})
    if (body.contains(name)) metric[name] = body[name];
  if (body.contains("owner")) metric["owner"] = owner_of_body(body);
  if (!data_id_of(body).empty()) metric["dataId"] = metric["rsid"] = data_id_of(body);
  require_whole(metric);
  take_settings(metric, body);
  checked_formula(metric["definition"], known_data_view(platform_, metric["dataId"]));
  change_asset(platform_, metric_sort(), metric);
  return Response::json(200, answer(request, metric));
}

Response CalculatedMetrics::remove(const Request& request) {
  const auto lock = platform_.objects.lock();
  hide_asset(platform_, metric_sort(), request.parameter("id"));
  return Response::json(200, {{"result", "success"}, {"message", "The calculated metric was deleted"}});
}

Response CalculatedMetrics::validate(const Request& request) {
  const Json body = asset_body(request);
  require_whole(body);
  const auto lock = platform_.objects.lock();
  return Response::json(200, judged(body["definition"], platform_.objects.find(kDataViewKind, data_id_of(body))));
}

}  // namespace emulator
