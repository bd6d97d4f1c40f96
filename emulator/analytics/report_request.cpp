#include "emulator/analytics/report_request.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "emulator/analytics/assets.h"
#include "emulator/analytics/components.h"
#include "emulator/analytics/search_clause.h"

namespace emulator {
namespace {

constexpr std::uint64_t kMostRows = 50'000;
constexpr std::size_t kMostMetrics = 20;
constexpr double kMostDays = 18 * 31;

HttpError bad_report(const std::string& why) { return analytics_failure(400, "invalid_request", why); }

/// DATE_RANGE and dateRange are the same.
std::string plain_word(const std::string& word) {
  std::string out;
  for (const char c : word)
    if (c != '_') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Days since 1970-01-01 of a proleptic Gregorian date.
std::int64_t day_number(int year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto of_era = static_cast<std::int64_t>(year) - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct LocalMoment {
  std::int64_t ms = 0;  // since 1970 in the zone of the data view
  bool day_only = false;
};

LocalMoment read_moment(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, milli = 0, used = 0;
  const int date = std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used);
  bool good = date == 3 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  const bool day_only = good && used == static_cast<int>(text.size());
  if (good && !day_only) {
    int more = 0;
    const char* rest = text.c_str() + used;
    const int parts = std::sscanf(rest, "T%2d:%2d%n:%2d%n.%3d%n", &hour, &minute, &more, &second, &more, &milli, &more);
    good = parts >= 2 && more == static_cast<int>(text.size()) - used && hour < 24 && minute < 60 && second < 61;
  }
  if (!good) throw bad_report("'" + text + "' is not a time; write 2026-05-01T00:00:00.000");
  return {((day_number(year, month, day) * 24 + hour) * 60 + minute) * 60'000 + second * 1000 + milli, day_only};
}

void read_range(const std::string& text, ReportRequest& report) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) throw bad_report("dateRange '" + text + "' is not START/END");
  const std::int64_t from = read_moment(text.substr(0, slash)).ms;
  const LocalMoment end = read_moment(text.substr(slash + 1));
  // A last day belongs to the range; so does the last millisecond of one that ends at .999.
  const std::int64_t to = end.day_only ? end.ms + 86'400'000 : end.ms + (end.ms % 1000 == 999 ? 1 : 0);
  if (to <= from) throw bad_report("dateRange '" + text + "' ends before it begins");
  report.from = iso8601(from).substr(0, 23);
  report.to = iso8601(to).substr(0, 23);
  report.days = static_cast<double>(to - from) / 86'400'000.0;
  if (report.days > kMostDays) throw bad_report("The date range is longer than 18 months");
}

void read_filter(const Platform& platform, const Json& filter, ReportRequest& report) {
  if (!filter.is_object()) throw bad_report("Each of globalFilters must be an object");
  const std::string type = plain_word(filter.value("type", ""));
  if (type == "daterange") {
    if (!filter.contains("dateRange") || !filter["dateRange"].is_string())
      throw bad_report("A filter of type dateRange needs a dateRange");
    read_range(filter["dateRange"], report);
  } else if (type == "segment") {
    if (filter.contains("segmentDefinition")) {
      const Json& given = filter["segmentDefinition"];
      report.segments.push_back(given.is_string() ? Json::parse(given.get<std::string>()) : given);
      return;
    }
    const std::string id = filter.value("segmentId", "");
    const Json* segment = platform.objects.find(kSegmentKind, id);
    if (segment == nullptr)
      throw analytics_failure(400, "invalid_segment_ids_found", "Segment '" + id + "' does not exist");
    report.segments.push_back((*segment)["definition"]);
  } else {
    throw bad_report("A filter of type '" + filter.value("type", "") + "' is not supported");
  }
}

/// The definition a calculated metric is computed by; null for a metric of the data view.
Json formula_of(const Platform& platform, const Json& metric, const std::string& id) {
  if (metric.contains("metricDefinition")) return metric["metricDefinition"];
  const Json* calculated = platform.objects.find(kCalculatedMetricKind, id);
  return calculated == nullptr ? Json() : (*calculated)["definition"];
}

void read_metrics(const Platform& platform, const Json& body, ReportRequest& report) {
  const Json list = body.value("metricContainer", Json::object()).value("metrics", Json::array());
  if (!list.is_array() || list.empty()) throw bad_report("metricContainer.metrics is empty");
  if (list.size() > kMostMetrics) throw bad_report("A report has at most 20 metrics");
  for (const Json& metric : list) {
    const std::string id = metric.value("id", "");
    if (id.empty()) throw bad_report("A metric has no id");
    if (!metric.value("filters", Json::array()).empty())
      throw bad_report("Filters of single metrics are not supported; filter the whole report");
    const Json column = metric.value("columnId", Json(std::to_string(report.metrics.size())));
    report.metrics.push_back(
        {column.is_string() ? column.get<std::string>() : column.dump(), id, formula_of(platform, metric, id)});
    const std::string sort = metric.value("sort", "");
    if (!sort.empty() && report.order.empty())
      report.order = "v" + std::to_string(report.metrics.size() - 1) + (plain_word(sort) == "asc" ? " ASC" : " DESC");
  }
}

std::uint64_t read_setting(const Json& settings, const char* name, std::uint64_t otherwise, std::uint64_t most) {
  if (!settings.contains(name)) return otherwise;
  const Json& value = settings[name];
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most)
    throw bad_report(std::string("settings.") + name + " " + value.dump() + " is not possible; at most " +
                     std::to_string(most));
  return value.get<std::uint64_t>();
}

/// The dimension by either of the forms of a request; "" for totals only.
std::string dimension_of(const Json& body) {
  const Json list = body.value("dimensions", Json::array());
  if (!list.is_array()) throw bad_report("dimensions must be a list");
  if (list.empty()) return body.value("dimension", "");
  if (list.size() > 1) throw bad_report("More than one dimension is not supported");
  const std::string id = list[0].value("id", "");
  if (id.empty()) throw bad_report("A dimension has no id");
  return id;
}

}  // namespace

