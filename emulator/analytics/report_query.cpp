#include "emulator/analytics/report_query.h"

#include <algorithm>

#include "emulator/analytics/components.h"
#include "emulator/analytics/segment_sql.h"

namespace emulator {
namespace {

constexpr const char* kVisitors = "metrics/visitors";
constexpr const char* kVisits = "metrics/visits";
constexpr const char* kOccurrences = "metrics/occurrences";

std::string session_gap(const Json& data_view) {
  const Json sessions = data_view.value("sessionDefinition", Json::array());
  if (sessions.empty() || sessions[0].value("func", "") != "inactivity") return "INTERVAL 30 MINUTE";
  return "INTERVAL " + std::to_string(sessions[0].value("numPeriods", 30)) + " " +
         sessions[0].value("granularity", "minute");
}

/// Local time of the event `e` cut to what a date dimension shows; "" for another dimension.
std::string date_value(const std::string& id, const std::string& zone) {
  static const std::map<std::string, std::pair<std::string, std::string>> kForms = {
      {"variables/daterangeminute", {"minute", "%H:%M %Y-%m-%d"}},
      {"variables/daterangehour", {"hour", "%H:00 %Y-%m-%d"}},
      {"variables/daterangeday", {"day", "%b %-d, %Y"}},
      {"variables/daterangeweek", {"week", "Week of %b %-d, %Y"}},
      {"variables/daterangemonth", {"month", "%b %Y"}},
      {"variables/daterangequarter", {"quarter", "%b %Y"}},
      {"variables/daterangeyear", {"year", "%Y"}}};
  const auto form = kForms.find(id);
  if (form == kForms.end()) return {};
  return "strftime(date_trunc('" + form->second.first + "', timezone(" + sql_text(zone) +
         ", timezone('UTC', e.ts)))::TIMESTAMP, '" + form->second.second + "')";
}

/// One report in the making: temporary tables of a session of its own.
class Computation {
 public:
  Computation(HeldRows& rows, const Database& database, const ReportSource& source, const ReportRequest& request,
              const Json& dimension, const std::vector<Json>& metrics, const std::vector<std::string>& shown)
      : rows_(rows),
        session_(database),
        source_(source),
        request_(request),
        dimension_(dimension),
        metrics_(metrics),
        shown_(shown),
        zone_(source.data_view["timezoneDesignator"]) {}

  ReportResult run() {
    read_events();
    count_people();
    ReportResult result;
    result.totals = numbers(columns_of("SELECT " + person_measures() + " FROM people"));
    result.filtered = result.totals;
    if (dimension_.is_null()) return result;
    const bool of_events = split();
    session_.run("CREATE TEMP TABLE shown AS SELECT value" + grouped(of_events) + " FROM x WHERE coalesce((" +
                 request_.condition + "), false) GROUP BY value");
    result.total_rows = session_.number("SELECT count(*) FROM shown");
    const std::string kept = " IN (SELECT %1 FROM x WHERE coalesce((" + request_.condition + "), false))";
    const auto with = [&](const std::string& key) {
      std::string text = kept;
      return key + text.replace(text.find("%1"), 2, key);
    };
    result.filtered =
        numbers(columns_of(of_events ? "SELECT " + event_measures() + " FROM events WHERE " + with("eid")
                                     : "SELECT " + person_measures() + " FROM people WHERE " + with("person")));
    page(result);
    return result;
  }

 private:
  bool needs_sessions() const {
    return !request_.segments.empty() ||
           std::any_of(metrics_.begin(), metrics_.end(), [](const Json& metric) { return metric["id"] == kVisits; });
  }

  static bool is_own(const Json& component) { return component.is_object() && !component["path"].is_null(); }
  static bool is_of_events(const Json& component) { return is_own(component) && component["dataset"].is_null(); }

