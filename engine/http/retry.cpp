#include "engine/http/retry.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace audiencesync::http {
namespace {

bool is_passing(ErrorCode code) { return code == ErrorCode::Unavailable || code == ErrorCode::Timeout; }

bool is_passing(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

Verdict decide_once(const Attempt& attempt) {
  if (attempt.status == 0) {
    if (attempt.progress == Progress::Sent) return Verdict::Unknown;
    return is_passing(attempt.failure) ? Verdict::Retry : Verdict::Fail;
  }
  if (attempt.status == 429) return Verdict::Retry;
  // 408 and 5xx often come from a gateway that lost patience with a service still at work; and a 2xx page that the
  // platform did not write says nothing about what happened behind it.
  if (attempt.status == 408 || attempt.status >= 500) return Verdict::Unknown;
  if (attempt.status < 300 && attempt.page == Page::Html) return Verdict::Unknown;
  return Verdict::Fail;
}

}  // namespace

std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int attempt,
                                      std::optional<std::chrono::seconds> retry_after, std::mt19937_64& random) {
  auto backoff = policy.base;
  for (int doubled = 1; doubled < attempt && backoff < policy.ceiling; ++doubled) backoff *= 2;
  backoff = std::clamp(backoff, Duration(0), policy.ceiling);
  std::uniform_int_distribution<Duration::rep> draw(0, backoff.count());
  const Duration floor = std::max(Duration(retry_after.value_or(std::chrono::seconds(0))), Duration(0));
  return floor + Duration(draw(random));
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view field, Time server_now) {
  constexpr double kMost = 1e9;  // 30 years: keeps the arithmetic in range, the budget refuses such a wait anyway
  if (field.empty()) return std::nullopt;
  double seconds = 0;
  const auto [end, failure] =
      std::from_chars(field.data(), field.data() + field.size(), seconds, std::chars_format::fixed);
  if (failure == std::errc{} && end == field.data() + field.size() && std::isfinite(seconds)) {
    return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(std::clamp(seconds, 0.0, kMost))));
  }
  const auto date = parse_time(field);
  if (!date) return std::nullopt;
  return std::max(std::chrono::ceil<std::chrono::seconds>(*date - server_now), std::chrono::seconds(0));
}

Verdict decide(Repeat repeat, const Attempt& attempt) {
  if (repeat == Repeat::Once) return decide_once(attempt);
  if (attempt.status == 0) return is_passing(attempt.failure) ? Verdict::Retry : Verdict::Fail;
  return attempt.page == Page::Html || is_passing(attempt.status) ? Verdict::Retry : Verdict::Fail;
}

Patience::Patience(const RetryPolicy& policy, const Clock& clock, std::uint64_t seed)
    : policy_(policy), clock_(clock), seed_(seed), began_(clock.steady()) {}

Duration Patience::elapsed() const { return std::chrono::duration_cast<Duration>(clock_.steady() - began_); }

Patience::Next Patience::wait(std::optional<std::chrono::seconds> retry_after, std::stop_token stop) {
  if (attempts_ >= policy_.attempts) return Next::Spent;
  if (!random_) random_.emplace(seed_);
  const auto delay = retry_delay(policy_, attempts_, retry_after, *random_);
  if (elapsed() + delay > policy_.total) return Next::Spent;
  if (!clock_.sleep(delay, std::move(stop))) return Next::Stopped;
  ++attempts_;
  return Next::Again;
}

}  // namespace audiencesync::http
