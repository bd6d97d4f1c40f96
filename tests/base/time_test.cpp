#include <gtest/gtest.h>

#include <thread>

#include "engine/base/clock.h"
#include "engine/base/server_time.h"

namespace audiencesync {
namespace {

using namespace std::chrono_literals;

struct TimeCase {
  const char* name;
  const char* text;
  const char* expected;  // "" when it is no time
};

class ParseTime : public testing::TestWithParam<TimeCase> {};

TEST_P(ParseTime, ReadsWhatThePlatformWrites) {
  const auto time = parse_time(GetParam().text);
  EXPECT_EQ(time ? to_iso8601(*time) : "", GetParam().expected) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Rules, ParseTime,
    testing::Values(
        TimeCase{"utc", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"},
        TimeCase{"milliseconds", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"},
        TimeCase{"tenths", "2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600Z"},
        TimeCase{"microseconds_are_cut", "2026-01-02T03:04:05.678999Z", "2026-01-02T03:04:05.678Z"},
        TimeCase{"east", "2026-01-02T03:04:05+05:30", "2026-01-01T21:34:05Z"},
        TimeCase{"west", "2026-12-31T23:04:05-02:00", "2027-01-01T01:04:05Z"},
        TimeCase{"offset_without_colon", "2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05Z"},
        TimeCase{"no_zone_is_utc", "2026-01-02T03:04:05", "2026-01-02T03:04:05Z"},
        TimeCase{"http", "Fri, 02 Jan 2026 03:04:05 GMT", "2026-01-02T03:04:05Z"},
        TimeCase{"leap_day", "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
        TimeCase{"leap_second", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
        TimeCase{"before_1970", "1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59.500Z"},
        TimeCase{"no_leap_day", "2026-02-29T00:00:00Z", ""}, TimeCase{"no_such_month", "2026-13-01T00:00:00Z", ""},
        TimeCase{"no_such_hour", "2026-01-01T24:00:00Z", ""}, TimeCase{"trailing", "2026-01-02T03:04:05Zulu", ""},
        TimeCase{"trailing_offset", "2026-01-02T03:04:05+01:00x", ""},
        TimeCase{"no_digits_after_point", "2026-01-02T03:04:05.Z", ""}, TimeCase{"short_fields", "2026-1-2T3:4:5Z", ""},
        TimeCase{"other_day_word", "Fre, 02 Jan 2026 03:04:05 GMT", ""},
        TimeCase{"other_month_word", "Fri, 02 Mai 2026 03:04:05 GMT", ""},
        TimeCase{"half_of_two_months", "Fri, 02 anF 2026 03:04:05 GMT", ""}, TimeCase{"cut_off", "2026-01-02T03", ""},
        TimeCase{"empty", "", ""}, TimeCase{"word", "yesterday", ""}),
    [](const auto& test) { return test.param.name; });

TEST(Clock, EpochRoundTrip) {
  EXPECT_EQ(to_iso8601(from_epoch_ms(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_iso8601(from_epoch_ms(-1)), "1969-12-31T23:59:59.999Z");
  for (std::int64_t ms = -10'000'000'000'000; ms < 10'000'000'000'000; ms += 77'777'777'777) {
    EXPECT_EQ(to_epoch_ms(*parse_time(to_iso8601(from_epoch_ms(ms)))), ms);
  }
}

TEST(Clock, SleepEndsWhenStopIsAsked) {
  const SystemClock clock;
  std::stop_source stop;
  EXPECT_TRUE(clock.sleep(1ms, stop.get_token()));
  const auto before = clock.steady();
  std::jthread later([&] { stop.request_stop(); });
  EXPECT_FALSE(clock.sleep(1h, stop.get_token()));
  EXPECT_LT(clock.steady() - before, 10min);
  EXPECT_FALSE(clock.sleep(1h, stop.get_token()));
}

class SetClock final : public Clock {
 public:
  Time now() const override { return time; }
  std::chrono::steady_clock::time_point steady() const override { return {}; }
  bool sleep(Duration, std::stop_token) const override { return true; }
  Time time = from_epoch_ms(1'767'000'000'000);
};

class ServerTimeTest : public testing::Test {
 protected:
  // One exchange with a server whose clock is `ahead` of ours, `takes` long; the answer is written in its middle.
  void exchange(Duration ahead, Duration takes = 20ms) {
    const auto sent = clock.time;
    const auto written = std::chrono::floor<std::chrono::seconds>(sent + takes / 2 + ahead);
    clock.time += takes;
    server.observe(written, sent, clock.time);
  }
  SetClock clock;
  ServerTime server{clock};
};

TEST_F(ServerTimeTest, EqualsOurClockUntilAnythingIsKnown) { EXPECT_EQ(server.now(), clock.time); }

TEST_F(ServerTimeTest, ClocksThatMayBeEqualAreTakenAsEqual) {
  for (int i = 0; i < 20; ++i) {
    exchange(0ms);
    clock.time += 137ms;
    EXPECT_EQ(server.offset(), 0ms);
  }
}

TEST_F(ServerTimeTest, OneAnswerBoundsTheOffsetToASecond) {
  exchange(1h);
  EXPECT_NEAR(static_cast<double>(server.offset().count()), 3'600'000.0, 1'020.0);
}

TEST_F(ServerTimeTest, ManyAnswersFindTheOffsetWithinTheTimeOfAnExchange) {
  for (int i = 0; i < 200; ++i) {
    exchange(-5'400ms, 20ms);
    clock.time += 37ms;
  }
  EXPECT_NEAR(static_cast<double>(server.offset().count()), -5'400.0, 60.0);
}

TEST_F(ServerTimeTest, AJumpVoidsWhatWasLearned) {
  for (int i = 0; i < 50; ++i) exchange(0ms);
  exchange(3h);
  EXPECT_NEAR(static_cast<double>(server.offset().count()), 10'800'000.0, 1'020.0);
  EXPECT_EQ(server.now(), clock.time + server.offset());
}

TEST_F(ServerTimeTest, AnExchangeOverWhichOurClockWasSetBackTeachesNothing) {
  server.observe(clock.time + 5s, clock.time, clock.time - 10s);
  EXPECT_EQ(server.offset(), 0ms);
}

}  // namespace
}  // namespace audiencesync
