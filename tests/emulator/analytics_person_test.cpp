#include <gmock/gmock.h>

#include "analytics_world.h"
#include "emulator/emulator.h"

namespace emulator {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(AnalyticsPersonTest, CannotDoNonsense) {
  AnalyticsWorld world;
  const std::string c = world.connection();
  const std::string v = world.view();
  const std::string dataset = world.data.target_dataset();
  const std::string staging = world.data.union_dataset();
  world.add(dataset);
  const auto adding = [&](const std::string& what, const Json& more) {
    Json action = {{"do", "add_dataset_to_connection"}, {"connection", c}, {"dataset", what}};
    action.update(more);
    return world.refused(action);
  };
  EXPECT_THAT(world.refused({{"do", "fly"}}), HasSubstr("nobody can 'fly'"));
  EXPECT_THAT(world.refused(Json::object()), HasSubstr("'do' is missing"));
  EXPECT_THAT(adding(dataset, Json::object()), HasSubstr("already"));
  EXPECT_THAT(adding("nothing", Json::object()), HasSubstr("no data set 'nothing'"));
  EXPECT_THAT(adding(staging, {{"connection", "dg_nothing"}}), HasSubstr("no connection 'dg_nothing'"));
  EXPECT_THAT(adding(staging, {{"person_id", "shoe.size"}}), HasSubstr("no field 'shoe.size'"));
  EXPECT_THAT(adding(staging, {{"namespace", "email"}}), HasSubstr("'email'"));
  EXPECT_THAT(adding(staging, {{"type", "event"}}), HasSubstr("no events"));
  EXPECT_THAT(adding(staging, {{"streaming", "on"}}), HasSubstr("'streaming'"));

