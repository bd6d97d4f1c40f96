#include "engine/http/rate_limit.h"

#include <fmt/format.h>

#include <algorithm>

namespace audiencesync::http {

std::chrono::steady_clock::time_point earliest_grant(const std::vector<RateWindow>& windows,
                                                     const std::deque<std::chrono::steady_clock::time_point>& granted,
                                                     std::chrono::steady_clock::time_point wish) {
  for (const auto& window : windows) {
    const auto count = static_cast<std::size_t>(window.requests);
    if (granted.size() >= count) wish = std::max(wish, granted[granted.size() - count] + window.per);
  }
  return wish;
}

RateLimiter::RateLimiter(RateLimits limits, const Clock& clock, RateLedger* ledger)
    : clock_(clock),
      ledger_(ledger),
      identity_(make_meter(std::move(limits.identity))),
      platform_(make_meter(std::move(limits.platform))),
      analytics_(make_meter(std::move(limits.analytics))) {
  for (auto& limit : limits.named) {
    auto meter = make_meter(limit.windows);
    named_.push_back({std::move(limit), std::move(meter)});
  }
}

RateLimiter::Meter RateLimiter::make_meter(std::vector<RateWindow> windows) {
  Meter meter;
  for (auto& window : windows) {
    window.requests = std::max(window.requests, 1);  // 0 would wait for ever
    meter.keep = std::max(meter.keep, static_cast<std::size_t>(window.requests));
  }
  meter.windows = std::move(windows);
  return meter;
}

void RateLimiter::Meter::grant(Instant at) {
  if (keep == 0) return;
  granted.push_back(at);
  if (granted.size() > keep) granted.pop_front();
}

RateLimiter::Meter& RateLimiter::meter_of(Service service) {
  switch (service) {
    case Service::Identity:
      return identity_;
    case Service::Platform:
      return platform_;
    case Service::Analytics:
      return analytics_;
  }
  return platform_;
}

Result<void> RateLimiter::pass(Meter& meter, const std::string& name, const std::stop_token& stop) {
  Instant at;
  {
    const std::scoped_lock lock(mutex_);
    at = earliest_grant(meter.windows, meter.granted, clock_.steady());
    if (ledger_ != nullptr && !meter.windows.empty()) at = ledger_->grant(name, meter.windows, at).value_or(at);
    meter.grant(at);  // never before an earlier grant, so `granted` stays sorted
  }
  const auto wait = std::chrono::ceil<Duration>(at - clock_.steady());
  if (wait > Duration(0) && !clock_.sleep(wait, stop)) {
    return Error(ErrorCode::Interrupted, fmt::format("stopped while waiting for the rate limit of {}", name));
  }
  return {};
}

Result<void> RateLimiter::acquire(Service service, Method method, std::string_view path, std::stop_token stop) {
  // One after the other, not all at once: a call that waits long for its own limit must not hold a slot of the service.
  for (auto& named : named_) {
    const auto& limit = named.limit;
    if (limit.service != service || (limit.method && *limit.method != method) || !path.starts_with(limit.path_prefix))
      continue;
    TRY(pass(named.meter, limit.name, stop));
  }
  return pass(meter_of(service), to_string(service), stop);
}

}  // namespace audiencesync::http