ReportRequest read_report_request(const Platform& platform, const Json& body) {
  if (!body.is_object()) throw analytics_failure(400, "invalid_json_input", "The body must be a JSON object");
  ReportRequest report;
  report.data_view = body.value("rsid", body.value("dataId", ""));
  if (report.data_view.empty()) throw bad_report("rsid is missing");
  if (body.contains("dataId") && body["dataId"] != report.data_view) throw bad_report("rsid and dataId differ");
  known_data_view(platform, report.data_view);
  report.dimension = dimension_of(body);
  read_metrics(platform, body, report);
  for (const Json& filter : body.value("globalFilters", Json::array())) read_filter(platform, filter, report);
  if (report.from.empty()) throw bad_report("globalFilters has no dateRange");
  report.condition = search_condition(body.value("search", Json::object()).value("clause", ""));

  const Json settings = body.value("settings", Json::object());
  report.limit = read_setting(settings, "limit", report.limit, kMostRows);
  if (report.limit == 0) throw bad_report("settings.limit must be at least 1");
  report.page = read_setting(settings, "page", 0, 1'000'000);
  const std::string nones = settings.value("nonesBehavior", "return-nones");
  if (nones != "exclude-nones" && nones != "return-nones")
    throw bad_report("settings.nonesBehavior '" + nones + "' is not possible; write exclude-nones or return-nones");
  report.nones = nones == "exclude-nones" ? Nones::Exclude : Nones::Include;
  if (settings.contains("dimensionSort"))
    report.order = settings["dimensionSort"] == "asc" ? "value ASC" : "value DESC";
  return report;
}

std::chrono::milliseconds report_time(const Settings& settings, const ReportRequest& request) {
  const double rows = static_cast<double>(std::min<std::uint64_t>(request.limit, 1000));
  const double share = request.days / 30.0 * (1 + rows / 1000.0) / 2;
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(settings.report_duration.count()) * share));
}

}  // namespace emulator
