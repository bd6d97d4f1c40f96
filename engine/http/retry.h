#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <stop_token>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/http/message.h"
#include "engine/http/transport.h"

namespace audiencesync::http {

/// How long one call may go on trying.
struct RetryPolicy {
  int attempts = 8;          // in all, the first one included
  Duration base{200};        // the most the first retry waits of itself; doubles with every attempt
  Duration ceiling{30'000};  // where the doubling ends; never shortens what a server asks for
  Duration total{300'000};   // no attempt begins later than this after the call began
};

/// How long to wait before attempt `attempt` (the first retry is 1).
///
/// Drawn evenly between a floor and that floor plus the exponential backoff. A `retry_after` from
/// the server is the floor, and no ceiling shortens it. Pure apart from one draw on `random`.
std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int attempt,
                                      std::optional<std::chrono::seconds> retry_after, std::mt19937_64& random);

/// Reads `Retry-After`: seconds, or an HTTP date compared with `server_now`; rounded up, never negative.
/// nullopt when the field says neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view field, Time server_now);

/// What answered: the platform never speaks HTML, so such a page comes from something in between.
enum class Page { Api, Html };

/// One attempt that did not succeed, reduced to what retry may look at.
struct Attempt {
  int status = 0;                           // of the answer; 0: there was none, see `progress` and `failure`
  Page page = Page::Api;                    // of the answer
  Progress progress = Progress::Sent;       // of a failure
  ErrorCode failure = ErrorCode::Internal;  // of a failure
};

enum class Verdict {
  Retry,    // another attempt may help, and cannot do harm
  Fail,     // another attempt would end the same way; there was no effect
  Unknown,  // there may have been an effect that must not be had twice: find out before repeating
};

/// The one rule on repeating calls. Pure.
///
/// Read and Repeatable are tried again after 408, 429, 500, 502, 503, 504, any HTML page, and failures of the network
/// or a deadline. Once is tried again only after 429 and failures before anything was sent; whatever else may have had
/// its effect is Unknown.
Verdict decide(Repeat repeat, const Attempt& attempt);

/// The retry budget of one call: counts attempts, waits between them. Not thread-safe.
class Patience {
 public:
  enum class Next { Again, Spent, Stopped };

  /// The call begins now. `seed` decides the jitter.
  Patience(const RetryPolicy& policy, const Clock& clock, std::uint64_t seed);

  /// Waits before the next attempt. Spent at once when the attempts are used up or the wait would end past the total.
  Next wait(std::optional<std::chrono::seconds> retry_after, std::stop_token stop);
  /// Attempts made or begun, at least 1.
  int attempts() const { return attempts_; }
  Duration elapsed() const;

 private:
  const RetryPolicy& policy_;
  const Clock& clock_;
  std::uint64_t seed_;
  std::optional<std::mt19937_64> random_;  // made at the first wait: most calls never need its 2.5 kB
  std::chrono::steady_clock::time_point began_;
  int attempts_ = 1;
};

}  // namespace audiencesync::http
