#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/http/message.h"

namespace audiencesync::http {

/// At most `requests` in any stretch of time of length `per`.
struct RateWindow {
  int requests = 1;
  Duration per{1'000};
};

/// A limit of its own for some calls of a service, on top of the service's.
struct NamedLimit {
  std::string name{};  // for messages
  Service service = Service::Platform;
  std::optional<Method> method{};  // none: every method
  std::string path_prefix{};
  std::vector<RateWindow> windows{};
};

/// How often each service may be called; no window means no limit.
///
/// The defaults are what the documentation names or, for the platform, which publishes nothing, what is polite:
/// 20 a second with bursts of 40.
struct RateLimits {
  std::vector<RateWindow> identity{};
  std::vector<RateWindow> platform{{40, Duration(2'000)}};
  std::vector<RateWindow> analytics{{12, Duration(6'000)}, {60, Duration(60'000)}};
  std::vector<NamedLimit> named{};
};

/// Where processes count their calls together. Times are of the clock that only goes on, which a machine's processes
/// share.
class RateLedger {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  virtual ~RateLedger() = default;
  /// The first instant from `wish` on that keeps all windows, counted with all grants of that name; it is granted.
  /// nullopt when the ledger cannot be used: then the process counts alone.
  virtual std::optional<Instant> grant(const std::string& name, const std::vector<RateWindow>& windows,
                                       Instant wish) = 0;
};

/// The first instant from `wish` on that keeps all windows; `granted` is sorted.
std::chrono::steady_clock::time_point earliest_grant(const std::vector<RateWindow>& windows,
                                                     const std::deque<std::chrono::steady_clock::time_point>& granted,
                                                     std::chrono::steady_clock::time_point wish);

/// Makes callers wait so that no window of `RateLimits` is ever exceeded.
///
/// Sliding windows over the times granted, so a burst after a pause can never meet the end of an earlier burst, as it
/// could with a token bucket. Callers are served in the order they asked. Thread-safe; memory is one time per request
/// of the largest window.
class RateLimiter {
 public:
  /// With a ledger, which outlives it, calls of other processes count as well.
  RateLimiter(RateLimits limits, const Clock& clock, RateLedger* ledger = nullptr);

  /// Returns when this call may be sent. Errors: Interrupted when `stop` was requested first; the slot it had is lost,
  /// which only makes us slower.
  Result<void> acquire(Service service, Method method, std::string_view path, std::stop_token stop);

 private:
  using Instant = std::chrono::steady_clock::time_point;

  /// Grants of one limit, oldest first.
  struct Meter {
    std::vector<RateWindow> windows;
    std::size_t keep = 0;
    std::deque<Instant> granted;

    void grant(Instant at);
  };
  struct NamedMeter {
    NamedLimit limit;
    Meter meter;
  };

  static Meter make_meter(std::vector<RateWindow> windows);
  Meter& meter_of(Service service);
  Result<void> pass(Meter& meter, const std::string& name, const std::stop_token& stop);

  const Clock& clock_;
  RateLedger* const ledger_;
  std::mutex mutex_;
  Meter identity_;
  Meter platform_;
  Meter analytics_;
  std::vector<NamedMeter> named_;
};

}  // namespace audiencesync::http
