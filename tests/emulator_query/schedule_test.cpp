#include <gtest/gtest.h>

#include "emulator/query/cron.h"
#include "emulator/state/clock.h"
#include "query_rest.h"

namespace emulator {
namespace {

std::string next(const char* line, const char* after) {
  std::string why;
  const auto cron = Cron::parse(line, why);
  if (!cron) return why;
  const auto time = cron->next_after(parse_iso8601(after).value_or(0));
  return time ? iso8601(*time).substr(0, 16) : "never";
}

TEST(Cron, NamesTheNextMinute) {
  EXPECT_EQ(next("* * * * *", "2026-03-04T05:06:07Z"), "2026-03-04T05:07");
  EXPECT_EQ(next("30 3 * * *", "2026-03-04T03:30:00Z"), "2026-03-05T03:30");
  EXPECT_EQ(next("*/15 8-9 * * MON-FRI", "2026-03-06T09:50:00Z"), "2026-03-09T08:00");
  EXPECT_EQ(next("0 0 29 2 *", "2026-03-04T00:00:00Z"), "2028-02-29T00:00");
  EXPECT_EQ(next("0 0 13 * 5", "2026-03-04T00:00:00Z"), "2026-03-06T00:00");  // a 13th or a Friday
  EXPECT_EQ(next("5/20 1,2 * Jan 7", "2025-12-31T23:59:00Z"), "2026-01-04T01:05");
  EXPECT_EQ(next("0 0 31 12 *", "2026-12-31T00:00:00Z"), "2027-12-31T00:00");
  EXPECT_EQ(next("0 0 30 2 *", "2026-03-04T00:00:00Z"), "never");
}

TEST(Cron, TellsWhatIsNone) {
  EXPECT_EQ(next("60 * * * *", ""), "'60' is no minute; it goes from 0 to 59");
  EXPECT_EQ(next("0 0 * * MONDAY", ""), "'MONDAY' is no day of the week; it goes from 0 to 7");
  EXPECT_EQ(next("0 5-3 * * *", ""), "'5-3' is no hour; it goes from 0 to 23");
  EXPECT_NE(next("@daily", "").find("has 1 fields"), std::string::npos);
}

TEST(Times, AreReadAsTheyAreWritten) {
  EXPECT_EQ(iso8601(parse_iso8601("2021-01-08 12:30:00+00:00").value_or(0)), "2021-01-08T12:30:00.000Z");
  EXPECT_EQ(iso8601(parse_iso8601("2021-01-08T12:30:00.25+02:30").value_or(0)), "2021-01-08T10:00:00.250Z");
  EXPECT_EQ(iso8601(parse_iso8601("2021-01-08T12:30").value_or(0)), "2021-01-08T12:30:00.000Z");
  for (const char* wrong :
       {"", "2021-01-08", "2021-02-30T00:00:00Z", "2021-01-08T12:30:00Zulu", "2021-01-08T25:00:00Z"})
    EXPECT_FALSE(parse_iso8601(wrong)) << wrong;
}

class ScheduledQueries : public QueryRest {
 protected:
  static constexpr const char* kSchedules = "/data/foundation/query/schedules";

