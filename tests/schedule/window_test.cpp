#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "engine/schedule/window.h"
#include "tests/schedule/oracle.h"
#include "tests/schedule/support.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;
using testing::at;

Windows windows(const std::vector<WindowSpec>& allow, const std::vector<WindowSpec>& deny) {
  auto made = Windows::make(allow, deny);
  if (!made.ok()) throw std::runtime_error(made.error().text());
  return std::move(made).take();
}

// "open until 2026-01-01T00:00:00Z: reason"
std::string shown(const WindowState& state) {
  return fmt::format("{} until {}: {}", state.opening == Opening::Open ? "open" : "closed",
                     state.until ? to_iso8601(*state.until) : "ever", state.reason);
}

TEST(Windows, WithoutAnyItIsAlwaysOpen) {
  EXPECT_EQ(shown(Windows().state(at("2026-01-01T00:00:00Z"))), "open until ever: ");
  EXPECT_EQ(Windows().open_from(at("2026-01-01T00:00:00Z")), at("2026-01-01T00:00:00Z"));
}

TEST(Windows, OutsideAllAllowWindowsItIsClosed) {
  const auto nights = windows({{"0 22 * * *", 8h, "UTC"}}, {});
  EXPECT_EQ(shown(nights.state(at("2026-01-01T12:00:00Z"))),
            "closed until 2026-01-01T22:00:00Z: outside every allow window");
  EXPECT_EQ(shown(nights.state(at("2026-01-01T22:00:00Z"))),
            "open until 2026-01-02T06:00:00Z: allow window '0 22 * * *' for 8h in UTC");
  EXPECT_EQ(nights.opening(at("2026-01-02T05:59:59.999Z")), Opening::Open);
  EXPECT_EQ(nights.opening(at("2026-01-02T06:00:00Z")), Opening::Closed);
  EXPECT_EQ(nights.open_from(at("2026-01-02T06:00:00Z")), at("2026-01-02T22:00:00Z"));
}

TEST(Windows, ADenyWindowWins) {
  const auto both = windows({{"0 22 * * *", 8h, "UTC"}}, {{"30 23 * * *", 90min, "UTC"}});
  EXPECT_EQ(shown(both.state(at("2026-01-01T22:30:00Z"))),
            "open until 2026-01-01T23:30:00Z: allow window '0 22 * * *' for 8h in UTC");
  EXPECT_EQ(shown(both.state(at("2026-01-01T23:45:00Z"))),
            "closed until 2026-01-02T01:00:00Z: deny window '30 23 * * *' for 90m in UTC");
  EXPECT_EQ(both.open_from(at("2026-01-01T23:45:00Z")), at("2026-01-02T01:00:00Z"));
  const auto only_denied = windows({}, {{"30 23 * * *", 90min, "UTC"}});
  EXPECT_EQ(shown(only_denied.state(at("2026-01-01T12:00:00Z"))),
            "open until 2026-01-01T23:30:00Z: outside every deny window");
}

TEST(Windows, ADurationIsElapsedTime) {
  const auto nights = windows({{"0 22 * * *", 8h, "Europe/Berlin"}}, {});
  const auto berlin = testing::zone("Europe/Berlin");
  EXPECT_EQ(berlin.local_text(*nights.state(at("2026-03-28T23:00:00Z")).until), "2026-03-29T07:00:00+02:00");
  EXPECT_EQ(berlin.local_text(*nights.state(at("2026-10-24T23:00:00Z")).until), "2026-10-25T05:00:00+01:00");
}

TEST(Windows, ThoseThatOverlapOrTouchAreOne) {
  const auto office = windows({}, {{"0 8 * * 1-5", 4h, "UTC"}, {"0 12 * * 1-5", 4h, "UTC"}, {"0 15 * * 1", 3h, "UTC"}});
  EXPECT_EQ(office.state(at("2026-03-30T09:00:00Z")).until, at("2026-03-30T18:00:00Z"));  // a Monday
  EXPECT_EQ(office.state(at("2026-03-31T09:00:00Z")).until, at("2026-03-31T16:00:00Z"));
  // Longer than its own period: every weekday begins before the one before is over.
  const auto weekdays = windows({}, {{"0 0 * * 1-5", 30h, "UTC"}});
  EXPECT_EQ(weekdays.state(at("2026-03-30T09:00:00Z")).until, at("2026-04-04T06:00:00Z"));
}

TEST(Windows, WhatNeverOpensSaysSo) {
  const auto never = windows({}, {{"0 0 * * *", 24h, "UTC"}});
  EXPECT_EQ(shown(never.state(at("2026-03-30T09:00:00Z"))),
            "closed until ever: deny window '0 0 * * *' for 24h in UTC");
  EXPECT_EQ(never.open_from(at("2026-03-30T09:00:00Z")), std::nullopt);
  // Costs as much as it may: ends all the same.
  const auto minutes = windows({}, {{"* * * * *", 1min, "Europe/Berlin"}});
  EXPECT_EQ(minutes.open_from(at("2026-03-30T09:00:00Z")), std::nullopt);
}