  void read_events() {
    std::vector<Json> wanted;  // components of events that are needed, by column c0, c1, ...
    if (is_of_events(dimension_)) wanted.push_back(dimension_);
    for (const Json& metric : metrics_)
      if (is_of_events(metric)) wanted.push_back(metric);
    if (!request_.segments.empty())
      for (const ComponentKind kind : {ComponentKind::Dimension, ComponentKind::Metric})
        for (const Json& component : components_of(source_.data_view, kind))
          if (is_of_events(component)) wanted.push_back(component);
    std::vector<WantedField> fields{{"ts", "$.\"timestamp\"", WantedField::As::Time}};
    std::string columns;
    for (const Json& component : wanted) {
      const auto id = component["id"].get<std::string>();
      if (columns_.contains(id)) continue;
      columns_[id] = "c" + std::to_string(columns_.size());
      fields.push_back({columns_[id], component["container"], WantedField::As::Document});
      columns += ", " + columns_[id];
    }
    const auto moment = [&](const std::string& local) {
      return "epoch_ms(epoch_ms(timezone(" + sql_text(zone_) + ", TIMESTAMP " + sql_text(local) + ")))";
    };
    std::string all;
    for (const ReportSource::DataSet& events : source_.events) {
      std::vector<WantedField> own = fields;
      own.push_back(person_field(events.data_set));
      all += (all.empty() ? "" : " UNION ALL ") + std::string("SELECT * FROM (SELECT ") + person_sql(events.data_set) +
             " AS person, ts" + columns + " FROM (" + rows_.sql(events.batches, own) +
             ") WHERE NOT withdrawn AND ts >= " + moment(request_.from) + " AND ts < " + moment(request_.to) +
             ") WHERE coalesce(person, '') <> ''";
    }
    if (all.empty()) {
      all = "SELECT NULL::VARCHAR AS person, NULL::TIMESTAMP AS ts";
      for (const auto& [id, column] : columns_) all += ", NULL::VARCHAR AS " + column;
      all += " WHERE false";
    }
    const std::string session =
        needs_sessions() ? "sum(starts) OVER (PARTITION BY person ORDER BY ts ROWS UNBOUNDED PRECEDING)" : "1";
    const std::string starts = needs_sessions() ? "CASE WHEN ts - lag(ts) OVER (PARTITION BY person ORDER BY ts) <= " +
                                                      session_gap(source_.data_view) + " THEN 0 ELSE 1 END"
                                                : "1";
    session_.run("CREATE TEMP TABLE events AS SELECT *, row_number() OVER () AS eid, " + session +
                 " AS session FROM (SELECT *, " + starts + " AS starts FROM (" + all + "))");
    if (request_.segments.empty()) return;
    const SegmentSource source{[this](const std::string& name) { return people_with(name); },
                               [this](const std::string& name) { return event_value(name); },
                               [this](const std::string& name) { return added_by_event(name); }};
    std::string condition;
    for (const Json& definition : request_.segments)
      condition += (condition.empty() ? "" : " AND ") + ("(" + segment_condition(definition, source) + ")");
    session_.run("CREATE TEMP TABLE chosen AS SELECT * FROM events e WHERE " + condition +
                 "; DROP TABLE events; ALTER TABLE chosen RENAME TO events");
  }

  std::string people_with(const std::string& name) {
    const auto component = find_component(source_.data_view, ComponentKind::Dimension, name);
    if (!component) return {};
    if (component->at("id") == kPersonIdDimension) return "SELECT person, person AS value FROM events";
    return is_own(*component) && !is_of_events(*component) ? people_values_sql(rows_, source_, *component) : "";
  }

  std::string event_value(const std::string& name) const {
    const auto component = find_component(source_.data_view, ComponentKind::Dimension, name);
    if (!component) return {};
    if (is_of_events(*component) && !component->value("many", false))
      return component_values(*component, "e." + columns_.at((*component)["id"]), source_.array_cap);
    return date_value((*component)["id"], zone_);
  }

  std::string added_by_event(const std::string& name) const {
    const auto metric = find_component(source_.data_view, ComponentKind::Metric, name);
    if (!metric || !is_metric_of_events(*metric)) return {};
    return is_own(*metric) ? added(*metric) : "1";
  }

  /// What one event adds to an own metric.
  std::string added(const Json& metric) const {
    const std::string value = component_values(metric, "e." + columns_.at(metric["id"]), source_.array_cap);
    const auto type = metric["type"].get<std::string>();
    if (type == "integer" || type == "number") return "coalesce(try_cast(" + value + " AS DOUBLE), 0)";
    return "(SELECT CASE WHEN " + component_condition(metric) + " THEN 1 ELSE 0 END FROM (SELECT " + value +
           " AS value))";
  }

  void count_people() {
    std::string sums;
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      if (is_of_events(metrics_[i])) sums += ", sum(" + added(metrics_[i]) + ") AS q" + std::to_string(i);
    session_.run("CREATE TEMP TABLE people AS SELECT person, count(*) AS events, " +
                 std::string(needs_sessions() ? "count(DISTINCT session)" : "1") + " AS sessions" + sums +
                 " FROM events e GROUP BY person");
    if (source_.needs_event || !request_.segments.empty()) return;
    for (const ReportSource::DataSet& profiles : source_.profiles)
      session_.run("INSERT INTO people BY NAME SELECT DISTINCT person, 0 AS events, 0 AS sessions FROM (" +
                   current_people_sql(source_.rule, rows_.sql(profiles.batches, {person_field(profiles.data_set)}),
                                      person_sql(profiles.data_set)) +
                   ") WHERE person NOT IN (SELECT person FROM people)");
  }

  /// The columns of the report over a select of m0, m1, ...
  std::string columns_of(const std::string& measures) const {
    std::string sql;
    for (std::size_t i = 0; i < shown_.size(); ++i)
      sql += (sql.empty() ? "SELECT " : ", ") + shown_[i] + " AS v" + std::to_string(i);
    return sql + " FROM (" + measures + ")";
  }

