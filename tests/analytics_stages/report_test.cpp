#include <gmock/gmock.h>

#include "plugins/report/agreement.h"
#include "plugins/report/report_days.h"
#include "plugins/report/report_stage.h"
#include "tests/analytics_stages/analytics_world.h"

namespace audiencesync {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct AgreementCase {
  const char* name;
  PeopleByName proven;
  PeopleByName reported;
  std::vector<std::string> differences;  // beginnings
};

class Agrees : public testing::TestWithParam<AgreementCase> {};

TEST_P(Agrees, OrSaysHowNot) {
  const auto& tested = GetParam();
  const auto agreement = compare_people(tested.proven, tested.reported, 0.02, {});
  ASSERT_EQ(agreement.differences.size(), tested.differences.size())
      << fmt::format("{}", fmt::join(agreement.differences, "; "));
  for (std::size_t i = 0; i < tested.differences.size(); ++i)
    EXPECT_THAT(agreement.differences[i], HasSubstr(tested.differences[i]));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Agrees,
    testing::Values(
        AgreementCase{"equal", {{"Blue", 100}}, {{"Blue", 100}}, {}},
        AgreementCase{"fewer_because_of_people_without_events", {{"Blue", 100}}, {{"Blue", 3}}, {}},
        AgreementCase{"within_the_tolerance", {{"Blue", 1000}}, {{"Blue", 1020}}, {}},
        AgreementCase{
            "above_the_tolerance", {{"Blue", 1000}}, {{"Blue", 1021}}, {"'Blue' shows 1021 people, and 1000"}},
        AgreementCase{"withdrawn", {{"Blue", 9}}, {{"Blue", 9}, {"Old", 4}}, {"'Old' shows 4 people"}},
        AgreementCase{"emptied", {{"Blue", 9}, {"Gold", 0}}, {{"Blue", 9}, {"Gold", 2}}, {"'Gold' shows 2 people"}},
        AgreementCase{"large_one_missing",
                      {{"Blue", 100}, {"Gold", 100}},
                      {{"Blue", 50}},
                      {"'Gold' is missing, although about 50 of its 100"}},
        AgreementCase{"small_one_missing", {{"Blue", 100}, {"Gold", 19}}, {{"Blue", 50}}, {}},
        AgreementCase{"empty_one_missing", {{"Blue", 100}, {"Gold", 0}}, {{"Blue", 50}}, {}}),
    [](const auto& tested) { return tested.param.name; });

TEST(Agreement, OverTheSameDaysCountsMoveAsPeopleDo) {
  const PeopleByName proven{{"Blue", 2000}};
  const EarlierCounts earlier{{{"Blue", 1000}}, {{"Blue", 500}}};
  EXPECT_THAT(compare_people(proven, {{"Blue", 900}}, 0.02, earlier).differences, IsEmpty());
  EXPECT_THAT(compare_people(proven, {{"Blue", 495}}, 0.02, earlier).differences, IsEmpty()) << "within chance";
  EXPECT_THAT(compare_people(proven, {{"Blue", 300}}, 0.02, earlier).differences,
              ElementsAre(HasSubstr("went from 500 to 300 people in reports, and from 1000 to 2000 in fact")));
}

TEST(Agreement, AudiencesOfOneNameCountTogetherAndNoValueIsNoAudience) {
  EXPECT_EQ(proven_people({{"A", "Blue", 2}, {"B", "Blue", 3}}), (PeopleByName{{"Blue", 5}}));
  EXPECT_EQ(reported_people({{"No value", 7}, {"Blue", 5}}), (PeopleByName{{"Blue", 5}}));
}

TEST(ReportDays, EndYesterdayInTheTimeZoneOfTheView) {
  const auto noon = *parse_time("2026-03-10T12:30:00Z");
  EXPECT_EQ(complete_days(noon, hours(0), 30).range, "2026-02-08T00:00:00.000/2026-03-09T23:59:59.999");
  EXPECT_EQ(complete_days(noon, hours(13), 1).range, "2026-03-10T00:00:00.000/2026-03-10T23:59:59.999");
  EXPECT_EQ(complete_days(noon, -hours(10), 1).range, "2026-03-09T00:00:00.000/2026-03-09T23:59:59.999");
  EXPECT_EQ(complete_days(noon, {}, 1).range, "2026-03-09T00:00:00.000/2026-03-09T23:59:59.999") << "over everywhere";
  const auto morning = *parse_time("2026-03-10T09:00:00Z");
  EXPECT_EQ(complete_days(morning, {}, 1).range, "2026-03-08T00:00:00.000/2026-03-08T23:59:59.999");
}

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    world.outputs.put("connection", {{"connection_id", Value(kLuma)}, {"ready", Value(true)}});
    world.outputs.put("data-view", {{"data_view_id", Value("dv_1")},
                                    {"data_view_name", Value("Luma audiences")},
                                    {"offset_ms", Value(0)},
                                    {"name_dimension", Value("variables/D.name")}});
    world.records.snapshot = SnapshotRecord{};
    world.records.snapshot->content = "S1";
    world.memberships.counted = {{"A1", "Blue", 1000}, {"A2", "Gold", 200}};
    proven_before(hours(4));
  }
  void proven_before(Duration age) { world.records.snapshot->proven = world.clock.now() - age; }
  static std::string answer(const std::string& rows, int total = 0, const std::string& more = "") {
    return fmt::format(R"({{"rows":[{}],"lastPage":true,"summaryData":{{"totals":[{}]}}{}}})", rows, total, more);
  }
  static std::string row(const std::string& name, int people) {
    return fmt::format(R"({{"itemId":"1","value":"{}","data":[{}]}})", name, people);
  }
  Observed look(std::vector<Answer> answers) {
    world.client.on("POST /reports", std::move(answers));
    return world.observe(report_stage());
  }
  const std::string good = answer(row("Blue", 400) + "," + row("Gold", 80), 450);

  AnalyticsWorld world;
};

