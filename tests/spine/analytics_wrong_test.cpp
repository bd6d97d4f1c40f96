// What people click wrong, what an account may not see, and what the platform answers badly: each is said for what it
// is, with the way out, and none of it keeps memberships from being written.
#include <gmock/gmock.h>

#include "tests/spine/analytics_bench.h"

namespace audiencesync::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr int kSettled = 0;
constexpr int kForAPerson = 3;

/// Settings of our dataset in the connection, and what is said about them.
struct Click {
  std::string name;
  std::string members;  // of the person's action
  std::string reason;
  std::string step;
};
void PrintTo(const Click& click, std::ostream* out) { *out << click.name; }

class WrongConnectionTest : public ::testing::TestWithParam<Click> {
 protected:
  // One world serves all rows: each leaves the connection as it found it.
  static void SetUpTestSuite() {
    bench_ = std::make_unique<AnalyticsBench>();
    bench_->settle();
  }
  static void TearDownTestSuite() { bench_.reset(); }
  static std::unique_ptr<AnalyticsBench> bench_;
};
std::unique_ptr<AnalyticsBench> WrongConnectionTest::bench_;

TEST_P(WrongConnectionTest, IsAStepForAPersonUntilItIsRight) {
  bench_->change_in_connection(GetParam().members);
  const auto plan = bench_->plan();
  EXPECT_THAT(changes_of(plan), UnorderedElementsAre("person connection/dataset"));
  EXPECT_THAT(words_of(plan, "connection", "dataset"), AllOf(HasSubstr(GetParam().reason), HasSubstr(GetParam().step)));
  bench_->change_in_connection(R"(,"person_id":"personID","namespace":"Email","streaming":true)");
  EXPECT_THAT(changes_of(bench_->plan()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Clicks, WrongConnectionTest,
    ::testing::Values(Click{"streaming_off", R"(,"streaming":false)", "its import of new data is off",
                            "set 'Import all new data' to on"},
                      Click{"person_id", R"(,"person_id":"_id")", "its person id is '_id' and not personID",
                            "reads it again, which can take hours"},
                      Click{"namespace", R"(,"namespace":"ECID")", "its identity namespace is 'ECID' and not 'Email'",
                            "identity namespace Email"}),
    [](const auto& each) { return ::testing::PrintToString(each.param); });

class AnalyticsWrongTest : public ::testing::Test {
 protected:
  AnalyticsBench bench;
  World& world = bench.world;
  Emulator& emulator = bench.emulator;
};

TEST_F(AnalyticsWrongTest, AnUnknownConnectionIsNamedWithTheNearestOneAndBlocksNothing) {
  bench.declare("Luma wep", "Loyalty audiences");
  EXPECT_EQ(bench.apply().code, kForAPerson);
  EXPECT_EQ(world.difference(), "");
  const auto plan = bench.plan();
  EXPECT_THAT(words_of(plan, "connection", "dataset"), HasSubstr("'Luma web' is near"));
  EXPECT_EQ(state_of(plan, "data-view"), "waits for: connection 'Luma wep'");
  EXPECT_THAT(bench.our_views(), IsEmpty());
}

TEST_F(AnalyticsWrongTest, AnUnknownIdOfAViewMakesNone) {
  bench.declare("Luma web", "dv_0123456789abcdef");
  EXPECT_EQ(bench.apply().code, kForAPerson);
  const auto plan = bench.plan();
  EXPECT_THAT(words_of(plan, "data-view", "view"), HasSubstr("there is no data view dv_0123456789abcdef"));
  EXPECT_THAT(bench.our_views(), IsEmpty());
}

TEST_F(AnalyticsWrongTest, AViewOfAnotherConnectionIsNotMadeAgain) {
  const auto other = emulator.person(R"({"do":"create_connection","name":"Lab"})").text("connection");
  bench.declare("Lab", "Luma analysis");
  EXPECT_EQ(bench.apply().code, kForAPerson);
  EXPECT_THAT(words_of(bench.plan(), "data-view", "view"),
              AllOf(HasSubstr("looks at connection " + bench.connection()), HasSubstr("not at " + other)));
  EXPECT_THAT(bench.our_views(), IsEmpty());
}

TEST_F(AnalyticsWrongTest, TwoViewsOfOneNameAreForAPersonToTellApart) {
  const auto twin =
      emulator
          .api("POST", "/data/dataviews",
               fmt::format(R"({{"name":"Luma analysis","parentDataGroupId":"{}","timezoneDesignator":"UTC"}})",
                           bench.connection()))
          .text("id");
  bench.declare("Luma web", "Luma analysis");
  EXPECT_EQ(bench.apply().code, kForAPerson);
  EXPECT_THAT(words_of(bench.plan(), "data-view", "view"),
              AllOf(HasSubstr("2 data views of the connection are named 'Luma analysis'"), HasSubstr(twin)));
}

TEST_F(AnalyticsWrongTest, TheDatasetInTwoConnectionsIsANote) {
  bench.settle();
  const auto other = emulator.person(R"({"do":"create_connection","name":"Lab"})").text("connection");
  emulator.person(
      fmt::format(R"({{"do":"add_dataset_to_connection","connection":"{}","dataset":"{}"}})", other, world.target()));
  const auto plan = bench.plan();
  EXPECT_THAT(changes_of(plan), IsEmpty());
  EXPECT_THAT(finding_of(plan, "connection-also"), AllOf(StartsWith("note: "), HasSubstr("'Lab'")));
}

TEST_F(AnalyticsWrongTest, ALookupIsNoProfileDataset) {
  EXPECT_EQ(bench.apply().code, kForAPerson);
  bench.add_to_connection(R"(,"type":"lookup")");
  EXPECT_THAT(words_of(bench.plan(), "connection", "dataset"),
              AllOf(HasSubstr("as 'lookup' data"), HasSubstr("dataset type Profile")));
}

TEST_F(AnalyticsWrongTest, ADatasetThatJoinedLateWithoutABackfillMissesThePast) {
  EXPECT_EQ(bench.apply().code, kForAPerson);
  emulator.control("PUT", "/_emulator/clock", R"({"advance":"1h"})");
  bench.add_to_connection(R"(,"backfill":false)");
  EXPECT_THAT(words_of(bench.plan(), "connection", "dataset"), HasSubstr("without a backfill"));
  emulator.settings(R"({"backfill_delay":"2h"})");
  bench.change_in_connection(R"(,"backfill":true)");
  const auto plan = bench.plan();
  EXPECT_THAT(words_of(plan, "connection", "dataset"), StartsWith("no such change"));
  EXPECT_THAT(state_of(plan, "connection"), HasSubstr("backfill in progress (0 of 1 done)"));
}

TEST_F(AnalyticsWrongTest, AComponentBesideTheListIsToldApart) {
  EXPECT_EQ(bench.apply().code, kForAPerson);
  bench.add_to_connection();
  const auto view = bench.our_views().front();
  bench.add_component(view, "audienceMembership.audienceMembershipId");
  const auto wrong = bench.add_component(view, "audienceMembershipName");
  const auto plan = bench.plan();
  EXPECT_THAT(words_of(plan, "data-view", "components"),
              AllOf(HasSubstr(wrong), HasSubstr("which records of layout person leave empty"),
                    HasSubstr("drag " + emulator.tenant() + ".audienceMembership.audienceMembershipName")));
}

TEST_F(AnalyticsWrongTest, RulesThatHideAudiencesAreAWarning) {
  EXPECT_EQ(bench.apply().code, kForAPerson);
  bench.add_to_connection();
  const auto view = bench.our_views().front();
  bench.add_component(view, "audienceMembership.audienceMembershipId");
  bench.add_component(view, "audienceMembership.audienceMembershipName",
                      R"(,"include":[{"clause":"equals","value":"x"}])");
  const auto plan = bench.plan();
  EXPECT_THAT(changes_of(plan), IsEmpty());
  EXPECT_THAT(finding_of(plan, "dimension-settings"), AllOf(StartsWith("warning: "), HasSubstr("include/exclude")));
  EXPECT_THAT(state_of(plan, "report"), StartsWith("waits for: a dimension of the audiences' names"));
}

TEST_F(AnalyticsWrongTest, ThePlatformsOwnAudienceAnalysisIsAWarning) {
  bench.settle();
  emulator.person(fmt::format(R"({{"do":"configure_audience_analysis","connection":"{}"}})", bench.connection()));
  const auto plan = bench.plan();
  EXPECT_THAT(finding_of(plan, "native-audience-analysis"), AllOf(StartsWith("warning: "), HasSubstr("twice")));
  EXPECT_THAT(changes_of(plan), IsEmpty());
}

TEST_F(AnalyticsWrongTest, WhatTheAccountMayNotSeeIsNeverCalledDone) {
  emulator.settings(R"({"deny":[{"path":"/data/connections*"},{"path":"/data/dataviews*"}]})");
  EXPECT_EQ(bench.apply().code, kSettled);
  EXPECT_EQ(world.difference(), "");
  auto plan = bench.plan();
  EXPECT_THAT(state_of(plan, "connection"), StartsWith("cannot check: needs the technical account"));
  EXPECT_EQ(state_of(plan, "data-view"), "waits for: connection 'Luma web'");

  bench.declare(bench.connection(), "Loyalty audiences");
  plan = bench.plan();
  EXPECT_THAT(state_of(plan, "data-view"), StartsWith("cannot check: needs the technical account"));
}

TEST_F(AnalyticsWrongTest, AnAccountThatMayMakeNoViewSaysSoAndIsNotStuck) {
  emulator.settings(R"({"deny":[{"method":"POST","path":"/data/dataviews"}]})");
  const auto first = bench.apply();
  EXPECT_THAT(told(first), HasSubstr("make the data view by hand"));
  EXPECT_EQ(world.difference(), "") << "the memberships came first";
  emulator.evolve(0.2, 5);
  bench.apply();
  EXPECT_EQ(world.difference(), "") << "and are not held up the next time";
  emulator.settings(R"({"deny":[]})");
  EXPECT_EQ(bench.apply().code, kForAPerson);
  EXPECT_EQ(bench.our_views().size(), 1U);
}

TEST_F(AnalyticsWrongTest, WhenAnalyticsDoesNotAnswerMembershipsAreWrittenAllTheSame) {
  emulator.faults(R"([{"path":"/data/connections*","times":1000,"action":{"status":503}}])");
  EXPECT_EQ(bench.apply().code, kSettled);
  EXPECT_EQ(world.difference(), "");
  emulator.faults("[]");
  EXPECT_EQ(bench.apply().code, kForAPerson);
  EXPECT_EQ(bench.our_views().size(), 1U);
}

}  // namespace
}  // namespace audiencesync::testing