  std::string person_measures() const {
    std::string sql;
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
      std::string measure = "sum(q" + std::to_string(i) + ")";
      if (metrics_[i]["id"] == kVisitors) measure = "count(*)";
      if (metrics_[i]["id"] == kVisits) measure = "sum(sessions)";
      if (metrics_[i]["id"] == kOccurrences) measure = "sum(events)";
      sql += (sql.empty() ? "" : ", ") + ("coalesce(" + measure + ", 0) AS m" + std::to_string(i));
    }
    return sql;
  }

  std::string event_measures() const {
    std::string sql;
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
      const Json& metric = metrics_[i];
      std::string measure;
      if (metric["id"] == kVisitors) measure = "count(DISTINCT person)";
      if (metric["id"] == kVisits) measure = "count(DISTINCT (person, session))";
      if (metric["id"] == kOccurrences) measure = "count(DISTINCT eid)";
      if (measure.empty())
        measure = "(SELECT coalesce(sum(v), 0) FROM (SELECT " + added(metric) + " AS v FROM events e))";
      sql += (sql.empty() ? "" : ", ") + measure + " AS m" + std::to_string(i);
    }
    return sql;
  }

  std::string grouped(bool of_events) const {
    if (!of_events) return ", " + person_measures();
    std::string sql;
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
      std::string measure = "sum(q" + std::to_string(i) + ")";
      if (metrics_[i]["id"] == kVisitors) measure = "count(DISTINCT person)";
      if (metrics_[i]["id"] == kVisits) measure = "count(DISTINCT (person, session))";
      if (metrics_[i]["id"] == kOccurrences) measure = "count(DISTINCT eid)";
      sql += ", " + measure + " AS m" + std::to_string(i);
    }
    return sql;
  }

  /// Makes the table `x`, one row for each person (or event) and value; says whether it is of events.
  bool split() {
    const auto id = dimension_["id"].get<std::string>();
    const bool nones = request_.nones == Nones::Include;
    std::string values;
    if (id == kPersonIdDimension) values = "SELECT person, person AS value FROM people";
    if (is_own(dimension_) && !is_of_events(dimension_)) values = people_values_sql(rows_, source_, dimension_);
    if (!values.empty()) {
      session_.run("CREATE TEMP TABLE x AS SELECT people.*, value FROM people JOIN (" + values + ") USING (person)");
      if (nones) session_.run("INSERT INTO x SELECT *, NULL FROM people WHERE person NOT IN (SELECT person FROM x)");
      return false;
    }
    std::string sums;
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      if (is_of_events(metrics_[i])) sums += ", " + added(metrics_[i]) + " AS q" + std::to_string(i);
    std::string value = date_value(id, zone_);
    if (value.empty()) {
      value = component_values(dimension_, "e." + columns_.at(id), source_.array_cap);
      if (dimension_.value("many", false)) value = "unnest(" + value + ")";
    }
    session_.run("CREATE TEMP TABLE x AS SELECT * FROM (SELECT person, eid, session" + sums + ", " + value +
                 " AS value FROM events e) WHERE " + component_condition(dimension_));
    if (nones)
      session_.run("INSERT INTO x SELECT person, eid, session" + sums +
                   ", NULL FROM events e WHERE eid NOT IN (SELECT eid FROM x)");
    return true;
  }

  std::vector<double> numbers(const std::string& sql) {
    std::vector<double> out;
    for (const Row& row : session_.rows(sql))
      for (const Cell& cell : row) out.push_back(cell ? std::stod(*cell) : 0);
    return out;
  }

  void page(ReportResult& result) {
    std::string columns;
    for (std::size_t i = 0; i < shown_.size(); ++i) columns += ", " + shown_[i] + " AS v" + std::to_string(i);
    const std::string order = request_.order.empty() ? "v0 DESC" : request_.order;
    const std::uint64_t first = request_.page * request_.limit;
    for (const Row& row :
         session_.rows("SELECT value, CASE WHEN value IS NULL THEN 0 ELSE hash(value) % 10000000000 + 1 END" + columns +
                       " FROM shown ORDER BY " + order + ", value NULLS LAST LIMIT " + std::to_string(request_.limit) +
                       " OFFSET " + std::to_string(first))) {
      ReportRow& one = result.rows.emplace_back();
      one.value = row[0];
      one.item = row[1].value_or("0");
      for (std::size_t i = 2; i < row.size(); ++i) one.data.push_back(row[i] ? std::stod(*row[i]) : 0);
    }
  }

  HeldRows& rows_;
  Connection session_;
  const ReportSource& source_;
  const ReportRequest& request_;
  const Json& dimension_;
  const std::vector<Json>& metrics_;
  const std::vector<std::string>& shown_;  // SQL over m0, m1, ...
  std::string zone_;
  std::map<std::string, std::string> columns_;  // of `events`, by component
};

}  // namespace

ReportResult run_report(HeldRows& rows, const Database& database, const ReportSource& source,
                        const ReportRequest& request, const Json& dimension, const std::vector<Json>& metrics,
                        const std::vector<std::string>& columns) {
  return Computation(rows, database, source, request, dimension, metrics, columns).run();
}

}  // namespace emulator