TEST_F(ReportTest, VerifiesAndRemembersItForTheDay) {
  const auto observed = look({{200, good}});
  EXPECT_EQ(observed.state, "verified 450 people in 2 audiences");
  EXPECT_THAT(observed.findings, IsEmpty());
  EXPECT_THAT(world.client.bodies.at(0), HasSubstr(R"("id":"metrics/visitors")"));
  EXPECT_THAT(world.client.bodies.at(0), HasSubstr(R"("dataId":"dv_1")"));
  EXPECT_THAT(world.client.bodies.at(0), HasSubstr(R"("rsid":"dv_1")"));

  world.records.kept["report"] = observed.remember.at("report");
  EXPECT_EQ(look({{200, good}}).state, "verified 450 people in 2 audiences");
  EXPECT_EQ(world.client.calls.size(), 1U);
  world.clock.sleep(hours(24), {});
  look({{200, good}});
  EXPECT_EQ(world.client.calls.size(), 2U) << "another day";
  world.clock.sleep(-hours(24), {});
  world.records.snapshot->content = "S2";
  look({{200, good}});
  EXPECT_EQ(world.client.calls.size(), 3U) << "other memberships";
}

TEST_F(ReportTest, ReadsEveryPage) {
  world.memberships.counted.push_back({"A3", "Last", 5});
  const auto observed = look({{200, fmt::format(R"({{"rows":[{}],"lastPage":false}})", row("Blue", 400))},
                              {200, answer(row("Gold", 80) + "," + row("Last", 2), 450)}});
  EXPECT_EQ(observed.state, "verified 450 people in 3 audiences");
}

TEST_F(ReportTest, AsksNothingBeforeDataCanHaveArrived) {
  proven_before(minutes(89));
  const auto observed = world.observe(report_stage());
  EXPECT_EQ(observed.state, "pending until " + to_iso8601(world.records.snapshot->proven + hours(3)));
  EXPECT_THAT(world.client.calls, IsEmpty());
}

TEST_F(ReportTest, WhatDiffersIsPendingUntilItCannotArriveAnyMore) {
  const auto bad = answer(row("Blue", 400) + "," + row("Gold", 80) + "," + row("Old", 7));
  proven_before(minutes(91));
  EXPECT_THAT(look({{200, bad}}).state, HasSubstr("pending until"));
  EXPECT_EQ(look({{200, good}}).state, "verified 450 people in 2 audiences");
  proven_before(hours(3) + minutes(1));
  const auto observed = look({{200, bad}});
  EXPECT_EQ(observed.state, "differs");
  EXPECT_THAT(codes_of(observed.findings, Severity::Refuse), ElementsAre("report-differs"));
  EXPECT_THAT(text_of(observed.findings, "report-differs"), HasSubstr("'Old' shows 7 people"));
  EXPECT_FALSE(observed.remember.contains("report"));
}

TEST_F(ReportTest, ErrorsInsideAnAnswerAreNotTakenForNobody) {
  const auto observed = look(
      {{200, answer("", 0, R"(,"columns":{"columnErrors":[{"columnId":"0","errorCode":"unauthorized_dimension"}]})")}});
  EXPECT_EQ(observed.unchecked, "cannot check: the report answers unauthorized_dimension");
}

TEST_F(ReportTest, AReportThatIsCutOffIsAskedOverFewerDays) {
  const auto observed = look({{504, "{}"}, {200, good}});
  EXPECT_EQ(observed.state, "verified 450 people in 2 audiences");
  ASSERT_EQ(world.client.calls.size(), 2U);
  EXPECT_NE(world.client.bodies.at(0), world.client.bodies.at(1));
}

TEST_F(ReportTest, AReportThatIsAlwaysCutOffIsGivenUpSoon) {
  const auto observed = look({{504, "{}"}});
  EXPECT_THAT(observed.unchecked.value_or(""), HasSubstr("is cut off"));
  EXPECT_EQ(world.client.calls.size(), 4U);
}

TEST_F(ReportTest, WithoutRightsItCannotCheck) {
  EXPECT_THAT(look({{403, ""}}).unchecked.value_or(""), HasSubstr("cannot check: needs"));
}

TEST_F(ReportTest, NobodyAtAllIsOnlyWrongWhenSomebodyHasEvents) {
  EXPECT_THAT(look({{200, answer("")}, {200, answer("", 0)}}).unchecked.value_or(""), HasSubstr("nobody in data view"));
  const auto observed = look({{200, answer("")}, {200, answer("", 5000)}});
  EXPECT_THAT(text_of(observed.findings, "report-differs"), HasSubstr("none of its 5,000 people with events"));
}

TEST_F(ReportTest, SaysWhatItWaitsFor) {
  world.outputs.put("connection", {{"connection_name", Value("Luma web")}, {"ready", Value(false)}});
  EXPECT_EQ(world.observe(report_stage()).unchecked, "waits for: the dataset in connection Luma web");
  world.outputs = OutputTable();
  EXPECT_EQ(world.observe(report_stage()).unchecked, "waits for: data view 'Luma audiences'");
  world.outputs.put("data-view", {{"data_view_id", Value("dv_1")}, {"data_view_name", Value("L")}});
  EXPECT_EQ(world.observe(report_stage()).unchecked,
            "waits for: a dimension of the audiences' names in data view 'L' (dv_1)");
  world.manifest.analytics.reset();
  EXPECT_EQ(world.observe(report_stage()).unchecked, "skipped: no analytics in the manifest");
}

}  // namespace
}  // namespace audiencesync
