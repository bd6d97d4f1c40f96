#include "emulator/analytics/reports.h"

#include "emulator/analytics/components.h"
#include "emulator/analytics/metric_formula.h"
#include "emulator/data/errors.h"
#include "emulator/http/errors.h"

namespace emulator {
namespace {

constexpr int kAttempts = 3;

Json column_error(const std::string& column, const std::string& code, const std::string& id) {
  return {{"columnId", column}, {"errorCode", code}, {"errorId", code + "-" + column}, {"errorDescription", id}};
}

/// Numbers as the service writes them: whole ones without a fraction.
Json plain_number(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) == value ? Json(whole) : Json(value);
}

Json plain_numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(plain_number(value));
  return list;
}

Json report_body(const ReportRequest& request, const ReportResult& result, Json columns) {
  const std::uint64_t pages = (result.total_rows + request.limit - 1) / request.limit;
  Json rows = Json::array();
  for (const ReportRow& row : result.rows)
    rows.push_back(
        {{"itemId", row.item}, {"value", row.value.value_or("No value")}, {"data", plain_numbers(row.data)}});
  return {
      {"totalPages", pages},
      {"firstPage", request.page == 0},
      {"lastPage", request.page + 1 >= pages},
      {"numberOfElements", result.rows.size()},
      {"number", request.page},
      {"totalElements", result.total_rows},
      {"columns", std::move(columns)},
      {"rows", std::move(rows)},
      {"summaryData", {{"totals", plain_numbers(result.totals)}, {"filteredTotals", plain_numbers(result.filtered)}}}};
}

}  // namespace

void Reports::add_routes(AnalyticsRoutes& routes) {
  routes.add("POST", "/reports", [this](const Request& r) { return report(r); });
  routes.add("GET", "/reports/topItems", [this](const Request& r) { return top_items(r); });
}

Json Reports::answer(const Json& body) {
  for (int attempt = 1;; ++attempt) {
    ReportRequest request;
    ReportSource source;
    {
      const auto lock = platform_.objects.lock();
      request = read_report_request(platform_, body);
      const Settings& settings = platform_.settings;
      if (settings.report_cutoff.count() > 0 && report_time(settings, request) > settings.report_cutoff)
        throw HttpError{gateway_error("504001", "Gateway timeout")};
      source = report_source(platform_, lake_, known_data_view(platform_, request.data_view));
    }
    Json columns = {{"columnIds", Json::array()}};
    Json errors = Json::array();
    Json dimension;
    if (!request.dimension.empty()) {
      columns["dimension"] = {{"id", request.dimension}, {"type", "STRING"}};
      if (auto found = find_component(source.data_view, ComponentKind::Dimension, request.dimension))
        dimension = std::move(*found);
    }
    const auto denied = [&](const Json& component) {
      const auto lock = platform_.objects.lock();
      return component_denied(platform_.settings, source.data_view, component);
    };
    std::vector<Json> metrics;                // of the data view, each once
    std::map<std::string, std::string> used;  // their names in SQL
    std::vector<std::string> shown;           // columns in SQL
    for (const ReportMetric& asked : request.metrics) {
      columns["columnIds"].push_back(asked.column);
      const std::size_t before = errors.size();
      std::vector<std::string> wanted{asked.id};
      if (!asked.formula.is_null()) wanted = formula_parts(asked.formula).metrics;
      for (const std::string& id : wanted) {
        if (used.contains(id) || errors.size() > before) continue;
        auto metric = find_component(source.data_view, ComponentKind::Metric, id);
        if (!metric || denied(*metric)) {
          errors.push_back(column_error(asked.column, "unauthorized_metric",
                                        id + (metric ? " is forbidden" : " is not in the data view")));
        } else if (metric->at("dataset").is_string()) {
          errors.push_back(column_error(asked.column, "not_enabled_metric", id + " is no metric of events"));
        } else {
          used[id] = "m" + std::to_string(metrics.size());
          metrics.push_back(std::move(*metric));
        }
      }
      if (errors.size() == before && !request.dimension.empty() && dimension.is_null())
        errors.push_back(
            column_error(asked.column, "unauthorized_dimension", request.dimension + " is not in the data view"));
      else if (errors.size() == before && !dimension.is_null() && denied(dimension))
        errors.push_back(column_error(asked.column, "unauthorized_dimension", request.dimension + " is forbidden"));
      if (errors.size() > before) continue;
      shown.push_back(asked.formula.is_null()
                          ? used.at(asked.id)
                          : formula_sql(asked.formula, [&](const std::string& id) { return used.at(id); }));
    }
    if (!errors.empty()) {
      columns["columnErrors"] = std::move(errors);
      ReportResult nothing;
      nothing.totals.resize(request.metrics.size());
      nothing.filtered = nothing.totals;
      return report_body(request, nothing, std::move(columns));
    }
    try {
      const ReportResult result = run_report(rows_, world_.database(), source, request, dimension, metrics, shown);
      return report_body(request, result, std::move(columns));
    } catch (const DatabaseError&) {
      if (attempt == kAttempts) throw;  // else: files of a batch that went meanwhile
    }
  }
}

Response Reports::report(const Request& request) {
  return Response::json(
      200, answer(json_body(request, analytics_failure(400, "invalid_json_input", "The body is not valid JSON"))));
}

Response Reports::top_items(const Request& request) {
  const auto view = request.query_value("dataId");
  const auto dimension = request.query_value("dimension");
  if (!view || !dimension) throw analytics_failure(400, "invalid_request", "dataId and dimension are required");
  const std::int64_t now = platform_.clock.now_ms();
  constexpr std::int64_t kDay = 86'400'000;
  std::string range = iso8601(now - 90 * kDay).substr(0, 10) + "/" + iso8601(now).substr(0, 10);
  if (const auto given = request.query_value("dateRange")) range = *given;
  const std::uint64_t limit = number_parameter(request, "limit", 10);
  if (limit < 1 || limit > 1000) throw analytics_failure(400, "invalid_parameters", "limit must be between 1 and 1000");
  const bool nones = request.query_value("lookupNoneValues").value_or("true") == "true";
  Json page =
      answer({{"rsid", *view},
              {"dimension", *dimension},
              {"globalFilters", Json::array({{{"type", "dateRange"}, {"dateRange", range}}})},
              {"metricContainer",
               {{"metrics", Json::array({{{"columnId", "0"}, {"id", "metrics/occurrences"}, {"sort", "desc"}}})}}},
              {"search", {{"clause", request.query_value("search-clause").value_or("")}}},
              {"settings",
               {{"limit", limit},
                {"page", number_parameter(request, "page", 0)},
                {"nonesBehavior", nones ? "return-nones" : "exclude-nones"}}}});
  if (page["columns"].contains("columnErrors"))
    throw analytics_failure(404, "resource_not_found", "Data View " + *view + " has no dimension " + *dimension);
  for (Json& row : page["rows"]) row.erase("data");
  page["dimension"] = page["columns"]["dimension"];
  page.erase("columns");
  page.erase("summaryData");
  return Response::json(200, page);
}

}  // namespace emulator
