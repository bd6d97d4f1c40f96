#include <algorithm>

#include "analytics_world.h"

namespace emulator {
namespace {

using namespace std::chrono_literals;
using Numbers = std::map<std::string, double>;
using Held = std::map<std::string, std::set<std::string>>;

/// A connection that takes everything in at once, and a target dataset in it.
struct TakenIn : AnalyticsWorld {
  explicit TakenIn(const Json& more = Json::object()) : AnalyticsWorld(0) {
    settings().analytics_delay = 0ms;
    dataset = data.target_dataset();
    add(dataset, more);
    audience = component(kMembershipPath);
  }
  std::string dataset;
  std::string audience;
};

TEST(AnalyticsReportTest, CountsPeopleSessionsAndEventsAsTheEventsAre) {
  AnalyticsWorld world(2000);
  std::map<std::string, std::map<std::string, int>> by_page;  // page, person
  std::set<std::string> everybody;
  const auto rows = world.data.lines("/_emulator/datasets/" + world.event_dataset() + "/rows");
  ASSERT_EQ(rows.size(), 2000U);
  for (const Json& row : rows) {
    const std::string person = row["_demoemea"]["identification"]["core"]["email"];
    ++by_page[row["web"]["webPageDetails"]["name"]][person];
    everybody.insert(person);
  }
  const Json answer =
      world.report("variables/web.webPageDetails.name", Json::object(), {"metrics/visitors", "metrics/occurrences"});
  ASSERT_EQ(answer["rows"].size(), by_page.size());
  for (const Json& row : answer["rows"]) {
    const auto& people = by_page.at(row["value"]);
    int events = 0;
    for (const auto& [person, count] : people) events += count;
    EXPECT_EQ(row["data"], Json::array({people.size(), events})) << row;
  }
  EXPECT_EQ(answer["summaryData"]["totals"], Json::array({everybody.size(), 2000}));
  EXPECT_EQ(answer["summaryData"]["filteredTotals"], answer["summaryData"]["totals"]);
}

TEST(AnalyticsReportTest, ASessionEndsAfterHalfAnHour) {
  TakenIn world;
  std::string lines;
  const std::int64_t start = world.data.platform->clock.now_ms() - 86'400'000;
  for (const int minute : {0, 10, 39, 70, 200})
    lines += Json{{"_id", "e" + std::to_string(minute)},
                  {"timestamp", iso8601(start + minute * 60'000)},
                  {"_demoemea", {{"identification", {{"core", {{"email", "a@x.io"}}}}}}}}
                 .dump() +
             "\n";
  ASSERT_EQ(world.data.settled(world.data.ingest(world.event_dataset(), {lines}))["status"], "success");
  const Json answer = world.report("", Json::object(), {"metrics/visits", "metrics/visitors", "metrics/occurrences"});
  EXPECT_EQ(answer["summaryData"]["totals"], Json::array({3, 1, 5}));
  EXPECT_TRUE(answer["rows"].empty());
}

TEST(AnalyticsReportTest, OnePersonCountsInEachAudienceAndOnceInTotal) {
  TakenIn world;
  world.visit({"a@x.io", "b@x.io", "c@x.io"});
  world.ingest(world.dataset, {{"a@x.io", {"A1", "A2"}}, {"b@x.io", {"A1"}}, {"c@x.io", {}}, {"nobody@x.io", {"A1"}}});
  const Json answer = world.report(world.audience);
  EXPECT_EQ(world.people(world.audience), (Numbers{{"A1", 2}, {"A2", 1}}));
  EXPECT_EQ(answer["summaryData"]["totals"], Json::array({3}));
  EXPECT_EQ(answer["summaryData"]["filteredTotals"], Json::array({2}));
  const Json nones = {{"settings", {{"nonesBehavior", "return-nones"}}}};
  EXPECT_EQ(world.people(world.audience, nones), (Numbers{{"A1", 2}, {"A2", 1}, {"No value", 1}}));

  world.settings().visibility_requires_event = false;
  EXPECT_EQ(world.people(world.audience), (Numbers{{"A1", 3}, {"A2", 1}}));
}

struct RuleCase {
  const char* name;
  const char* row_rule;
  const char* delete_batch;
  const char* empty_list;
  Held after_second;    // a second batch changes a, empties b, leaves c
  Held after_deletion;  // and is deleted again
};

void PrintTo(const RuleCase& rule, std::ostream* out) { *out << rule.name; }

class AnalyticsRowRuleTest : public testing::TestWithParam<RuleCase> {};

TEST_P(AnalyticsRowRuleTest, DecidesWhichRowsOfAPersonCount) {
  TakenIn world;
  world.settings().row_rule = GetParam().row_rule;
  world.settings().delete_batch = GetParam().delete_batch;
  world.settings().empty_list = GetParam().empty_list;
  const Settings settings = world.settings();
  const std::vector<std::string> people{"a@x.io", "b@x.io", "c@x.io"};
  world.visit(people);
  const auto expect = [&](const Held& expected) {
    EXPECT_EQ(world.held(world.dataset), expected);
    Numbers numbers;
    for (const auto& [person, audiences] : expected)
      for (const std::string& audience : audiences) ++numbers[audience];
    EXPECT_EQ(world.people(world.audience), numbers);
  };
  world.ingest(world.dataset, {{"a@x.io", {"A1"}}, {"b@x.io", {"A1", "A2"}}, {"c@x.io", {"A3"}}});
  expect({{"a@x.io", {"A1"}}, {"b@x.io", {"A1", "A2"}}, {"c@x.io", {"A3"}}});
  const std::string second = world.ingest(world.dataset, {{"a@x.io", {"A2", "A4"}}, {"b@x.io", {}}});
  expect(GetParam().after_second);
  EXPECT_EQ(world.data.call("POST", "/data/foundation/import/batches/" + second + "?action=REVERT").status, 200);
  world.data.wait_for([&] { return world.data.batch(second)["status"] == "deleted"; }, "the deletion");
  expect(GetParam().after_deletion);
  world.restart();
  world.settings() = settings;  // kept by the control call, which this world is without
  expect(GetParam().after_deletion);
  world.ingest(world.dataset, {{"a@x.io", {"A5"}}});
  EXPECT_TRUE(world.held(world.dataset)["a@x.io"].contains("A5"));
}

const Held kReplaced{{"a@x.io", {"A2", "A4"}}, {"b@x.io", {}}, {"c@x.io", {"A3"}}};
const Held kFirst{{"a@x.io", {"A1"}}, {"b@x.io", {"A1", "A2"}}, {"c@x.io", {"A3"}}};

INSTANTIATE_TEST_SUITE_P(
    Table, AnalyticsRowRuleTest,
    testing::Values(
        RuleCase{"replace", "replace_record", "hide", "clears", kReplaced, {{"c@x.io", {"A3"}}}},
        RuleCase{"replace_resurrects", "replace_record", "resurrect_previous", "clears", kReplaced, kFirst},
        RuleCase{"replace_ignores_empty",
                 "replace_record",
                 "resurrect_previous",
                 "ignored",
                 {{"a@x.io", {"A2", "A4"}}, {"b@x.io", {"A1", "A2"}}, {"c@x.io", {"A3"}}},
                 kFirst},
        RuleCase{
            "merge", "merge_fields", "hide", "clears", kReplaced, {{"a@x.io", {}}, {"b@x.io", {}}, {"c@x.io", {"A3"}}}},
        RuleCase{"merge_ignores_empty",
                 "merge_fields",
                 "resurrect_previous",
                 "ignored",
                 {{"a@x.io", {"A2", "A4"}}, {"b@x.io", {"A1", "A2"}}, {"c@x.io", {"A3"}}},
                 kFirst},
        RuleCase{"accumulate",
                 "accumulate",
                 "hide",
                 "clears",
                 {{"a@x.io", {"A1", "A2", "A4"}}, {"b@x.io", {"A1", "A2"}}, {"c@x.io", {"A3"}}},
                 kFirst}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(AnalyticsReportTest, NewBatchesTakeTheirTime) {
  TakenIn world;
  world.settings().analytics_delay = 90min;
  world.visit({"a@x.io"});
  world.ingest(world.dataset, {{"a@x.io", {"A1"}}});
  EXPECT_EQ(world.people(world.audience), Numbers{});
  EXPECT_TRUE(world.held(world.dataset).empty());
  EXPECT_EQ(world.held(world.dataset, "&now=true"), (Held{{"a@x.io", {"A1"}}}));
  const std::string target = "/data/connections/" + world.connection() + "?expansion=dataSets,dataSetLastIngested";
  const auto ingested = [&] { return world.get(target)["dataSets"][1]["lastIngestedTime"]; };
  EXPECT_TRUE(ingested().is_null());
  world.advance(91min);
  EXPECT_EQ(world.people(world.audience), (Numbers{{"A1", 1}}));
  EXPECT_TRUE(ingested().is_string());
}

TEST(AnalyticsReportTest, OnlyEventsOfTheRangeMakePeopleVisible) {
  TakenIn world;
  world.visit({"a@x.io"}, 3);
  world.visit({"b@x.io"}, 10);
  world.ingest(world.dataset, {{"a@x.io", {"A1"}}, {"b@x.io", {"A1"}}});
  const auto in = [&](int first, int last, const char* type) {
    return world.people(world.audience,
                        {{"globalFilters", Json::array({{{"type", type}, {"dateRange", world.range(first, last)}}})}});
  };
  EXPECT_EQ(in(20, 0, "dateRange"), (Numbers{{"A1", 2}}));
  EXPECT_EQ(in(5, 1, "DATE_RANGE"), (Numbers{{"A1", 1}}));
  EXPECT_EQ(in(3, 3, "daterange"), (Numbers{{"A1", 1}}));
  EXPECT_EQ(in(2, 0, "dateRange"), Numbers{});
}

TEST(AnalyticsReportTest, PeopleJoinByTheFieldOfTheConnectionLetterByLetter) {
  TakenIn world(Json{{"person_id", "_id"}});
  world.visit({"a@x.io", "B@x.io"});
  world.ingest(world.dataset, {{"a@x.io", {"A1"}}, {"b@x.io", {"A1"}}});
  EXPECT_EQ(world.people(world.audience), Numbers{});
  world.person({{"do", "set_dataset_in_connection"},
                {"connection", world.connection()},
                {"dataset", world.dataset},
                {"person_id", "personID"}});
  EXPECT_EQ(world.people(world.audience), (Numbers{{"A1", 1}}));
}

TEST(AnalyticsReportTest, PeopleMayBeFoundInTheIdentityMap) {
  AnalyticsWorld world(600);
  world.settings().analytics_delay = 0ms;
  const std::string staging = world.data.union_dataset();
  const std::string tier = "_demoemea.loyalty.tier";
  world.data.exported(staging, {world.data.audiences().front()},
                      "identityMap,_demoemea.identification.core.email," + tier);
  std::set<std::string> visitors;
  for (const Json& row : world.data.lines("/_emulator/datasets/" + world.event_dataset() + "/rows"))
    visitors.insert(row["_demoemea"]["identification"]["core"]["email"]);
  Numbers expected;
  for (const Json& row : world.data.lines("/_emulator/datasets/" + staging + "/rows"))
    if (visitors.contains(row["identityMap"]["Email"][0]["id"])) ++expected[row["_demoemea"]["loyalty"]["tier"]];
  ASSERT_FALSE(expected.empty());

  world.add(staging, {{"person_id", "identityMap"}, {"namespace", "Email"}});
  const std::string dimension = world.component(tier);
  EXPECT_EQ(world.people(dimension), expected);
  const auto change = [&](const Json& more) {
    Json action = {{"do", "set_dataset_in_connection"}, {"connection", world.connection()}, {"dataset", staging}};
    action.update(more);
    world.person(action);
  };
  change({{"person_id", "identityMap"}, {"primary", true}});
  EXPECT_EQ(world.people(dimension), expected);
  change({{"person_id", "identityMap"}, {"namespace", "ECID"}});
  EXPECT_EQ(world.people(dimension), Numbers{});
}

TEST(AnalyticsReportTest, WhatWasThereBeforeNeedsABackfill) {
  AnalyticsWorld world(0);
  world.settings().analytics_delay = 0ms;
  world.visit({"a@x.io", "b@x.io", "c@x.io"});
  const std::string dataset = world.data.target_dataset();
  world.ingest(dataset, {{"a@x.io", {"A1"}}});
  world.advance(1min);
  world.add(dataset, {{"backfill", false}});
  const std::string audience = world.component(kMembershipPath);
  EXPECT_EQ(world.people(audience), Numbers{});
  world.advance(1min);
  world.ingest(dataset, {{"b@x.io", {"A2"}}});
  EXPECT_EQ(world.people(audience), (Numbers{{"A2", 1}}));
  world.person({{"do", "set_dataset_in_connection"},
                {"connection", world.connection()},
                {"dataset", dataset},
                {"streaming", false}});
  world.advance(1min);
  world.ingest(dataset, {{"c@x.io", {"A3"}}});
  world.advance(24h);
  EXPECT_EQ(world.people(audience), (Numbers{{"A2", 1}}));

  world.settings().backfill_delay = 10h;
  world.person({{"do", "start_backfill"}, {"connection", world.connection()}, {"dataset", dataset}});
  EXPECT_EQ(world.people(audience), (Numbers{{"A2", 1}}));
  world.advance(10h);
  EXPECT_EQ(world.people(audience), (Numbers{{"A1", 1}, {"A2", 1}, {"A3", 1}}));
}

TEST(AnalyticsReportTest, SearchesSortsAndPages) {
  TakenIn world;
  world.visit({"a@x.io", "b@x.io", "c@x.io"});
  world.ingest(world.dataset, {{"a@x.io", {"Gold", "Silver", "Old gold"}}, {"b@x.io", {"Gold"}}, {"c@x.io", {"Tin"}}});
  const auto found = [&](const std::string& clause) {
    std::set<std::string> values;
    for (const auto& [value, number] : world.people(world.audience, {{"search", {{"clause", clause}}}}))
      values.insert(value);
    return values;
  };
  using Values = std::set<std::string>;
  EXPECT_EQ(found("( CONTAINS 'gold' )"), (Values{"Gold", "Old gold"}));
  EXPECT_EQ(found("( MATCH 'gold' ) OR BEGINS-WITH 'T'"), (Values{"Gold", "Tin"}));
  EXPECT_EQ(found("CONTAINS 'gold' AND NOT ENDS-WITH 'd gold'"), (Values{"Gold"}));
  const Json answer = world.report(world.audience, {{"search", {{"clause", "CONTAINS 'gold'"}}}});
  EXPECT_EQ(answer["summaryData"]["filteredTotals"], Json::array({2}));

  const Json settings = {{"nonesBehavior", "exclude-nones"}, {"limit", 3}, {"page", 1}};
  const Json page = world.report(world.audience, {{"settings", settings}});
  EXPECT_EQ(page["totalPages"], 2);
  EXPECT_EQ(page["totalElements"], 4);
  EXPECT_EQ(page["lastPage"], true);
  ASSERT_EQ(page["rows"].size(), 1U);
  EXPECT_EQ(page["rows"][0]["value"], "Tin");  // Gold comes first by its people, the rest by their names
}

TEST(AnalyticsReportTest, FiltersBySegments) {
  TakenIn world;
  world.visit({"a@x.io", "b@x.io"});
  world.visit({"a@x.io"}, 2, "cart");
  world.visit({"c@x.io"}, 1, "cart");
  world.ingest(world.dataset, {{"a@x.io", {"A1"}}, {"b@x.io", {"A1", "A2"}}, {"c@x.io", {"A2"}}});
  const auto attribute = [](const std::string& name) { return Json{{"func", "attr"}, {"name", name}}; };
  const auto people = [&](const Json& predicate) {
    const Json definition = {{"func", "segment"},
                             {"version", {1, 0, 0}},
                             {"container", {{"func", "container"}, {"context", "visitors"}, {"pred", predicate}}}};
    const auto [status, made] =
        world.call("POST", "/segments", {{"name", "S"}, {"dataId", world.view()}, {"definition", definition}});
    EXPECT_EQ(status, 200) << made;
    return world
        .report("", {{"globalFilters",
                      Json::array({{{"type", "dateRange"}, {"dateRange", world.range(60, 0)}},
                                   {{"type", "segment"}, {"segmentId", made["id"]}}})}})["summaryData"]["totals"][0]
        .get<int>();
  };
  const Json in_a1 = {{"func", "streq"}, {"val", attribute(world.audience)}, {"str", "A1"}};
  const Json cart = {{"func", "streq"}, {"val", attribute("variables/web.webPageDetails.name")}, {"str", "cart"}};
  EXPECT_EQ(people(in_a1), 2);
  EXPECT_EQ(people(cart), 2);
  EXPECT_EQ(people({{"func", "and"}, {"preds", {in_a1, cart}}}), 1);
  EXPECT_EQ(people({{"func", "or"}, {"preds", {in_a1, cart}}}), 3);
  EXPECT_EQ(people({{"func", "without"}, {"pred", in_a1}}), 1);
  const Json total = {{"func", "total"}, {"evt", {{"func", "event"}, {"name", "metrics/occurrences"}}}};
  EXPECT_EQ(people({{"func", "ge"}, {"num", 2}, {"val", total}}), 1);
}

TEST(AnalyticsReportTest, SplitsADelimitedTextIntoAFewValues) {
  TakenIn world;
  world.visit({"a@x.io"});
  world.ingest(world.dataset, {{"a@x.io", {"x1, x2, x3"}}});
  const std::string split = world.component(kMembershipPath, {{"component_id", "plain"}});
  EXPECT_EQ(world.people(split), (Numbers{{"x1, x2, x3", 1}}));
  const std::string by_person = world.component("_id", {{"dataset", world.dataset}, {"delimiter", "-"}});
  EXPECT_EQ(world.people(by_person), (Numbers{{"id", 1}, {"a@x.io", 1}}));
  world.settings().substring_array_cap = 1;
  EXPECT_EQ(world.people(by_person), (Numbers{{"id", 1}}));
}

TEST(AnalyticsReportTest, ALookupNamesWhatPeopleCarry) {
  TakenIn world;
  world.visit({"a@x.io", "b@x.io"});
  world.ingest(world.dataset, {{"a@x.io", {"A1", "A2"}}, {"b@x.io", {"A1"}}});
  // Any dataset may serve: its rows are keyed by `_id`, and the name is the text in `personID`.
  const std::string names = world.data.target_dataset("names");
  const auto name = [&](const std::string& audience, const std::string& text) {
    const std::string row = Json{{"_id", audience}, {"personID", text}}.dump() + "\n";
    EXPECT_EQ(world.data.settled(world.data.ingest(names, {row}))["status"], "success");
  };
  name("A1", "Gold");
  world.add(names, {{"type", "lookup"}, {"key", "_id"}, {"matching_key", kMembershipPath}});
  const std::string dimension = world.component("personID", {{"dataset", names}, {"name", "Audience name"}});
  EXPECT_EQ(world.people(dimension), (Numbers{{"Gold", 2}}));
  name("A2", "Silver");
  name("A1", "Golden");
  EXPECT_EQ(world.people(dimension), (Numbers{{"Golden", 2}, {"Silver", 1}}));
}

TEST(AnalyticsReportTest, ListsPeopleOnceAPersonAllowsIt) {
  TakenIn world;
  world.visit({"a@x.io", "b@x.io"});
  const Json before = world.report("variables/adobe_personid");
  EXPECT_EQ(before["columns"]["columnErrors"][0]["errorCode"], "unauthorized_dimension");
  world.component("adobe_personid");
  EXPECT_EQ(world.people("variables/adobe_personid"), (Numbers{{"a@x.io", 1}, {"b@x.io", 1}}));
}

TEST(AnalyticsReportTest, ErrorsOfColumnsComeInsideAGoodAnswer) {
  AnalyticsWorld world;
  const Json answer = world.report("variables/nothing", Json::object(), {"metrics/visitors", "metrics/nothing"});
  EXPECT_TRUE(answer["rows"].empty());
  const Json& errors = answer["columns"]["columnErrors"];
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0]["columnId"], "0");
  EXPECT_EQ(errors[0]["errorCode"], "unauthorized_dimension");
  EXPECT_EQ(errors[1]["errorCode"], "unauthorized_metric");
}

TEST(AnalyticsReportTest, MalformedOnesAreRefused) {
  AnalyticsWorld world;
  const Json good = {{"rsid", world.view()},
                     {"globalFilters", Json::array({{{"type", "dateRange"}, {"dateRange", world.range(9, 0)}}})},
                     {"metricContainer", {{"metrics", Json::array({{{"id", "metrics/visitors"}}})}}}};
  ASSERT_EQ(world.call("POST", "/reports", good).first, 200);
  const auto status = [&](const char* name, const Json& value) {
    Json body = good;
    body[name] = value;
    const auto [code, answer] = world.call("POST", "/reports", body);
    EXPECT_TRUE(answer.contains("errorCode")) << answer;
    return code;
  };
  EXPECT_EQ(status("rsid", "dv_nothing"), 404);
  EXPECT_EQ(status("dataId", "dv_another"), 400);
  EXPECT_EQ(status("globalFilters", Json::array()), 400);
  EXPECT_EQ(status("globalFilters", Json::array({{{"type", "dateRange"}, {"dateRange", "yesterday"}}})), 400);
  EXPECT_EQ(status("globalFilters",
                   Json::array({{{"type", "dateRange"}, {"dateRange", "2026-01-02T00:00:00/2026-01-01T00:00:00"}}})),
            400);
  EXPECT_EQ(status("globalFilters", Json::array({{{"type", "segment"}, {"segmentId", "s1"}}})), 400);
  EXPECT_EQ(status("metricContainer", Json::object()), 400);
  EXPECT_EQ(status("settings", {{"limit", 50001}}), 400);
  EXPECT_EQ(status("settings", {{"nonesBehavior", "maybe"}}), 400);
  EXPECT_EQ(status("search", {{"clause", "CONTAINS gold"}}), 400);
  EXPECT_EQ(world.data.call("POST", "/reports", "{").status, 400);
}

TEST(AnalyticsReportTest, TheGatewayCutsALongReportAndAShorterOnePasses) {
  AnalyticsWorld world;
  world.settings().report_duration = 100s;
  const auto status = [&](int days, int limit) {
    return world
        .call("POST", "/reports",
              {{"rsid", world.view()},
               {"globalFilters", Json::array({{{"type", "dateRange"}, {"dateRange", world.range(days - 1, 0)}}})},
               {"metricContainer", {{"metrics", Json::array({{{"id", "metrics/visitors"}}})}}},
               {"settings", {{"limit", limit}}}})
        .first;
  };
  EXPECT_EQ(status(30, 1000), 504);
  EXPECT_EQ(status(30, 100), 200);
  EXPECT_EQ(status(15, 1000), 200);
  world.settings().report_cutoff = 0s;
  EXPECT_EQ(status(30, 1000), 200);
}

TEST(AnalyticsReportTest, DaysAreThoseOfTheDataView) {
  TakenIn world;
  std::string lines;
  for (const auto& [id, time] : {std::pair("e1", "2026-03-01T23:30:00Z"), std::pair("e2", "2026-03-02T12:00:00Z")})
    lines +=
        Json{{"_id", id}, {"timestamp", time}, {"_demoemea", {{"identification", {{"core", {{"email", "a@x.io"}}}}}}}}
            .dump() +
        "\n";
  ASSERT_EQ(world.data.settled(world.data.ingest(world.event_dataset(), {lines}))["status"], "success");
  const auto events = [&](const std::string& view) {
    const Json answer =
        world
            .call("POST", "/reports",
                  {{"rsid", view},
                   {"globalFilters", Json::array({{{"type", "dateRange"}, {"dateRange", "2026-03-02/2026-03-02"}}})},
                   {"metricContainer", {{"metrics", Json::array({{{"id", "metrics/occurrences"}}})}}}})
            .second;
    return answer["summaryData"]["totals"][0];
  };
  const auto berlin = world.call(
      "POST", "/data/dataviews",
      {{"name", "Berlin"}, {"parentDataGroupId", world.connection()}, {"timezoneDesignator", "Europe/Berlin"}});
  EXPECT_EQ(events(world.view()), 1);
  EXPECT_EQ(events(berlin.second["id"]), 2);
}

TEST(AnalyticsReportTest, TopItemsNameTheMostFrequentValues) {
  TakenIn world;
  world.visit({"a@x.io", "b@x.io"}, 1, "home");
  world.visit({"a@x.io"}, 1, "cart");
  const Json answer =
      world.get("/reports/topItems?dataId=" + world.view() + "&dimension=variables/web.webPageDetails.name&limit=1");
  EXPECT_EQ(answer["rows"][0]["value"], "home");
  EXPECT_EQ(answer["lastPage"], false);
}

}  // namespace
}  // namespace emulator
