#include "engine/schedule/schedule.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "engine/schedule/jitter.h"
#include "tests/schedule/support.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;
using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Schedule schedule(const ScheduleSpec& spec, const std::string& uid = "luma-loyalty") {
  auto made = Schedule::make(spec, uid);
  if (!made.ok()) throw std::runtime_error(made.error().text());
  return std::move(made).take();
}

// "run for TIME", "wait for TIME until TIME".
std::string shown(const ScheduleDecision& decision) {
  const auto time = [](std::optional<Time> value) { return value ? to_iso8601(*value) : "ever"; };
  switch (decision.readiness) {
    case Readiness::Run:
      return "run for " + time(decision.due);
    case Readiness::Wait:
      return "wait for " + time(decision.due) + " until " + time(decision.again);
    case Readiness::Closed:
      return "closed for " + time(decision.due) + " until " + time(decision.again);
    case Readiness::Suspended:
      return "suspended for " + time(decision.due) + " until " + time(decision.again);
    case Readiness::Never:
      return "never";
  }
  return "";
}

std::string decided(const Schedule& schedule, std::string_view settled, std::string_view now) {
  return shown(schedule.decide({at(settled), std::nullopt}, at(now)));
}

std::vector<std::string> starts(const std::vector<PlannedRun>& runs) {
  std::vector<std::string> out;
  for (const auto& run : runs) out.push_back(to_iso8601(run.start));
  return out;
}

TEST(Jitter, IsTheSameForOneTimeOfOneSyncAndSpreadOverTheRest) {
  const auto due = at("2026-01-01T04:00:00Z");
  EXPECT_EQ(jitter_offset("luma-loyalty", due, 5min), jitter_offset("luma-loyalty", due, 5min));
  // The hash is part of what other machines and later versions must agree on.
  EXPECT_EQ(jitter_offset("luma-loyalty", due, 5min), 76s);
  EXPECT_NE(jitter_offset("luma-loyalty", due, 5min), jitter_offset("luma-loyalty", due + 24h, 5min));
  std::vector<int> in_minute(5);
  for (int i = 0; i < 5000; ++i) {
    const auto offset = jitter_offset(fmt::format("sync-{}", i), due, 5min);
    ASSERT_GE(offset, 0ms);
    ASSERT_LT(offset, 5min);
    ASSERT_EQ(offset % 1s, 0ms);
    ++in_minute.at(static_cast<std::size_t>(offset / 1min));
  }
  for (const auto count : in_minute) EXPECT_NEAR(count, 1000, 150);
}

TEST(Jitter, StaysBelowTheShortestRanges) {
  for (const auto range : {0ms, 1ms, 2ms, 999ms, 1000ms, 1001ms, 1500ms, 2000ms}) {
    Duration most{};
    for (int i = 0; i < 200; ++i) {
      const auto offset = jitter_offset(std::to_string(i), at("2026-01-01T04:00:00Z"), range);
      ASSERT_GE(offset, 0ms);
      ASSERT_TRUE(offset < range || offset == 0ms) << range.count();
      most = std::max(most, offset);
    }
    EXPECT_EQ(most == 1s, range > 1s) << range.count();
  }
  EXPECT_EQ(jitter_offset("a", at("2026-01-01T04:00:00Z"), -1h), 0ms);
}

TEST(Schedule, ARunIsDueOnceAtItsTime) {
  const auto daily = schedule({.cron = "0 4 * * *"});
  EXPECT_EQ(decided(daily, "2026-01-01T04:00:00Z", "2026-01-01T04:00:00Z"),
            "wait for 2026-01-02T04:00:00Z until 2026-01-02T04:00:00Z");
  EXPECT_EQ(decided(daily, "2026-01-01T04:00:00Z", "2026-01-02T03:59:59.999Z"),
            "wait for 2026-01-02T04:00:00Z until 2026-01-02T04:00:00Z");
  EXPECT_EQ(decided(daily, "2026-01-01T04:00:00Z", "2026-01-02T04:00:00Z"), "run for 2026-01-02T04:00:00Z");
  EXPECT_EQ(decided(daily, "2026-01-02T04:00:00Z", "2026-01-02T04:00:01Z"),
            "wait for 2026-01-03T04:00:00Z until 2026-01-03T04:00:00Z");
}

TEST(Schedule, DowntimeIsMadeUpForByOneRun) {
  const auto daily = schedule({.cron = "0 4 * * *"});
  EXPECT_EQ(decided(daily, "2026-01-01T04:00:00Z", "2026-01-20T12:00:00Z"), "run for 2026-01-20T04:00:00Z");
  EXPECT_EQ(decided(daily, "2026-01-20T04:00:00Z", "2026-01-20T12:00:01Z"),
            "wait for 2026-01-21T04:00:00Z until 2026-01-21T04:00:00Z");
  const auto often = schedule({.cron = "*/5 * * * *"});
  EXPECT_EQ(decided(often, "2016-01-01T04:00:00Z", "2026-01-20T12:03:00Z"), "run for 2026-01-20T12:00:00Z");
}

