// What reports say about what was written: verified, not there yet, different, or not to be asked. All of it against
// reports that are computed from the events and from what the connection holds.
#include <gmock/gmock.h>

#include "tests/spine/analytics_bench.h"

namespace audiencesync::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr int kConverged = 0;

class AnalyticsReportTest : public ::testing::Test {
 protected:
  AnalyticsReportTest() { bench.settle(); }

  void advance(const std::string& by) {
    emulator.control("PUT", "/_emulator/clock", fmt::format(R"({{"advance":"{}"}})", by));
  }
  std::string report() { return state_of(bench.plan(), "report"); }
  std::size_t reports_asked() {
    const auto calls = emulator.calls();
    return static_cast<std::size_t>(
        std::count_if(calls.begin(), calls.end(), [](const auto& call) { return call.ends_with("/reports"); }));
  }

  AnalyticsBench bench{Emulator::Options{.profiles = 200, .audiences = 3, .events = 3000}};
  World& world = bench.world;
  Emulator& emulator = bench.emulator;
};

TEST_F(AnalyticsReportTest, IsPendingThenVerifiedThenRememberedForItsDay) {
  EXPECT_THAT(report(), StartsWith("pending until"));
  EXPECT_EQ(reports_asked(), 0U) << "nothing can have arrived";
  advance("91m");
  EXPECT_THAT(report(), AllOf(StartsWith("verified "), HasSubstr(" audience")));

  // Only a run that may write remembers.
  EXPECT_EQ(world.seamed({"apply", "--auto-approve", "--no-refresh"}, "count").code, kConverged);
  emulator.clear_calls();
  EXPECT_THAT(report(), StartsWith("verified "));
  EXPECT_EQ(reports_asked(), 0U);
  EXPECT_THAT(changes_made(emulator), IsEmpty());
}

TEST_F(AnalyticsReportTest, PeopleWhoLeftButStillCountAreADifferenceOnceEverythingHasArrived) {
  emulator.settings(R"({"row_rule":"accumulate"})");
  world.declared.resize(1);
  const auto withdrawn = emulator.audiences().at(1).name;
  EXPECT_EQ(bench.apply().code, kConverged);
  advance("91m");
  EXPECT_THAT(report(), StartsWith("pending until")) << "it may still arrive";
  advance("100m");
  const auto plan = bench.plan();
  EXPECT_EQ(state_of(plan, "report"), "differs");
  EXPECT_THAT(finding_of(plan, "report-differs"),
              AllOf(StartsWith("refuse: "), HasSubstr("'" + withdrawn + "' shows"), HasSubstr("target.row_rule")));
  EXPECT_EQ(world.difference(), "") << "what was written is right";
}

TEST_F(AnalyticsReportTest, WhatTheGatewayCutsOffIsAskedOverFewerDaysAndNotForEver) {
  advance("4h");
  emulator.settings(R"({"report_duration":"40s","report_cutoff":"6s"})");
  emulator.clear_calls();
  EXPECT_THAT(report(), StartsWith("verified "));
  EXPECT_EQ(reports_asked(), 2U) << "seven days, then three";
  emulator.settings(R"({"report_duration":"1h","report_cutoff":"1s"})");
  emulator.clear_calls();
  EXPECT_THAT(report(), AllOf(StartsWith("cannot check: the report over 7 days is cut off"), HasSubstr("lookback")));
  EXPECT_LE(reports_asked(), 4U);
}

TEST_F(AnalyticsReportTest, WithoutRightsItIsNotChecked) {
  advance("4h");
  emulator.settings(R"({"deny":[{"path":"/reports"}]})");
  EXPECT_THAT(report(), StartsWith("cannot check: needs the technical account with access to data view"));
}

TEST_F(AnalyticsReportTest, AnOpenStepOfAPersonIsWhatItWaitsFor) {
  advance("4h");
  emulator.person(fmt::format(R"({{"do":"remove_dataset_from_connection","connection":"{}","dataset":"{}"}})",
                              bench.connection(), world.target()));
  EXPECT_EQ(report(), "waits for: the dataset in connection Luma web");
}

// `audiencesync verify --analytics`: the same answer on request, and an exit code that calls nothing equal but what is.
class VerifyAnalyticsTest : public AnalyticsReportTest {
 protected:
  ProcessResult verify(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"verify", "--analytics"};
    words.insert(words.end(), more.begin(), more.end());
    return world.seamed(words, "count");
  }
};

TEST_F(VerifyAnalyticsTest, SaysPendingThenVerified) {
  expect_told(verify(), 5, {"analytics pending until"});
  advance("91m");
  expect_told(verify(), kConverged, {"analytics verified"});
  const auto both = verify({"--rows", "full", "--format", "json"});
  const auto answer = parse_json(both.out);
  ASSERT_TRUE(answer.ok()) << both.out << both.err;
  EXPECT_TRUE(answer->flag("equal"));
  EXPECT_TRUE(answer->find("rows")->flag("equal")) << "rows beside it, because that was asked as well";
  EXPECT_THAT(answer->text("analytics"), StartsWith("verified "));
}

TEST_F(VerifyAnalyticsTest, SaysWhatDiffers) {
  emulator.settings(R"({"row_rule":"accumulate"})");
  world.declared.resize(1);
  const auto withdrawn = emulator.audiences().at(1).name;
  EXPECT_EQ(bench.apply().code, kConverged);
  advance("4h");
  expect_told(verify(), 1, {"'" + withdrawn + "' shows"});
  EXPECT_EQ(verify({"--rows", "full"}).code, 1) << "although the rows are as proven";
}

TEST_F(VerifyAnalyticsTest, WithoutRightsOrBeforeAPersonDidTheirPartNothingIsCalledEqual) {
  advance("4h");
  emulator.settings(R"({"deny":[{"path":"/reports"}]})");
  const auto denied = verify({"--format", "json"});
  EXPECT_EQ(denied.code, 1) << denied.out;
  EXPECT_FALSE(parse_json(denied.out)->flag("equal"));
  EXPECT_THAT(parse_json(denied.out)->text("analytics"), StartsWith("cannot check: needs the technical account"));
  emulator.settings(R"({"deny":[]})");
  emulator.person(fmt::format(R"({{"do":"remove_dataset_from_connection","connection":"{}","dataset":"{}"}})",
                              bench.connection(), world.target()));
  expect_told(verify(), 3, {"analytics waits for: the dataset in connection Luma web"});
}

}  // namespace
}  // namespace audiencesync::testing
