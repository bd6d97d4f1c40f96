#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/schedule/support.h"

namespace audiencesync {
namespace {

using testing::at;
using testing::cron;
using ::testing::ElementsAre;
using testing::next_shown;

std::string complaint(std::string_view text) {
  const auto read = Cron::parse(text);
  return read.ok() ? "" : read.error().text();
}

TEST(CronSyntax, SaysWhatIsWrongWhereAndWhatToWrite) {
  EXPECT_EQ(
      complaint("0 4,25 * * *"),
      "schedule '0 4,25 * * *' has hour '25' at character 5, which must be *, a number from 0 to 23, a range or a "
      "list of them; write for example 0 4 * * * for every day at 04:00");
  EXPECT_EQ(complaint("0 4 * foo *"),
            "schedule '0 4 * foo *' has month 'foo' at character 7, which must be *, a number from 1 to 12, a name, a "
            "range or a list of them; write for example 0 4 * * * for every day at 04:00");
  EXPECT_EQ(
      complaint("0  22-5 * * *"),
      "schedule '0  22-5 * * *' has hour '22-5' at character 4, which runs backwards; write 22-23,0-5 to pass the "
      "end, or exchange the two");
  EXPECT_EQ(complaint("5/15 * * * *"),
            "schedule '5/15 * * * *' has minute '5/15' at character 1, whose step needs a range to count in; write "
            "5-59/15");
  EXPECT_EQ(complaint("*/60 * * * *"),
            "schedule '*/60 * * * *' has minute '*/60' at character 1, whose step must be a number from 1 to 59");
  EXPECT_EQ(
      complaint("0 4 * *"),
      "schedule '0 4 * *' has 4 fields, but a schedule has five (minute, hour, day of month, month, day of week); "
      "write for example 0 4 * * * for every day at 04:00");
  EXPECT_EQ(complaint("@midnight"),
            "schedule '@midnight' is not known; write one of @hourly, @daily, @weekly, @monthly, @yearly, or five "
            "fields, for example 0 4 * * * for every day at 04:00");
  EXPECT_EQ(
      complaint("0 4 30,31 feb *"),
      "schedule '0 4 30,31 feb *' names day 30,31 of month feb, which never comes; write for example 0 4 * * * for "
      "every day at 04:00");
}

TEST(CronSyntax, WhatCanNeverBeDueIsRefused) {
  for (const auto* never : {"0 4 30 2 *", "0 4 31 2,4,6,9,11 *", "0 0 31 4 *", "0 0 30-31 2 */2", "0 0 31 feb,jun *"}) {
    EXPECT_NE(complaint(never).find("never comes"), std::string::npos) << never;
  }
  for (const auto* some_day : {"0 4 29 2 *", "0 4 31 1,4 *", "0 4 28-30 2 *", "0 4 30 2 mon", "0 0 29 2 */6"}) {
    EXPECT_EQ(complaint(some_day), "") << some_day;
  }
}

TEST(CronSyntax, OddTextsAreRefusedAndShownWithoutControlCharacters) {
  for (const auto* bad : {"",
                          " ",
                          "* * * * * *",
                          "0,,5 4 * * *",
                          "0, 4 * * *",
                          ",0 4 * * *",
                          "- 4 * * *",
                          "0- 4 * * *",
                          "0-5- 4 * * *",
                          "*-5 4 * * *",
                          "**  4 * * *",
                          "*/ 4 * * *",
                          "/5 4 * * *",
                          "*/5/5 4 * * *",
                          "+1 4 * * *",
                          "1.5 4 * * *",
                          "0x1 4 * * *",
                          "99999999999999999999 4 * * *",
                          "0 4 0 * *",
                          "0 4 32 * *",
                          "0 4 * 0 *",
                          "0 4 * * 8",
                          "0 4 * * sunday",
                          "0 jan * * *",
                          "0 4 * mon *",
                          "@",
                          "@Daily",
                          "@daily ",
                          "0\t4 * * *",
                          "0 4 * * *\n",
                          "?  4 * * *",
                          "0 4 L * *",
                          "0 4 * * 5#2"}) {
    EXPECT_NE(complaint(bad), "") << bad;
    EXPECT_EQ(complaint(bad).find('\n'), std::string::npos) << bad;
  }
  EXPECT_NE(complaint(std::string("0 4 * * \0", 9)), "");
  EXPECT_LT(complaint(std::string(1'000'000, '7')).size(), 500U);
}

TEST(CronSyntax, RandomTextsAreReadOrRefused) {
  std::mt19937 random(5);
  constexpr std::string_view kLetters = "0123456789*/-, @sunmofebjl\xff";
  int read = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (auto field = 0; field < 5; ++field) {
      // Mostly short fields of likely letters, so that some of them mean something.
      const auto letters = random() % 4 == 0 ? kLetters : kLetters.substr(1, 10);
      for (auto left = random() % 5 / 3; left < 2; ++left) text += letters[random() % letters.size()];
      text += ' ';
    }
    const auto parsed = Cron::parse(text);
    if (!parsed.ok()) continue;
    ++read;
    EXPECT_TRUE(parsed->next(at("2026-01-01T00:00:00Z"), Zone()).has_value()) << text;
  }
  EXPECT_GT(read, 500);
  EXPECT_LT(read, 49'000);
}

TEST(Cron, TheNextTimeIsStrictlyLater) {
  const auto daily = cron("0 4 * * *");
  EXPECT_EQ(daily.next(at("2026-01-01T03:59:59.999Z"), Zone()), at("2026-01-01T04:00:00Z"));
  EXPECT_EQ(daily.next(at("2026-01-01T04:00:00Z"), Zone()), at("2026-01-02T04:00:00Z"));
  EXPECT_EQ(daily.next(at("2026-01-01T04:00:00.001Z"), Zone()), at("2026-01-02T04:00:00Z"));
}

struct NextCase {
  const char* name;
  const char* expression;
  const char* after;
  const char* expected;
};

class NextTime : public ::testing::TestWithParam<NextCase> {};

TEST_P(NextTime, IsFound) {
  const auto& row = GetParam();
  const auto next = cron(row.expression).next(at(row.after), Zone());
  EXPECT_EQ(next ? to_iso8601(*next) : "none", row.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, NextTime,
    ::testing::Values(
        NextCase{"year_end", "0 0 1 1 *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
        NextCase{"last_minute_of_a_year", "59 23 31 12 *", "2026-12-31T23:58:00Z", "2026-12-31T23:59:00Z"},
        NextCase{"hourly", "@hourly", "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"},
        NextCase{"weekly_is_sunday", "@weekly", "2026-03-25T12:00:00Z", "2026-03-29T00:00:00Z"},
        NextCase{"monthly", "@monthly", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
        NextCase{"yearly", "@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
        NextCase{"leap_day", "0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
        NextCase{"no_leap_day_in_2100", "0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
        NextCase{"leap_day_in_2000", "0 0 29 2 *", "1999-03-01T00:00:00Z", "2000-02-29T00:00:00Z"},
        NextCase{"leap_day_on_a_sunday", "0 0 29 2 */7", "2026-01-01T00:00:00Z", "2032-02-29T00:00:00Z"},
        NextCase{"leap_day_on_a_sunday_across_2100", "0 0 29 2 */7", "2088-03-01T00:00:00Z", "2128-02-29T00:00:00Z"},
        NextCase{"day_31_skips_short_months", "0 0 31 * *", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"},
        NextCase{"seven_is_sunday", "0 0 * * 7", "2026-03-25T00:00:00Z", "2026-03-29T00:00:00Z"},
        NextCase{"week_to_sunday", "0 0 * * sat-sun", "2026-03-28T00:00:00Z", "2026-03-29T00:00:00Z"},
        NextCase{"names_in_any_case", "0 0 * FEB Mon", "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"},
        NextCase{"range_with_step", "10-40/15 * * * *", "2026-01-01T00:10:00Z", "2026-01-01T00:25:00Z"},
        NextCase{"step_ends_with_the_range", "10-40/15 * * * *", "2026-01-01T00:40:00Z", "2026-01-01T01:10:00Z"},
        // One of the two days is enough when both are named: the 13th, or a Friday.
        NextCase{"either_day_by_weekday", "0 0 13 * 5", "2026-03-10T00:00:00Z", "2026-03-13T00:00:00Z"},
        NextCase{"either_day_by_date", "0 0 13 * 5", "2026-04-10T00:00:00Z", "2026-04-13T00:00:00Z"},
        // With a star both must fit: an odd date that is a Monday.
        NextCase{"both_days_with_a_step", "0 0 */2 * 1", "2026-03-03T00:00:00Z", "2026-03-09T00:00:00Z"},
        NextCase{"before_1970", "0 4 * * *", "1969-12-31T12:00:00Z", "1970-01-01T04:00:00Z"},
        NextCase{"before_all_zones", "0 4 * * *", "1850-01-01T00:00:00Z", "none"},
        NextCase{"far_future", "0 4 * * *", "9500-01-01T00:00:00Z", "none"}),
    [](const auto& test) { return test.param.name; });

TEST(Cron, AnExtremeClockIsNoReasonToFail) {
  const auto daily = cron("@daily");
  for (const auto time : {Time::min(), Time::max()}) {
    EXPECT_EQ(daily.next(time, Zone()), std::nullopt);
    EXPECT_EQ(daily.next(time, testing::zone("Europe/Berlin")), std::nullopt);
  }
  EXPECT_EQ(daily.newest(Time::min(), Time::max(), Zone()), at("9000-01-01T00:00:00Z"));
  EXPECT_EQ(daily.newest(Time::max(), Time::min(), Zone()), std::nullopt);
  EXPECT_EQ(testing::zone("Europe/Berlin").local_text(Time::min()).substr(0, 5), "0001-");
  EXPECT_EQ(testing::zone("Europe/Berlin").local_text(Time::max()).substr(0, 5), "9999-");
}

TEST(Cron, TheNewestTimeIsTheLastOneThatNextWouldFind) {
  std::mt19937_64 random(11);
  const auto begin = to_epoch_ms(at("2026-01-01T00:00:00Z"));
  const auto berlin = testing::zone("Europe/Berlin");
  for (const auto* expression : {"* * * * *", "*/7 * * * *", "30 2 * * *", "0 4 * * 1", "@monthly", "0 0 29 2 *"}) {
    const auto read = cron(expression);
    for (int i = 0; i < 60; ++i) {
      const auto span = std::int64_t{1} << (random() % 30);
      const auto after = from_epoch_ms(begin + static_cast<std::int64_t>(random() % 31'536'000'000));
      const auto until = after + Duration(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(span)));
      std::optional<Time> expected;
      for (auto due = read.next(after, berlin); due && *due <= until; due = read.next(*due, berlin)) expected = due;
      EXPECT_EQ(read.newest(after, until, berlin), expected) << expression << " after " << to_iso8601(after);
    }
  }
}

TEST(Cron, IsThereOnTheInstant) {
  const auto daily = cron("0 4 * * *");
  const auto due = at("2026-01-01T04:00:00Z");
  EXPECT_EQ(daily.newest(due - Duration(1), due, Zone()), due);
  EXPECT_EQ(daily.newest(due, due, Zone()), std::nullopt);
  EXPECT_EQ(daily.newest(due + Duration(5), due, Zone()), std::nullopt);
}

TEST(TimeZones, AreThoseOfTheSystem) {
  EXPECT_EQ(testing::zone("Europe/Berlin").local_text(at("2026-07-01T00:00:00Z")), "2026-07-01T02:00:00+02:00");
  EXPECT_EQ(testing::zone("America/St_Johns").local_text(at("2026-01-01T00:00:00.250Z")), "2025-12-31T20:30:00-03:30");
  EXPECT_EQ(Zone().local_text(at("2026-01-01T00:00:00Z")), "2026-01-01T00:00:00+00:00");
  EXPECT_EQ(testing::zone("UTC").name(), "UTC");
  EXPECT_EQ(next_shown("0 4 * * *", "Etc/GMT-5", "2026-01-01T00:00:00Z", 1).front(), "2026-01-02T04:00:00+05:00");
}

TEST(TimeZones, ASpanEndsWhereTheClockJumps) {
  const auto span =
      testing::zone("Europe/Berlin").span_at(std::chrono::floor<std::chrono::seconds>(at("2026-07-01T00:00:00Z")));
  EXPECT_EQ(Time(span.begin), at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(Time(span.end), at("2026-10-25T01:00:00Z"));
  EXPECT_EQ(span.offset, std::chrono::hours(2));
}

TEST(TimeZones, AnUnknownOneNamesWhatWasMeant) {
  const auto said = [](std::string_view name) {
    const auto found = Zone::find(name);
    return found.ok() ? "found" : found.error().text();
  };
  EXPECT_EQ(said("Berlin"), "time zone 'Berlin' is not known here; did you mean 'Europe/Berlin'?");
  EXPECT_EQ(said("europe/berlin"), "time zone 'europe/berlin' is not known here; did you mean 'Europe/Berlin'?");
  EXPECT_EQ(said("America/New York"),
            "time zone 'America/New York' is not known here; did you mean 'America/New_York'?");
  EXPECT_EQ(said("Europe Berlin"), "time zone 'Europe Berlin' is not known here; did you mean 'Europe/Berlin'?");
  EXPECT_EQ(said("Mars/Olympus"),
            "time zone 'Mars/Olympus' is not known here; write UTC or a name such as Europe/Berlin");
  // What depends on the machine, leads out of the database or is no name at all.
  for (const auto* bad : {"localtime", "Localtime", "", "../../etc/passwd", "/etc/localtime", "Europe/", "right/UTC",
                          "tzdata.zi", "CEST", "\n"}) {
    EXPECT_NE(said(bad).find("is not known here; write UTC"), std::string::npos) << bad << ": " << said(bad);
  }
}

}  // namespace
}  // namespace audiencesync
