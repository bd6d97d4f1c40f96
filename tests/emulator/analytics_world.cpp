#include "analytics_world.h"

#include <sstream>

namespace emulator {
namespace {

constexpr std::int64_t kDay = 86'400'000;

}  // namespace

void AnalyticsWorld::open() {
  analytics.emplace(*data.platform, *data.plane, events);
  analytics->add_routes(*data.router);
}

void AnalyticsWorld::restart() {
  analytics.reset();
  data.restart();
  open();
}

std::pair<int, Json> AnalyticsWorld::call(const std::string& method, const std::string& target, const Json& body) {
  const Response response = body.is_null() ? data.call(method, target) : data.call(method, target, body);
  return {response.status, Json::parse(response.body, nullptr, false)};
}

Json AnalyticsWorld::person(const Json& action) {
  const auto [status, body] = call("POST", "/_emulator/person", action);
  EXPECT_EQ(status, 200) << action << body;
  return body;
}

std::string AnalyticsWorld::refused(const Json& action) {
  const auto [status, body] = call("POST", "/_emulator/person", action);
  EXPECT_EQ(status, 400) << action << body;
  return body.value("error", "");
}

Json AnalyticsWorld::add(const std::string& dataset, const Json& more) {
  Json action = {{"do", "add_dataset_to_connection"}, {"connection", connection()}, {"dataset", dataset}};
  action.update(more);
  return person(action);
}

std::string AnalyticsWorld::component(const std::string& path, const Json& more) {
  Json action = {{"do", "add_component"}, {"data_view", view()}, {"path", path}};
  action.update(more);
  return person(action)["component"];
}

std::string AnalyticsWorld::ingest(const std::string& dataset,
                                   const std::map<std::string, std::vector<std::string>>& people) {
  std::string lines;
  for (const auto& [person_id, audiences] : people) lines += DataWorld::record(person_id, audiences);
  const std::string batch = data.ingest(dataset, {lines});
  EXPECT_EQ(data.settled(batch)["status"], "success");
  return batch;
}

void AnalyticsWorld::visit(const std::vector<std::string>& people, int days_ago, const std::string& page) {
  std::string lines;
  for (const std::string& person_id : people)
    lines += Json{{"_id", "visit-" + person_id + std::to_string(days_ago) + page},
                  {"timestamp", iso8601(data.platform->clock.now_ms() - days_ago * kDay)},
                  {"_demoemea", {{"identification", {{"core", {{"email", person_id}}}}}}},
                  {"web", {{"webPageDetails", {{"name", page}}}}}}
                 .dump() +
             "\n";
  const std::string batch = data.ingest(event_dataset(), {lines});
  const Json settled = data.settled(batch);
  EXPECT_EQ(settled["status"], "success") << settled;
}

std::string AnalyticsWorld::range(int first_day_ago, int last_day_ago) const {
  const std::int64_t now = data.platform->clock.now_ms();
  return iso8601(now - first_day_ago * kDay).substr(0, 10) + "T00:00:00.000/" +
         iso8601(now - last_day_ago * kDay).substr(0, 10) + "T23:59:59.999";
}

Json AnalyticsWorld::report(const std::string& dimension, const Json& more, const std::vector<std::string>& metrics) {
  Json body = {{"rsid", view()},
               {"dataId", view()},
               {"globalFilters", Json::array({{{"type", "dateRange"}, {"dateRange", range(60, 0)}}})},
               {"settings", {{"nonesBehavior", "exclude-nones"}, {"limit", 1000}}}};
  for (const std::string& metric : metrics)
    body["metricContainer"]["metrics"].push_back(
        {{"columnId", std::to_string(body["metricContainer"]["metrics"].size())}, {"id", metric}});
  if (!dimension.empty()) body["dimension"] = dimension;
  body.update(more);
  const auto [status, answer] = call("POST", "/reports", body);
  EXPECT_EQ(status, 200) << answer;
  return answer;
}

std::map<std::string, double> AnalyticsWorld::people(const std::string& dimension, const Json& more) {
  std::map<std::string, double> out;
  const Json answer = report(dimension, more);
  for (const Json& row : answer["rows"]) out[row["value"]] = row["data"][0];
  return out;
}

std::map<std::string, std::set<std::string>> AnalyticsWorld::held(const std::string& dataset,
                                                                  const std::string& query) {
  std::map<std::string, std::set<std::string>> out;
  for (const Json& line : data.lines("/_emulator/analytics/" + connection() + "?dataset=" + dataset + query)) {
    auto& ids = out[line["person"]];
    for (const Json& audience : line["audiences"]) ids.insert(audience["id"].get<std::string>());
  }
  return out;
}

}  // namespace emulator
