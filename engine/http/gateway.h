#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/server_time.h"
#include "engine/http/client.h"
#include "engine/http/observer.h"
#include "engine/http/rate_limit.h"
#include "engine/http/retry.h"
#include "engine/http/token.h"
#include "engine/http/transport.h"

namespace audiencesync::http {

/// Origins of the services, `https://host[:port]`, maybe with the prefix of a proxy. The token service's is given to
/// the TokenSource.
struct Endpoints {
  std::string platform;
  std::string analytics;
};

/// Whose data a call is about.
struct Account {
  std::string organization_id;  // with @AdobeOrg
  std::string sandbox;          // the platform's sandbox: "prod"
};

struct CoreOptions {
  RetryPolicy retry{};
  /// Of one attempt whose request names none; grows by one second for each 256 KiB of body or download.
  Duration deadline{60'000};
  std::string version{};  // sent as `audiencesync/<version>`
  /// Of jitter and request ids; none: drawn.
  std::optional<std::uint64_t> seed{};
};

/// A sink that can go on where the previous attempt stopped.
class ResumableSink : public Sink {
 public:
  /// Header fields of the next attempt: which bytes to send. Called before each, by the calling thread.
  virtual Headers headers_of_attempt() = 0;
  /// Bytes taken since then.
  virtual std::uint64_t bytes_of_attempt() const = 0;
};

/// The collaborators of a Core, owned by the composition root; all outlive it.
struct CoreParts {
  Transport& transport;
  TokenSource& tokens;
  RateLimiter& limiter;
  const Clock& clock;
  ServerTime& server_time;
  CallObserver* observer = nullptr;
};

/// What every call of one account shares: header fields, authorisation, rate limit, retry, server time, errors.
///
/// Knows nothing of what may be read or written: that is the difference between Reader and Writer. Thread-safe.
class Core {
 public:
  Core(CoreParts parts, Endpoints endpoints, Account account, CoreOptions options);

  /// Performs one call as client.h promises. With a `sink` the body of a 2xx answer goes there and `expects` says how
  /// many bytes are to come.
  Result<Response> call(const Request& request, std::stop_token stop, ResumableSink* sink = nullptr,
                        std::uint64_t expects = 0);

 private:
  struct Call;

  Result<Exchange> prepare(const Request& request, std::uint64_t expects, const std::string& request_id) const;
  std::string next_request_id();

  CoreParts parts_;
  Endpoints endpoints_;
  Account account_;
  CoreOptions options_;
  std::uint64_t seed_;
  std::atomic<std::uint64_t> calls_{0};
};

/// The reading half; one per run, stopped by the run's token.
class Reader final : public ReadClient {
 public:
  /// Downloads are written through `files`.
  Reader(Core& core, Files& files, std::stop_token stop) : core_(core), files_(files), stop_(std::move(stop)) {}

  Result<Response> read(const Request& request) override;
  Result<Download> download(const Request& request, const Path& target, std::uint64_t size) override;

 private:
  Core& core_;
  Files& files_;
  std::stop_token stop_;
};

/// The writing half. Refuses (Internal) methods that do not write, and a request that leaves `repeat` at Read: the
/// default would repeat a write that must not be.
class Writer final : public WriteClient {
 public:
  Writer(Core& core, std::stop_token stop) : core_(core), stop_(std::move(stop)) {}

  Result<Response> write(const Request& request) override;

 private:
  Core& core_;
  std::stop_token stop_;
};

}  // namespace audiencesync::http