  const auto component = [&](const Json& more) {
    Json action = {{"do", "add_component"}, {"data_view", v}, {"path", kMembershipPath}};
    action.update(more);
    return world.refused(action);
  };
  EXPECT_THAT(component({{"path", "no.such.field"}}), HasSubstr("no data set of the connection has a field"));
  EXPECT_THAT(component({{"path", "_demoemea.audienceMembership"}}), HasSubstr("no single value"));
  EXPECT_THAT(component({{"dataset", staging}}), HasSubstr("does not hold"));
  EXPECT_THAT(component({{"data_view", "dv_1"}}), HasSubstr("no data view"));
  EXPECT_THAT(component({{"multi", false}}), HasSubstr("many values"));
  world.component(kMembershipPath, {{"component_id", "audience"}});
  EXPECT_THAT(component({{"component_id", "audience"}}), HasSubstr("'variables/audience' already"));
  EXPECT_THAT(world.refused({{"do", "remove_component"}, {"data_view", v}, {"component", "x"}}), HasSubstr("'x'"));
  EXPECT_THAT(world.refused({{"do", "remove_dataset_from_connection"}, {"connection", c}, {"dataset", staging}}),
              HasSubstr("does not hold"));
  EXPECT_THAT(world.refused({{"do", "create_connection"}, {"name", "Luma web"}}), HasSubstr("already"));
  EXPECT_THAT(world.refused({{"do", "delete_connection"}, {"connection", c}}), HasSubstr("still uses"));
}

TEST(AnalyticsPersonTest, RemovesRenamesAndMakesConnections) {
  AnalyticsWorld world;
  const std::string dataset = world.data.target_dataset();
  const std::string other = world.person({{"do", "create_connection"}, {"name", "Other"}})["connection"];
  world.add(dataset);
  world.person({{"do", "add_dataset_to_connection"}, {"connection", other}, {"dataset", dataset}});
  const auto holders = [&] {
    return world.get("/data/connections?cached=false&dataSetIds=" + dataset)["totalElements"].get<int>();
  };
  EXPECT_EQ(holders(), 2);
  world.person({{"do", "remove_dataset_from_connection"}, {"connection", other}, {"dataset", dataset}});
  EXPECT_EQ(holders(), 1);
  world.person({{"do", "rename_connection"}, {"connection", other}, {"name", "Renamed"}});
  EXPECT_EQ(world.get("/data/connections/" + other + "?expansion=name")["name"], "Renamed");
  world.person({{"do", "rename_data_view"}, {"data_view", world.view()}, {"name", "View 2"}});
  EXPECT_EQ(world.get("/data/dataviews/" + world.view() + "?expansion=name")["name"], "View 2");
  world.person({{"do", "delete_connection"}, {"connection", other}});
  EXPECT_EQ(world.call("GET", "/data/connections/" + other).first, 404);
}

TEST(AnalyticsPersonTest, AudienceAnalysisIsSeenByItsNames) {
  AnalyticsWorld world;
  const Json made = world.person({{"do", "configure_audience_analysis"}, {"connection", world.connection()}});
  const Json whole = world.get("/data/connections/" + world.connection() + "?expansion=dataSets");
  ASSERT_EQ(whole["dataSets"].size(), 3U);
  EXPECT_THAT(whole["dataSets"][1]["name"].get<std::string>(), testing::StartsWith("Profile-Snapshot-Export-"));
  EXPECT_EQ(whole["dataSets"][1]["identityMap"], true);
  EXPECT_EQ(whole["dataSets"][2]["type"], "lookup");
  std::set<std::string> names;
  const Json page = world.get("/data/dataviews/" + world.view() + "/dimensions");
  for (const Json& one : page["content"]) names.insert(one["name"]);
  for (const char* name : {"Audience Name", "Audience Origin", "Exited Audience Name", "Exited Audience Origin"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_EQ(world.call("DELETE", "/data/dataviews/" + world.view()).first, 409);
  EXPECT_THAT(world.refused({{"do", "configure_audience_analysis"}, {"connection", world.connection()}}),
              HasSubstr("already"));
}

TEST(AnalyticsEventsTest, MostPeopleHaveSomeAndAFewHaveMany) {
  AnalyticsWorld world(3000);
  AnalyticsWorld same(3000);
  const std::string path = "/_emulator/datasets/" + world.event_dataset() + "/rows";
  std::map<std::string, int> by_person;
  const std::string now = iso8601(world.data.platform->clock.now_ms());
  const std::string oldest = iso8601(world.data.platform->clock.now_ms() - 46LL * 86'400'000);
  for (const Json& row : world.data.lines(path)) {
    ++by_person[row["_demoemea"]["identification"]["core"]["email"]];
    std::string time = row["timestamp"];
    time[10] = 'T';
    EXPECT_LE(time, now);
    EXPECT_GE(time, oldest);
  }
  std::map<std::string, int> by_same;
  for (const Json& row : same.data.lines(path)) ++by_same[row["_demoemea"]["identification"]["core"]["email"]];
  EXPECT_EQ(by_person, by_same);
  EXPECT_GT(by_person.size(), 270U);  // of 500
  EXPECT_LT(by_person.size(), 380U);
  int most = 0;
  for (const auto& [person, count] : by_person) most = std::max(most, count);
  EXPECT_GT(most, 20);

  AnalyticsWorld none(0);
  EXPECT_TRUE(none.data.lines(path).empty());
  EXPECT_EQ(none.report("")["summaryData"]["totals"], Json::array({0}));
}

/// The whole platform with its gateway.
struct ServedAnalytics {
  ServedAnalytics() { start(); }
  void start() {
    platform.reset();
    EmulatorOptions options;
    options.data = folder.path();
    options.profiles = 60;
    options.audiences = 3;
    options.events = 200;
    platform.emplace(options);
    ready = platform->ready();
    const Reply token =
        client().send("POST", "/ims/token/v3", {{"content-type", "application/x-www-form-urlencoded"}},
                      "grant_type=client_credentials&scope=openid&client_id=" + ready["client_id"].get<std::string>() +
                          "&client_secret=" + ready["client_secret"].get<std::string>());
    headers = {{"authorization", "Bearer " + token.json()["access_token"].get<std::string>()},
               {"x-api-key", ready["client_id"]},
               {"x-gw-ims-org-id", ready["organization"]}};
  }
  TestClient client() const {
    const std::string url = ready["http"];
    return TestClient(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  }
  Reply get(const std::string& target) { return client().send("GET", target, headers); }
  void set(const Json& settings) {
    EXPECT_EQ(client().send("PUT", "/_emulator/settings", {}, settings.dump()).status, 200);
  }

  TemporaryFolder folder;
  std::optional<Emulator> platform;
  Json ready;
  Headers headers;
};

TEST(AnalyticsGatewayTest, NeedsCredentialsButNoSandbox) {
  ServedAnalytics world;
  EXPECT_EQ(world.get("/data/connections").status, 200);
  EXPECT_EQ(world.get("/data/dataviews/" + world.ready["data_view"].get<std::string>() + "/dimensions").status, 200);
  EXPECT_EQ(world.get("/segments").status, 200);
  for (const char* name : {"authorization", "x-api-key", "x-gw-ims-org-id"}) {
    Headers less = world.headers;
    less.erase(name);
    const Reply reply = world.client().send("GET", "/data/connections", less);
    EXPECT_GE(reply.status, 400) << name;
    EXPECT_TRUE(reply.json().contains("error_code")) << name;
  }
}

TEST(AnalyticsGatewayTest, ForbidsInTheWordsOfTheService) {
  ServedAnalytics world;
  world.set({{"deny", Json::array({{{"method", "GET"}, {"path", "/data/connections*"}}})}});
  const Reply reply = world.get("/data/connections");
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(reply.json()["errorCode"], "insufficient_access");
  EXPECT_EQ(world.get("/data/dataviews").status, 200);
}

TEST(AnalyticsGatewayTest, CountsTheCallsOfAKeyWhenAsked) {
  ServedAnalytics world;
  world.set({{"analytics_rate_limit", true}});
  for (int i = 0; i < 12; ++i) EXPECT_EQ(world.get("/data/connections").status, 200) << i;
  const Reply reply = world.get("/data/dataviews");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.json(), Json({{"error_code", "429050"}, {"message", "Too many requests"}}));
  world.client().send("PUT", "/_emulator/clock", {}, R"({"advance":"7s"})");
  EXPECT_EQ(world.get("/data/dataviews").status, 200);
}

TEST(AnalyticsGatewayTest, CountsTheCallsOfAnOrganisationToSegmentsAndReports) {
  ServedAnalytics world;
  world.set({{"analytics_rate_limit", true}});
  const auto pass = [&](const std::string& time) {
    world.client().send("PUT", "/_emulator/clock", {}, Json{{"advance", time}}.dump());
  };
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 12; ++i) EXPECT_EQ(world.get("/segments").status, 200) << round << " " << i;
    pass("7s");
  }
  EXPECT_EQ(world.get("/segments").json()["error_code"], "429050") << "sixty within a minute";
  EXPECT_EQ(world.client().send("POST", "/reports", world.headers, "{}").status, 429);
  EXPECT_EQ(world.get("/data/dataviews").status, 200);
  pass("1m");
  EXPECT_EQ(world.get("/segments").status, 200);
}

TEST(AnalyticsGatewayTest, FaultsEmptyItsListsAsWell) {
  ServedAnalytics world;
  world.client().send("PUT", "/_emulator/faults", {},
                      R"([{"method":"GET","path":"/data/connections","action":{"empty_list":true}}])");
  const Json empty = world.get("/data/connections").json();
  EXPECT_EQ(empty["content"], Json::array());
  EXPECT_EQ(empty["totalElements"], 0);
  EXPECT_EQ(empty["lastPage"], true);
  EXPECT_EQ(world.get("/data/connections").json()["totalElements"], 1);
}

TEST(AnalyticsGatewayTest, ReadyNamesWhatTheWorldBeganWith) {
  ServedAnalytics world;
  const Json before = world.ready;
  EXPECT_EQ(world.get("/data/connections").json()["content"][0]["id"], before["connection"]);
  EXPECT_EQ(world.get("/data/dataviews").json()["content"][0]["id"], before["data_view"]);
  world.start();
  for (const char* name : {"connection", "data_view", "event_dataset"}) EXPECT_EQ(world.ready[name], before[name]);
  EXPECT_EQ(world.get("/data/connections").json()["totalElements"], 1);
}

}  // namespace
}  // namespace emulator