  std::string at(std::chrono::milliseconds ahead) const { return iso8601(platform_->clock.now_ms() + ahead.count()); }
  Json terms(const std::string& line, const Json& more = Json::object()) const {
    Json out{{"schedule", line}, {"startDate", at({})}};
    out.update(more);
    return out;
  }
  /// The path of a new schedule, once it is enabled.
  std::string schedule(const Json& when, const std::string& sql = "SELECT 1") {
    const auto [status, made] =
        call("POST", kSchedules, {{"query", {{"dbName", "prod:all"}, {"sql", sql}}}, {"schedule", when}});
    EXPECT_EQ(status, 202) << made;
    EXPECT_EQ(made["state"], "REGISTERING");
    const std::string path = std::string(kSchedules) + "/" + made["id"].get<std::string>();
    until(path, [](const Json& now) { return now["state"] == "ENABLED"; });
    return path;
  }
  static Json state(const char* value) {
    return {{"body", Json::array({{{"op", "replace"}, {"path", "/state"}, {"value", value}}})}};
  }
  /// The runs once there are `count` that are over.
  Json over(const std::string& path, std::size_t count) {
    return until(path + "/runs?orderby=%2Bcreated&limit=1000", [&](const Json& page) {
      const Json& runs = page["runsSchedules"];
      return runs.size() >= count &&
             std::none_of(runs.begin(), runs.end(), [](const Json& run) { return run["state"] == "IN_PROGRESS"; });
    })["runsSchedules"];
  }
};

TEST_F(ScheduledQueries, RunWhenTheClockSaysSo) {
  const std::string path = schedule(terms("0 * * * *"), "SELECT 1 -- hourly");
  EXPECT_EQ(call("GET", path + "/runs").second["runsSchedules"].size(), 0U);
  platform_->clock.advance(std::chrono::hours(3));
  const Json runs = over(path, 3);
  ASSERT_EQ(runs.size(), 3U);
  for (const Json& run : runs) {
    EXPECT_EQ(run["state"], "SUCCESS");
    EXPECT_FALSE(run["externalTrigger"]);
    EXPECT_EQ(run["created"].get<std::string>().substr(14, 5), "00:00");
  }
  const std::string id = path.substr(path.rfind('/') + 1);
  const Json queries = call("GET", std::string(kPath) + "?property=scheduleId==" + id + ",state==SUCCESS").second;
  ASSERT_EQ(queries["queries"].size(), 3U);
  EXPECT_EQ(queries["queries"][0]["scheduleRunId"], runs[2]["id"]);
  const Json run = call("GET", path + "/runs/" + runs[0]["id"].get<std::string>()).second;
  EXPECT_EQ(run["scheduleId"], id);
  EXPECT_EQ(run["taskStatusList"][0]["state"], "SUCCESS");
  EXPECT_EQ(call("GET", path + "/runs/none").first, 404);
  EXPECT_EQ(call("GET", path + "/runs?property=state==FAILED").second["runsSchedules"].size(), 0U);
  EXPECT_EQ(call("GET", path + "/runs?property=state~FAIL").first, 400);
}

TEST_F(ScheduledQueries, OnceIsOnceAndNotAfterItsEnd) {
  const std::string once = schedule(terms("@once", {{"startDate", at(std::chrono::hours(1))}}));
  const std::string ending = schedule(terms("30 * * * *", {{"endDate", at(std::chrono::hours(2))}}));
  platform_->clock.advance(std::chrono::hours(30));
  EXPECT_EQ(over(once, 1).size(), 1U);
  EXPECT_EQ(over(ending, 2).size(), 2U);
  platform_->clock.advance(std::chrono::hours(30));
  EXPECT_EQ(over(once, 1).size(), 1U);
}

TEST_F(ScheduledQueries, AreStartedByHandUnlessDisabledAndDeletedOnlyThen) {
  const std::string path = schedule(terms("0 0 1 1 *"), "SELECT nothing");
  EXPECT_EQ(call("POST", path + "/runs").first, 202);
  const Json run = over(path, 1)[0];
  EXPECT_TRUE(run["externalTrigger"]);
  EXPECT_EQ(run["state"], "FAILED");
  EXPECT_EQ(call("GET", path + "/runs/" + run["id"].get<std::string>()).second["taskStatusList"][0]["message"],
            "there is no column 'nothing'");
  EXPECT_EQ(call("PATCH", path + "/runs/" + run["id"].get<std::string>(), {{"op", "cancel"}}).first, 404);
  EXPECT_EQ(call("DELETE", path).first, 400);
  EXPECT_EQ(call("PATCH", path, state("enable")).first, 400);
  EXPECT_EQ(call("PATCH", path, state("disable")).first, 202);
  EXPECT_EQ(call("POST", path + "/runs").first, 400);
  EXPECT_EQ(call("GET", path).second["state"], "DISABLED");
  EXPECT_EQ(call("DELETE", path).first, 202);
  EXPECT_EQ(call("GET", path).first, 404);
  EXPECT_EQ(call("GET", kSchedules).second["schedules"].size(), 0U);
}

TEST_F(ScheduledQueries, WhatPassesWhileDisabledIsNotMadeUpFor) {
  const std::string path = schedule(terms("0 * * * *"));
  call("PATCH", path, state("disable"));
  platform_->clock.advance(std::chrono::hours(5));
  call("PATCH", path, state("enable"));
  platform_->clock.advance(std::chrono::hours(1));
  EXPECT_EQ(over(path, 1).size(), 1U);
  const Json daily{
      {"body", Json::array({{{"op", "replace"}, {"path", "/schedule/schedule"}, {"value", "0 9 * * *"}}})}};
  // Unrecorded: the description gives this path the values of the other.
  EXPECT_EQ(call("PATCH", path, daily, Recorded::No).first, 202);
  platform_->clock.advance(std::chrono::hours(24));
  EXPECT_EQ(over(path, 2).size(), 2U);
}

TEST_F(ScheduledQueries, HaveNoMoreRunsAtATimeThanAllowed) {
  const std::string path = schedule(terms("0 0 1 1 *", {{"maxActiveRuns", 2}}));
  platform_->settings.query_delay = std::chrono::hours(2);
  for (int i = 0; i < 4; ++i) call("POST", path + "/runs");
  const std::string mine = std::string(kPath) + "?property=scheduleId==" + path.substr(path.rfind('/') + 1);
  EXPECT_EQ(call("GET", mine).second["queries"].size(), 2U);
  const Json runs = call("GET", path + "/runs?orderby=%2Bcreated").second["runsSchedules"];
  const auto run = [&](std::size_t i) { return path + "/runs/" + runs[i]["id"].get<std::string>(); };
  EXPECT_EQ(call("GET", run(3)).second["taskStatusList"][0]["state"], "QUEUED");
  EXPECT_EQ(call("PATCH", run(3), {{"op", "cancel"}}).first, 202);
  EXPECT_EQ(call("GET", run(3)).second["state"], "FAILED");
  EXPECT_EQ(call("PATCH", run(0), {{"op", "cancel"}}).first, 202);
  EXPECT_EQ(call("GET", run(0)).second["state"], "FAILED");
  // The place of the cancelled one is taken by the third.
  until(mine, [](const Json& page) { return page["queries"].size() == 3; });
  call("PATCH", path, state("disable"));
  EXPECT_EQ(call("DELETE", path).first, 400);
}

TEST_F(ScheduledQueries, OutliveARestartAndMakeUpForIt) {
  const std::string path = schedule(terms("0 * * * *"));
  close();
  open();
  platform_->clock.advance(std::chrono::hours(2));  // an offset is forgotten with the process, so it stood still
  EXPECT_EQ(over(path, 2).size(), 2U);
}

TEST_F(ScheduledQueries, RefuseWhatTheyCannotKeep) {
  const auto refused = [&](const Json& query, const Json& when) {
    const auto [status, answer] = call("POST", kSchedules, {{"query", query}, {"schedule", when}}, Recorded::No);
    EXPECT_EQ(status, 400);
    return answer.value("detail", answer.dump());
  };
  const Json query{{"dbName", "prod:all"}, {"sql", "SELECT 1"}};
  EXPECT_NE(refused(query, terms("61 * * * *")).find("'61' is no minute"), std::string::npos);
  EXPECT_NE(refused(query, {{"schedule", "@once"}}).find("startDate is required"), std::string::npos);
  EXPECT_NE(refused(query, terms("@once", {{"startDate", "soon"}})).find("'soon' is no time"), std::string::npos);
  EXPECT_NE(refused(query, terms("@once", {{"endDate", at(-std::chrono::hours(1))}})).find("before"),
            std::string::npos);
  EXPECT_NE(refused(query, terms("@once", {{"maxActiveRuns", 0}})).find("'0'"), std::string::npos);
  EXPECT_NE(refused({{"dbName", "prod:all"}}, terms("@once")).find("sql or templateId"), std::string::npos);
}

}  // namespace
}  // namespace emulator