TEST(Schedule, ATimeWhoseJitterIsNotOverWaitsAndTakesTheMissedOnesWithIt) {
  const auto daily = schedule({.cron = "0 4 * * *", .jitter = 1h});
  const auto start = at("2026-01-02T04:00:00Z") + jitter_offset("luma-loyalty", at("2026-01-02T04:00:00Z"), 1h);
  ASSERT_GT(start, at("2026-01-02T04:00:30Z"));
  EXPECT_EQ(decided(daily, "2026-01-01T04:00:00Z", "2026-01-01T12:00:00Z"),
            "wait for 2026-01-02T04:00:00Z until " + to_iso8601(start));
  // Back after three days, half a minute too early: one run, not two.
  EXPECT_EQ(decided(daily, "2025-12-30T04:00:00Z", "2026-01-02T04:00:30Z"),
            "wait for 2026-01-02T04:00:00Z until " + to_iso8601(start));
  EXPECT_EQ(decided(daily, "2025-12-30T04:00:00Z", to_iso8601(start)), "run for 2026-01-02T04:00:00Z");
}

TEST(Schedule, JitterNeverReachesTheNextTime) {
  const auto often = schedule({.cron = "*/5 * * * *", .jitter = 1h});
  for (const auto& run : often.upcoming({at("2026-01-01T00:00:00Z"), std::nullopt}, at("2026-01-01T00:00:00Z"), 200)) {
    EXPECT_GE(run.start, run.due);
    EXPECT_LT(run.start, run.due + 5min);
  }
}

TEST(Schedule, AClosedWindowHoldsARunUntilItOpens) {
  const auto nights = schedule({.cron = "0 4,12 * * *", .allow = {{"0 22 * * *", 8h, "UTC"}}});
  EXPECT_EQ(decided(nights, "2026-01-01T04:00:00Z", "2026-01-01T11:00:00Z"),
            "wait for 2026-01-01T12:00:00Z until 2026-01-01T22:00:00Z");
  EXPECT_EQ(decided(nights, "2026-01-01T04:00:00Z", "2026-01-01T12:00:00Z"),
            "closed for 2026-01-01T12:00:00Z until 2026-01-01T22:00:00Z");
  EXPECT_EQ(decided(nights, "2026-01-01T04:00:00Z", "2026-01-01T22:00:00Z"), "run for 2026-01-01T12:00:00Z");
  EXPECT_EQ(decided(nights, "2026-01-01T12:00:00Z", "2026-01-01T22:00:01Z"),
            "wait for 2026-01-02T04:00:00Z until 2026-01-02T04:00:00Z");
}

TEST(Schedule, JitterDoesNotPushARunOutOfItsWindow) {
  // Two minutes a night, and up to an hour of jitter.
  const auto narrow = schedule({.cron = "0 4 * * *", .jitter = 1h, .allow = {{"0 4 * * *", 2min, "UTC"}}});
  const auto runs = narrow.upcoming({at("2026-01-01T12:00:00Z"), std::nullopt}, at("2026-01-01T12:00:00Z"), 50);
  ASSERT_EQ(runs.size(), 50U);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(runs[i].due, at("2026-01-02T04:00:00Z") + 24h * static_cast<int>(i));
    EXPECT_LT(runs[i].start - runs[i].due, 2min);
  }
}

TEST(Schedule, AfterAClosedWindowStartsAreSpreadToo) {
  std::vector<Duration> offsets;
  for (int i = 0; i < 20; ++i) {
    const auto sync =
        schedule({.cron = "0 4 * * *", .jitter = 10min, .deny = {{"0 0 * * *", 6h, "UTC"}}}, fmt::format("sync-{}", i));
    const auto run = sync.upcoming({at("2026-01-01T12:00:00Z"), std::nullopt}, at("2026-01-01T12:00:00Z"), 1).at(0);
    EXPECT_EQ(run.due, at("2026-01-02T04:00:00Z"));
    offsets.push_back(run.start - at("2026-01-02T06:00:00Z"));
    EXPECT_GE(offsets.back(), 0ms);
    EXPECT_LT(offsets.back(), 10min);
  }
  std::sort(offsets.begin(), offsets.end());
  EXPECT_GT(offsets.back() - offsets.front(), 5min);
}