TEST(Windows, AMonthOfMinutesIsSeenThrough) {
  const auto march = windows({{"* * 1-14 3 *", 1min, "UTC"}}, {});
  EXPECT_EQ(march.state(at("2026-03-02T09:00:00Z")).until, at("2026-03-15T00:00:00Z"));
}

TEST(Windows, AnExtremeClockIsNoReasonToFail) {
  const auto both = windows({{"0 22 * * *", 8h, "UTC"}}, {{"@yearly", 24h * 366, "Europe/Berlin"}});
  for (const auto time : {Time::min(), Time::max()}) {
    EXPECT_EQ(both.opening(time), Opening::Closed);
    EXPECT_EQ(both.state(time).opening, Opening::Closed);
    EXPECT_EQ(Windows().open_from(time), time);
    both.open_from(time);
    both.change(time, time);
  }
}

TEST(Windows, WrongOnesAreNamed) {
  const auto said = [](const std::vector<WindowSpec>& deny) {
    const auto made = Windows::make({}, deny);
    return made.ok() ? "" : made.error().text();
  };
  EXPECT_EQ(
      said({{"0 25 * * *", 1h, "UTC"}}),
      "deny window: schedule '0 25 * * *' has hour '25' at character 3, which must be *, a number from 0 to 23, a "
      "range or a list of them; write for example 0 4 * * * for every day at 04:00");
  EXPECT_EQ(said({{"@daily", 1h, "Berlin"}}),
            "deny window: time zone 'Berlin' is not known here; did you mean 'Europe/Berlin'?");
  EXPECT_EQ(said({{"@daily", 0h, "UTC"}}), "deny window '@daily' lasts 0h; write a duration above zero, at most 366d");
  EXPECT_EQ(said({{"@daily", -1h, "UTC"}}),
            "deny window '@daily' lasts -1h; write a duration above zero, at most 366d");
  EXPECT_EQ(said({{"@daily", Duration::max(), "UTC"}}).substr(0, 27), "deny window '@daily' lasts ");
}

// Which minutes an entry covers, by counting.
std::vector<bool> covered(const WindowSpec& spec, const std::vector<testing::WallMinute>& minutes) {
  std::vector<bool> out(minutes.size());
  for (const auto due : testing::NaiveCron(spec.cron).due(minutes)) {
    const auto first = static_cast<std::size_t>(to_epoch_ms(due) / 60'000 - minutes.front().utc / 60);
    const auto length = static_cast<std::size_t>(spec.duration / 1min);
    for (auto i = first; i < std::min(first + length, out.size()); ++i) out[i] = true;
  }
  return out;
}

TEST(Windows, AreWhatCountingMinutesSays) {
  std::mt19937 random(23);
  const auto pick = [&](int least, int most) { return std::uniform_int_distribution(least, most)(random); };
  const std::vector<std::string> zones{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"};
  for (int round = 0; round < 16; ++round) {
    const auto any_list = [&](int most) {
      std::vector<WindowSpec> specs;
      for (int left = pick(0, most); left > 0; --left) {
        const auto expression = fmt::format("{} {} * * {}", pick(0, 59), pick(0, 23), pick(0, 1) == 0 ? "*" : "1-5");
        specs.push_back({expression, std::chrono::minutes(pick(1, 1800)), zones[random() % zones.size()]});
      }
      return specs;
    };
    const auto allow = any_list(2);
    const auto deny = any_list(2);
    constexpr int kWarmUp = 3 * 1440;  // what began before the first minute that is looked at
    std::vector<bool> allowed, denied;
    for (const auto* list : {&allow, &deny}) {
      auto& sum = list == &allow ? allowed : denied;
      sum.assign(std::size_t{17} * 1440, false);
      for (const auto& spec : *list) {
        const auto one = covered(spec, testing::wall_minutes(spec.timezone, "2026-03-26", 17));
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = sum[i] || one[i];
      }
    }
    const auto is_open = [&](std::size_t i) { return !denied[i] && (allow.empty() || allowed[i]); };
    const auto made = windows(allow, deny);
    const auto begin = at("2026-03-26T00:00:00Z");
    std::size_t change = allowed.size();  // the next one, found from the end
    for (auto i = allowed.size() - 1; i > kWarmUp; --i) {
      const auto time = begin + std::chrono::minutes(i);
      const bool changes = is_open(i) != is_open(i - 1);
      if (i % 31 == 0 || changes) {
        ASSERT_EQ(made.opening(time) == Opening::Open, is_open(i)) << round << " " << to_iso8601(time);
        ASSERT_EQ(made.opening(time - 1ms) == Opening::Open, is_open(i - 1)) << round << " " << to_iso8601(time);
      }
      if (i % 499 == 0 && change < allowed.size()) {
        ASSERT_EQ(made.state(time + 31s).until, begin + std::chrono::minutes(change)) << round << to_iso8601(time);
      }
      if (changes) change = i;
    }
  }
}

}  // namespace
}  // namespace audiencesync
