#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <random>

#include "tests/schedule/oracle.h"
#include "tests/schedule/support.h"

namespace audiencesync {
namespace {

using testing::at;
using testing::cron;
using ::testing::ElementsAre;
using testing::NaiveCron;
using testing::next_shown;
using testing::wall_minutes;
using testing::zone;

// What a year looks like in a zone, and the oracle's minutes of it.
struct ZoneYear {
  const char* name;
  const char* zone;
  const char* from;
};

std::vector<Time> all_due(const Cron& expression, const Zone& where, Time from, Time to) {
  std::vector<Time> out;
  for (auto due = expression.next(from - Duration(1), where); due && *due < to; due = expression.next(*due, where)) {
    out.push_back(*due);
  }
  return out;
}

// Says where two lists part, in words a person can check.
void expect_same(const std::vector<Time>& found, const std::vector<Time>& expected, const std::string& expression,
                 const Zone& where) {
  const auto [first, second] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
  const auto shown = [&](auto it, const auto& list) { return it == list.end() ? "none" : where.local_text(*it); };
  EXPECT_TRUE(found == expected) << expression << " in " << where.name() << ": " << found.size() << " due, expected "
                                 << expected.size() << "; found " << shown(first, found) << ", expected "
                                 << shown(second, expected);
}

class WholeYears : public ::testing::TestWithParam<ZoneYear> {};

constexpr int kDays = 366;

TEST_P(WholeYears, AreWhatTheWallClockShowsMinuteByMinute) {
  const auto where = zone(GetParam().zone);
  const auto minutes = wall_minutes(GetParam().zone, GetParam().from, kDays);
  const auto from = at(std::string(GetParam().from) + "T00:00:00Z");
  const auto to = from + std::chrono::hours(24 * kDays);
  for (const auto* expression :
       {"0 4 * * *",   "30 2 * * *",     "15 2 * * *",        "0 0 * * *",    "30 0 * * *",
        "30 1 * * *",  "5,35 1-3 * * *", "*/15 * * * *",      "7 * * * *",    "*/15 2 * * *",
        "0 */2 * * *", "0 */12 * * *",   "7-59/20 0-3 * * 0", "0 3 1,15 * 1", "0 3 */2 * 1",
        "0 0 29 2 *",  "59 23 31 12 *",  "0 2 * 3,10,11 0",   "0 0-23 * * 5", "0 12 1-7 * 6-7"}) {
    expect_same(all_due(cron(expression), where, from, to), NaiveCron(expression).due(minutes), expression, where);
  }
}

INSTANTIATE_TEST_SUITE_P(Zones, WholeYears,
                         ::testing::Values(ZoneYear{"berlin", "Europe/Berlin", "2025-01-01"},
                                           ZoneYear{"new_york", "America/New_York", "2027-01-01"},
                                           ZoneYear{"lord_howe_by_half_an_hour", "Australia/Lord_Howe", "2024-01-01"},
                                           ZoneYear{"kolkata_never_changes", "Asia/Kolkata", "2026-01-01"},
                                           ZoneYear{"utc", "UTC", "2026-01-01"},
                                           ZoneYear{"cairo_at_midnight", "Africa/Cairo", "2025-01-01"},
                                           ZoneYear{"santiago_at_midnight", "America/Santiago", "2025-01-01"},
                                           ZoneYear{"havana_shows_midnight_twice", "America/Havana", "2025-01-01"},
                                           ZoneYear{"casablanca_negative_saving", "Africa/Casablanca", "2025-01-01"},
                                           ZoneYear{"troll_by_two_hours", "Antarctica/Troll", "2026-01-01"},
                                           ZoneYear{"apia_skips_a_day", "Pacific/Apia", "2011-01-01"},
                                           ZoneYear{"caracas_moves_its_standard", "America/Caracas", "2007-01-01"}),
                         [](const auto& test) { return test.param.name; });

/// An expression of five fields that anybody could write.
std::string any_expression(std::mt19937& random) {
  static constexpr std::array<int, 5> kLeast{0, 0, 1, 1, 0};
  static constexpr std::array<int, 5> kMost{59, 23, 31, 12, 7};
  const auto pick = [&](int least, int most) { return std::uniform_int_distribution(least, most)(random); };
  std::string out;
  for (std::size_t i = 0; i < 5; ++i) {
    std::string field;
    const int elements = pick(1, 3);
    for (int element = 0; element < elements; ++element) {
      if (element > 0) field += ',';
      const int first = pick(kLeast[i], kMost[i]);
      const int last = pick(first, kMost[i]);
      switch (pick(0, i < 2 ? 4 : 2)) {
        case 0:
          field = "*";
          break;
        case 1:
          field += std::to_string(first);
          break;
        case 2:
          field += fmt::format("{}-{}", first, last);
          break;
        case 3:
          field += fmt::format("{}-{}/{}", first, last, pick(1, 9));
          break;
        default:
          field = fmt::format("*/{}", pick(1, kMost[i]));
          break;
      }
      if (field.front() == '*') break;
    }
    out += (i > 0 ? " " : "") + field;
  }
  return out;
}

TEST(RandomExpressions, AreWhatTheWallClockShowsMinuteByMinute) {
  std::mt19937 random(20'260'329);
  int seen = 0;
  // Around a jump in each direction; whole years are too long for expressions that are due each minute.
  for (const auto& [name, from] :
       {std::pair("Europe/Berlin", "2026-03-24"), std::pair("Europe/Berlin", "2026-10-20"),
        std::pair("America/New_York", "2026-03-04"), std::pair("America/New_York", "2026-10-28"),
        std::pair("Australia/Lord_Howe", "2026-03-31"), std::pair("Australia/Lord_Howe", "2026-09-30"),
        std::pair("Africa/Cairo", "2026-04-20"), std::pair("America/Havana", "2026-10-28")}) {
    const auto where = zone(name);
    const auto minutes = wall_minutes(name, from, 10);
    const auto begin = at(std::string(from) + "T00:00:00Z");
    for (int i = 0; i < 60; ++i) {
      const auto expression = any_expression(random);
      const auto read = Cron::parse(expression);
      if (!read.ok()) {
        EXPECT_NE(read.error().text().find("never comes"), std::string::npos) << read.error().text();
        continue;
      }
      ++seen;
      expect_same(all_due(*read, where, begin, begin + std::chrono::hours(240)), NaiveCron(expression).due(minutes),
                  expression, where);
    }
  }
  EXPECT_GT(seen, 400);
}

TEST(DaylightSaving, ASkippedTimeIsDueAtTheEndOfTheGap) {
  EXPECT_THAT(next_shown("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
              ElementsAre("2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"));
  EXPECT_THAT(next_shown("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
              ElementsAre("2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"));
}

TEST(DaylightSaving, SeveralSkippedTimesAreDueOnce) {
  EXPECT_THAT(next_shown("0,20,40 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2),
              ElementsAre("2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"));
  EXPECT_THAT(next_shown("*/15 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2),
              ElementsAre("2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"));
  // 02:30 and 03:00 meet at one instant.
  EXPECT_THAT(next_shown("0,30 2,3 * * *", "Europe/Berlin", "2026-03-28T22:00:00Z", 3),
              ElementsAre("2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00", "2026-03-30T02:00:00+02:00"));
}

TEST(DaylightSaving, AnHourlyExpressionKeepsItsDistanceAcrossAGap) {
  EXPECT_THAT(next_shown("7 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
              ElementsAre("2026-03-29T01:07:00+01:00", "2026-03-29T03:07:00+02:00", "2026-03-29T04:07:00+02:00"));
}

TEST(DaylightSaving, ARepeatedTimeIsDueWhenItIsShownFirst) {
  EXPECT_THAT(next_shown("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
              ElementsAre("2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"));
  EXPECT_THAT(next_shown("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z", 2),
              ElementsAre("2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"));
  // Asked in the second pass, and in the very instant it begins.
  EXPECT_THAT(next_shown("30 2 * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", 1),
              ElementsAre("2026-10-26T02:30:00+01:00"));
  EXPECT_THAT(next_shown("0 2 * * *", "Europe/Berlin", "2026-10-25T00:59:59.999Z", 1),
              ElementsAre("2026-10-26T02:00:00+01:00"));
}

TEST(DaylightSaving, AnIntervalIsDueInBothPasses) {
  EXPECT_THAT(next_shown("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 3),
              ElementsAre("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00"));
  EXPECT_THAT(next_shown("*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 5),
              ElementsAre("2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00",
                          "2026-10-25T02:30:00+01:00", "2026-10-26T02:00:00+01:00"));
}

TEST(DaylightSaving, ADayThatStartsAtOneStillHasItsMidnightRun) {
  EXPECT_THAT(next_shown("@daily", "Africa/Cairo", "2026-04-23T00:00:00Z", 2),
              ElementsAre("2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"));
  EXPECT_THAT(next_shown("@daily", "America/Santiago", "2026-09-05T12:00:00Z", 2),
              ElementsAre("2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"));
}

TEST(DaylightSaving, AMidnightThatIsShownTwiceIsOneRun) {
  EXPECT_THAT(next_shown("@daily", "America/Havana", "2026-10-31T12:00:00Z", 2),
              ElementsAre("2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00"));
}

TEST(DaylightSaving, ADateThatAZoneLeftOutIsDueWhenTheNextOneBegins) {
  EXPECT_THAT(next_shown("0 4 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 2),
              ElementsAre("2011-12-31T00:00:00+14:00", "2012-12-30T04:00:00+14:00"));
}

}  // namespace
}  // namespace audiencesync