TEST(Schedule, WindowsThatNeverOpenRunNothing) {
  const auto never = schedule({.cron = "0 4 * * *", .jitter = 5min, .deny = {{"@daily", 24h, "UTC"}}});
  EXPECT_EQ(decided(never, "2026-01-01T04:00:00Z", "2026-01-02T04:10:00Z"),
            "closed for 2026-01-02T04:00:00Z until ever");
  EXPECT_THAT(never.upcoming({at("2026-01-01T04:00:00Z"), std::nullopt}, at("2026-01-01T05:00:00Z"), 5), IsEmpty());
}

TEST(Schedule, ASuspendedSyncRunsOnceWhenTheSuspensionEnds) {
  const auto daily = schedule({.cron = "0 4 * * *"});
  const ScheduleState until_friday{at("2026-01-01T04:00:00Z"), Pause{at("2026-01-09T12:00:00Z")}};
  EXPECT_EQ(shown(daily.decide(until_friday, at("2026-01-05T12:00:00Z"))),
            "suspended for 2026-01-05T04:00:00Z until 2026-01-09T12:00:00Z");
  EXPECT_EQ(shown(daily.decide(until_friday, at("2026-01-09T12:00:00Z"))), "run for 2026-01-09T04:00:00Z");
  EXPECT_THAT(starts(daily.upcoming(until_friday, at("2026-01-05T12:00:00Z"), 3)),
              ElementsAre("2026-01-09T12:00:00Z", "2026-01-10T04:00:00Z", "2026-01-11T04:00:00Z"));
  const ScheduleState for_ever{at("2026-01-01T04:00:00Z"), Pause{}};
  EXPECT_EQ(shown(daily.decide(for_ever, at("2026-03-05T12:00:00Z"))), "suspended for 2026-03-05T04:00:00Z until ever");
  EXPECT_THAT(daily.upcoming(for_ever, at("2026-03-05T12:00:00Z"), 5), IsEmpty());
}

TEST(Schedule, StatusShowsTheNextFive) {
  const auto daily = schedule({.cron = "30 2 * * *", .timezone = "Europe/Berlin"});
  std::vector<std::string> local;
  for (const auto& run : daily.upcoming({at("2026-03-27T02:00:00Z"), std::nullopt}, at("2026-03-27T12:00:00Z"), 5)) {
    local.push_back(daily.zone().local_text(run.start));
  }
  EXPECT_THAT(local, ElementsAre("2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00",
                                 "2026-03-31T02:30:00+02:00", "2026-04-01T02:30:00+02:00"));
  // What is due already comes first.
  EXPECT_THAT(starts(daily.upcoming({at("2026-03-20T02:00:00Z"), std::nullopt}, at("2026-03-27T12:00:00Z"), 2)),
              ElementsAre("2026-03-27T12:00:00Z", "2026-03-28T01:30:00Z"));
}

TEST(ClockJumps, ForwardIsLikeDowntime) {
  const auto daily = schedule({.cron = "0 4 * * *"});
  EXPECT_EQ(decided(daily, "2026-01-02T04:00:00Z", "2031-06-01T00:00:00Z"), "run for 2031-05-31T04:00:00Z");
  EXPECT_EQ(decided(daily, "2031-05-31T04:00:00Z", "2031-06-01T00:00:01Z"),
            "wait for 2031-06-01T04:00:00Z until 2031-06-01T04:00:00Z");
}

TEST(ClockJumps, ALittleBackRepeatsNothing) {
  const auto daily = schedule({.cron = "0 4 * * *"});
  for (const auto* now : {"2026-01-02T03:58:00Z", "2026-01-02T04:00:00Z", "2026-01-01T08:00:00Z"}) {
    EXPECT_EQ(decided(daily, "2026-01-02T04:00:00Z", now), "wait for 2026-01-03T04:00:00Z until 2026-01-03T04:00:00Z")
        << now;
  }
}

TEST(ClockJumps, FarBackGoesOnFromNow) {
  const auto daily = schedule({.cron = "0 4 * * *"});
  EXPECT_EQ(decided(daily, "2031-05-31T04:00:00Z", "2026-01-02T12:00:00Z"),
            "wait for 2026-01-03T04:00:00Z until 2026-01-03T04:00:00Z");
  EXPECT_EQ(decided(daily, "2031-05-31T04:00:00Z", "2026-01-03T03:00:00Z"),
            "wait for 2026-01-03T04:00:00Z until 2026-01-03T04:00:00Z");
  const auto often = schedule({.cron = "* * * * *"});
  EXPECT_EQ(decided(often, "2026-01-02T12:50:00Z", "2026-01-02T12:00:00Z"),
            "wait for 2026-01-02T12:01:00Z until 2026-01-02T12:01:00Z");
  EXPECT_THAT(starts(daily.upcoming({at("2031-05-31T04:00:00Z"), std::nullopt}, at("2026-01-02T12:00:00Z"), 2)),
              ElementsAre("2026-01-03T04:00:00Z", "2026-01-04T04:00:00Z"));
}

