#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/base/secret.h"
#include "engine/http/observer.h"
#include "engine/http/retry.h"
#include "engine/http/transport.h"

namespace audiencesync::http {

/// What the Developer Console gives a technical account.
struct Credentials {
  std::string client_id;
  Secret client_secret;
  std::vector<std::string> scopes;
};

/// A token that several processes use, by the wall clock, which they have in common.
struct SharedToken {
  Secret token;
  Time renew_at{};
  Time expires_at{};
};

/// Where processes with one credential share its token. What fails here is no error: then each asks for its own.
class TokenShelf {
 public:
  virtual ~TokenShelf() = default;
  /// Holds the right to ask for a new token until it goes away; null when it could not be had before `stop`.
  class Turn {
   public:
    virtual ~Turn() = default;
  };
  virtual std::unique_ptr<Turn> take_turn(std::stop_token stop) = 0;
  /// The token of exactly this credential; nullopt when there is none, or it is another's.
  virtual std::optional<SharedToken> read() = 0;
  virtual void keep(const SharedToken& token) = 0;
  /// The platform refused it: nobody shall read it again.
  virtual void drop(const Secret& token) = 0;
};

struct TokenOptions {
  RetryPolicy retry{};
  Duration deadline{30'000};  // of one request to the token service
  std::string user_agent{};   // empty: none sent
  std::uint64_t seed = 0;     // of the jitter between retries
  CallObserver* observer = nullptr;
  TokenShelf* shelf = nullptr;  // null: the token is this process's own
};

/// Gives access tokens of one credential, and asks the token service for a new one when it must.
///
/// A token is renewed 500 s before it expires, or a tenth of its lifetime when that is shorter. However many threads
/// need a new one, one asks and the others wait, each heeding its own stop token. Thread-safe.
class TokenSource {
 public:
  /// `identity` is the token service's origin. References outlive the source.
  TokenSource(Transport& transport, const Clock& clock, std::string identity, Credentials credentials,
              TokenOptions options = {});

  /// A token that is good for a while. Errors: Authentication with the service's own word for it, Unavailable or
  /// Timeout after all retries, Interrupted, Corrupt for an answer that holds no token; never with the secret. When a
  /// renewal fails for a passing reason the old token is given out until it expires.
  Result<Secret> token(std::stop_token stop);

  /// The platform refused `token`. The next call renews it, unless somebody did so already.
  void invalidate(const Secret& token);

  const std::string& client_id() const { return credentials_.client_id; }

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Grant {
    Secret token;
    Instant renew_at;
    Instant expires_at;
  };

  Result<Grant> request(std::stop_token stop) const;
  Result<Grant> shared_or_requested(std::stop_token stop) const;
  Result<Grant> read_grant(const Response& response, Instant asked) const;
  Result<Secret> settle(Result<Grant> fresh);

  Transport& transport_;
  const Clock& clock_;
  const std::string url_;
  const Credentials credentials_;
  const TokenOptions options_;

  std::mutex mutex_;
  std::condition_variable_any renewed_;
  std::optional<Grant> grant_;
  enum class Renewal { Idle, Running } renewal_ = Renewal::Idle;
  std::uint64_t rounds_ = 0;         // renewals that ended
  std::optional<Error> last_error_;  // of the last of them, for those who waited for it
};

}  // namespace audiencesync::http
