#include "engine/http/rate_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "tests/http/fake_clock.h"

namespace audiencesync::http {
namespace {

using namespace std::chrono_literals;

class RateLimiterTest : public testing::Test {
 protected:
  std::vector<Duration> times_of(RateLimiter& limiter, Service service, int calls) {
    std::vector<Duration> times;
    for (int call = 0; call < calls; ++call) {
      EXPECT_TRUE(limiter.acquire(service, Method::Get, "/", {}).ok());
      times.push_back(std::chrono::duration_cast<Duration>(clock.steady() - began));
    }
    return times;
  }

  static int most_within(const std::vector<Duration>& times, Duration stretch) {
    std::ptrdiff_t most = 0;
    for (auto first = times.begin(); first != times.end(); ++first) {
      most = std::max(most, std::lower_bound(first, times.end(), *first + stretch) - first);
    }
    return static_cast<int>(most);
  }

  FakeClock clock;
  const std::chrono::steady_clock::time_point began = clock.steady();
};

TEST_F(RateLimiterTest, LetsABurstThroughThenHoldsThePace) {
  RateLimiter limiter({}, clock);
  const auto times = times_of(limiter, Service::Platform, 200);
  EXPECT_EQ(times[39], 0ms);
  EXPECT_EQ(times[40], 2s);
  EXPECT_EQ(times[199], 8s);
}

TEST_F(RateLimiterTest, HoldsBothWindowsOfAnalytics) {
  RateLimiter limiter({}, clock);
  const auto times = times_of(limiter, Service::Analytics, 200);
  EXPECT_EQ(most_within(times, 6s), 12);
  EXPECT_EQ(most_within(times, 60s), 60);
}

TEST_F(RateLimiterTest, KeepsServicesApart) {
  RateLimiter limiter({}, clock);
  (void)times_of(limiter, Service::Analytics, 12);
  EXPECT_EQ(times_of(limiter, Service::Platform, 40).back(), 0ms);
  EXPECT_EQ(times_of(limiter, Service::Identity, 1000).back(), 0ms);
}

TEST_F(RateLimiterTest, AddsNamedLimitsForTheirCallsOnly) {
  RateLimits limits;
  limits.named.push_back({"new batches", Service::Platform, Method::Post, "/batches", {{1, 10s}}});
  RateLimiter limiter(limits, clock);
  for (int batch = 0; batch < 3; ++batch) {
    ASSERT_TRUE(limiter.acquire(Service::Platform, Method::Post, "/batches", {}).ok());
  }
  EXPECT_EQ(clock.steady() - began, 20s);
  ASSERT_TRUE(limiter.acquire(Service::Platform, Method::Get, "/batches", {}).ok());
  ASSERT_TRUE(limiter.acquire(Service::Platform, Method::Post, "/dataSets", {}).ok());
  EXPECT_EQ(clock.steady() - began, 20s);
}

TEST_F(RateLimiterTest, NoWindowIsNoLimit) {
  RateLimiter limiter({.identity = {}, .platform = {}, .analytics = {}, .named = {}}, clock);
  EXPECT_EQ(times_of(limiter, Service::Platform, 10'000).back(), 0ms);
}

TEST_F(RateLimiterTest, StopEndsTheWait) {
  const SystemClock real;
  RateLimiter limiter({.identity = {}, .platform = {{1, 1h}}, .analytics = {}, .named = {}}, real);
  ASSERT_TRUE(limiter.acquire(Service::Platform, Method::Get, "/", {}).ok());
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  const auto waited = limiter.acquire(Service::Platform, Method::Get, "/", source.get_token());
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code(), ErrorCode::Interrupted);
}

TEST_F(RateLimiterTest, ManyThreadsShareOneLimit) {
  const SystemClock real;
  RateLimiter limiter({.identity = {}, .platform = {{10, 100ms}}, .analytics = {}, .named = {}}, real);
  const auto start = real.steady();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&] {
        for (int call = 0; call < 5; ++call) {
          EXPECT_TRUE(limiter.acquire(Service::Platform, Method::Get, "/", {}).ok());
        }
      });
    }
  }
  EXPECT_GE(real.steady() - start, 300ms);
}

}  // namespace
}  // namespace audiencesync::http
