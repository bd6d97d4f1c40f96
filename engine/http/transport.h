#pragma once

#include <stop_token>
#include <string>
#include <variant>

#include "engine/http/message.h"

namespace audiencesync::http {

/// Where the body of a download goes. Called on the transport's thread while the caller of `exchange` waits, so it may
/// use what the caller owns, and must be as quick as a disk: it delays every other exchange.
class Sink {
 public:
  virtual ~Sink() = default;
  /// A 2xx answer begins; called once per exchange, before its bytes and also when there are none. The place to check
  /// which bytes are coming (200 or 206, `content-range`). An error stops the exchange like one of `write`.
  virtual Result<void> begin(int /*status*/, const Headers& /*headers*/) { return {}; }
  /// Bytes in the order of the file. An error stops the exchange and comes back from `exchange`.
  virtual Result<void> write(std::string_view bytes) = 0;
};

/// How far one exchange got when it failed: decides whether it may have had an effect.
enum class Progress { NotSent, Sent };

struct Failure {
  Progress progress = Progress::NotSent;  // NotSent: the platform cannot have seen the request
  Error error;
};

/// One HTTP exchange as it is on the wire: full URL, every header field.
struct Exchange {
  Method method = Method::Get;
  std::string url{};
  Headers headers{};
  const Body* body = nullptr;  // outlives the call; read on the transport's thread, maybe from its start again
  Sink* sink = nullptr;        // for a 2xx answer's body; null: kept in Response::body (capped at 64 MiB)
  Duration deadline{60'000};
  /// `Once` must not be repeated below this port either: it never travels on a kept connection that may be dead.
  Repeat repeat = Repeat::Once;
};

/// Performs single exchanges: no retry, no authentication, no meaning of statuses. The port behind which curl lives.
///
/// Failures carry Unavailable (network, truncated answer) and Timeout when another attempt may help, anything else when
/// it will not. An answer is whole or a Failure: fewer bytes than announced are Failure{Sent}.
/// `exchange` blocks and is called from many threads; it returns soon after `stop` is requested (Interrupted).
/// TLS certificates are always verified; plain http is refused except to loopback addresses.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::variant<Response, Failure> exchange(const Exchange& exchange, std::stop_token stop) = 0;
};

}  // namespace audiencesync::http
