#include "engine/http/retry.h"

#include <gtest/gtest.h>

#include "tests/http/fake_clock.h"

namespace audiencesync::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::chrono_literals;

struct DelayCase {
  const char* name;
  int attempt;
  std::optional<seconds> retry_after;
  milliseconds least;
  milliseconds most;
};

class RetryDelay : public testing::TestWithParam<DelayCase> {};

TEST_P(RetryDelay, IsDrawnOverTheWholeRange) {
  const auto& expected = GetParam();
  std::mt19937_64 random(7);
  auto lowest = milliseconds::max();
  auto highest = milliseconds::min();
  for (int draw = 0; draw < 2000; ++draw) {
    const auto delay = retry_delay({}, expected.attempt, expected.retry_after, random);
    lowest = std::min(lowest, delay);
    highest = std::max(highest, delay);
  }
  const auto slack = (expected.most - expected.least) / 50;
  EXPECT_GE(lowest, expected.least);
  EXPECT_LE(lowest, expected.least + slack);
  EXPECT_LE(highest, expected.most);
  EXPECT_GE(highest, expected.most - slack);
}

INSTANTIATE_TEST_SUITE_P(Table, RetryDelay,
                         testing::Values(DelayCase{"first_retry", 1, {}, 0ms, 200ms},
                                         DelayCase{"doubles", 3, {}, 0ms, 800ms},
                                         DelayCase{"stops_at_the_ceiling", 12, {}, 0ms, 30s},
                                         DelayCase{"stays_at_the_ceiling", 2'000'000, {}, 0ms, 30s},
                                         DelayCase{"server_floor_wins", 1, 60s, 60s, 60'200ms},
                                         DelayCase{"ceiling_never_shortens_the_floor", 12, 120s, 120s, 150s},
                                         DelayCase{"zero_is_no_floor", 1, 0s, 0ms, 200ms}),
                         [](const auto& row) { return row.param.name; });

struct AfterCase {
  const char* name;
  const char* field;
  std::optional<seconds> expected;
};

class RetryAfter : public testing::TestWithParam<AfterCase> {};

TEST_P(RetryAfter, IsRead) {
  const Time now = from_epoch_ms(1'767'225'600'400);  // 2026-01-01T00:00:00.4Z
  EXPECT_EQ(parse_retry_after(GetParam().field, now), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Table, RetryAfter,
                         testing::Values(AfterCase{"seconds", "120", 120s}, AfterCase{"zero", "0", 0s},
                                         AfterCase{"fraction_rounds_up", "1.2", 2s},
                                         AfterCase{"negative_is_zero", "-5", 0s},
                                         AfterCase{"date_rounds_up", "Thu, 01 Jan 2026 00:00:10 GMT", 10s},
                                         AfterCase{"past_date_is_zero", "Wed, 31 Dec 2025 23:00:00 GMT", 0s},
                                         AfterCase{"empty", "", {}}, AfterCase{"word", "soon", {}},
                                         AfterCase{"unit", "5s", {}}, AfterCase{"not_a_number", "nan", {}},
                                         AfterCase{"absurd_is_capped", "99999999999999999999", 1'000'000'000s}),
                         [](const auto& row) { return row.param.name; });

Attempt answered(int status, Page page = Page::Api) { return {.status = status, .page = page}; }
Attempt broken(Progress progress, ErrorCode code) { return {.progress = progress, .failure = code}; }

struct DecideCase {
  const char* name;
  Attempt attempt;
  Verdict read;  // for Read and Repeatable
  Verdict once;
};

class Decide : public testing::TestWithParam<DecideCase> {};

TEST_P(Decide, ObeysRepeatAlone) {
  EXPECT_EQ(decide(Repeat::Read, GetParam().attempt), GetParam().read);
  EXPECT_EQ(decide(Repeat::Repeatable, GetParam().attempt), GetParam().read);
  EXPECT_EQ(decide(Repeat::Once, GetParam().attempt), GetParam().once);
}

constexpr auto kRetry = Verdict::Retry;
constexpr auto kFail = Verdict::Fail;
constexpr auto kUnknown = Verdict::Unknown;

INSTANTIATE_TEST_SUITE_P(
    Table, Decide,
    testing::Values(
        DecideCase{"moved", answered(302), kFail, kFail}, DecideCase{"bad_request", answered(400), kFail, kFail},
        DecideCase{"unauthorized", answered(401), kFail, kFail}, DecideCase{"forbidden", answered(403), kFail, kFail},
        DecideCase{"not_found", answered(404), kFail, kFail}, DecideCase{"conflict", answered(409), kFail, kFail},
        DecideCase{"request_timeout", answered(408), kRetry, kUnknown},
        DecideCase{"precondition", answered(412), kFail, kFail}, DecideCase{"throttled", answered(429), kRetry, kRetry},
        DecideCase{"server_error", answered(500), kRetry, kUnknown},
        DecideCase{"not_implemented", answered(501), kFail, kUnknown},
        DecideCase{"bad_gateway", answered(502), kRetry, kUnknown},
        DecideCase{"unavailable", answered(503), kRetry, kUnknown},
        DecideCase{"gateway_timeout", answered(504), kRetry, kUnknown},
        DecideCase{"page_instead_of_success", answered(200, Page::Html), kRetry, kUnknown},
        DecideCase{"page_instead_of_absence", answered(404, Page::Html), kRetry, kFail},
        DecideCase{"page_of_a_dead_gateway", answered(502, Page::Html), kRetry, kUnknown},
        DecideCase{"page_of_a_throttle", answered(429, Page::Html), kRetry, kRetry},
        DecideCase{"never_connected", broken(Progress::NotSent, ErrorCode::Unavailable), kRetry, kRetry},
        DecideCase{"connect_past_the_deadline", broken(Progress::NotSent, ErrorCode::Timeout), kRetry, kRetry},
        DecideCase{"lost_after_sending", broken(Progress::Sent, ErrorCode::Unavailable), kRetry, kUnknown},
        DecideCase{"deadline_after_sending", broken(Progress::Sent, ErrorCode::Timeout), kRetry, kUnknown},
        DecideCase{"stopped_before", broken(Progress::NotSent, ErrorCode::Interrupted), kFail, kFail},
        DecideCase{"stopped_after", broken(Progress::Sent, ErrorCode::Interrupted), kFail, kUnknown},
        DecideCase{"bad_certificate", broken(Progress::NotSent, ErrorCode::Refused), kFail, kFail},
        DecideCase{"disk_full", broken(Progress::Sent, ErrorCode::NoSpace), kFail, kUnknown}),
    [](const auto& row) { return row.param.name; });

TEST(Patience, EndsWithTheAttempts) {
  const FakeClock clock;
  const RetryPolicy policy{.attempts = 3};
  Patience patience(policy, clock, 1);
  EXPECT_EQ(patience.wait({}, {}), Patience::Next::Again);
  EXPECT_EQ(patience.wait({}, {}), Patience::Next::Again);
  EXPECT_EQ(patience.wait({}, {}), Patience::Next::Spent);
  EXPECT_EQ(patience.attempts(), 3);
  EXPECT_EQ(clock.sleeps().size(), 2u);
}

TEST(Patience, DoesNotBeginAWaitThatEndsPastTheTotal) {
  const FakeClock clock;
  const RetryPolicy policy{.total = 90s};
  Patience patience(policy, clock, 1);
  EXPECT_EQ(patience.wait(60s, {}), Patience::Next::Again);
  EXPECT_EQ(patience.wait(60s, {}), Patience::Next::Spent);
  ASSERT_EQ(clock.sleeps().size(), 1u);
}

TEST(Patience, WakesWhenStopped) {
  const SystemClock clock;
  std::stop_source source;
  source.request_stop();
  const RetryPolicy policy;
  Patience patience(policy, clock, 1);
  EXPECT_EQ(patience.wait(200s, source.get_token()), Patience::Next::Stopped);
}

}  // namespace
}  // namespace audiencesync::http