TEST(ClockJumps, APastThatIsNoTimeAtAllIsMadeUpForOnce) {
  const auto daily = schedule({.cron = "0 4 * * *"});
  EXPECT_EQ(shown(daily.decide({Time::min(), std::nullopt}, at("2026-01-01T12:00:00Z"))),
            "run for 2026-01-01T04:00:00Z");
  EXPECT_EQ(shown(daily.decide({Time::max(), std::nullopt}, at("2026-01-01T12:00:00Z"))),
            "wait for 2026-01-02T04:00:00Z until 2026-01-02T04:00:00Z");
}

TEST(ClockJumps, AClockOutsideAllCalendarsNeverRuns) {
  const auto daily = schedule({.cron = "0 4 * * *", .jitter = 5min, .deny = {{"@daily", 1h, "UTC"}}});
  for (const auto now : {Time::min(), Time::max()}) {
    EXPECT_EQ(shown(daily.decide({at("2026-01-01T00:00:00Z"), std::nullopt}, now)), "never");
    EXPECT_THAT(daily.upcoming({at("2026-01-01T00:00:00Z"), std::nullopt}, now, 5), IsEmpty());
  }
}

TEST(Schedule, WrongOnesAreNamed) {
  const auto said = [](const ScheduleSpec& spec) {
    const auto made = Schedule::make(spec, "a");
    return made.ok() ? "" : made.error().text();
  };
  EXPECT_EQ(said({.cron = "0 4 * *"}).substr(0, 33), "schedule '0 4 * *' has 4 fields, ");
  EXPECT_EQ(said({.cron = "@daily", .timezone = "Berlin"}),
            "time zone 'Berlin' is not known here; did you mean 'Europe/Berlin'?");
  EXPECT_EQ(said({.cron = "@daily", .jitter = 25h}),
            "jitter 90000000ms is not possible; write a duration of at most 24h");
  EXPECT_EQ(said({.cron = "@daily", .allow = {{"@daily", 0h, "UTC"}}}),
            "allow window '@daily' lasts 0h; write a duration above zero, at most 366d");
}

struct World {
  const char* name;
  ScheduleSpec spec;
};

class Polled : public ::testing::TestWithParam<World> {};

// A daemon that asks all the time, and one that asks only when it was told to.
TEST_P(Polled, GivesWhatUpcomingPromised) {
  const auto sync = schedule(GetParam().spec);
  const auto begin = at("2026-03-28T12:00:00Z");  // across the night in which Berlin loses an hour
  const auto end = begin + 36h;
  const ScheduleState first{begin - 26h, std::nullopt};
  std::vector<PlannedRun> polled;
  auto state = first;
  auto quiet_until = begin;  // as the last decision said, which polling must not contradict
  for (auto now = begin; now < end; now = now < quiet_until ? std::min(now + 13s, quiet_until) : now + 13s) {
    const auto decision = sync.decide(state, now);
    if (decision.readiness == Readiness::Run) {
      EXPECT_LE(quiet_until, now);
      EXPECT_EQ(sync.windows().opening(now), Opening::Open);
      EXPECT_TRUE(polled.empty() || polled.back().due < *decision.due);
      polled.push_back({*decision.due, now});
      state.settled = *decision.due;
    } else if (decision.again) {
      EXPECT_GT(*decision.again, now);
      quiet_until = *decision.again;
    }
  }
  auto promised = sync.upcoming(first, begin, 500);
  std::erase_if(promised, [&](const PlannedRun& run) { return run.start >= end; });
  EXPECT_EQ(polled.size(), promised.size());
  EXPECT_TRUE(polled == promised);
  EXPECT_GE(polled.size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, Polled,
    ::testing::Values(
        World{"plain", {.cron = "0 4 * * *"}},
        World{"jitter", {.cron = "30 2,14 * * *", .timezone = "Europe/Berlin", .jitter = 45min}},
        World{"often_with_long_jitter", {.cron = "*/20 * * * *", .timezone = "Europe/Berlin", .jitter = 2h}},
        World{"allowed_at_night",
              {.cron = "*/30 * * * *", .jitter = 20min, .allow = {{"0 22 * * *", 8h, "Europe/Berlin"}}}},
        World{"denied_on_and_off", {.cron = "7 * * * *", .jitter = 50min, .deny = {{"0 */2 * * *", 70min, "UTC"}}}},
        World{"short_openings",
              {.cron = "0 * * * *", .jitter = 30min, .allow = {{"5,45 */3 * * *", 2min, "America/New_York"}}}}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace audiencesync
