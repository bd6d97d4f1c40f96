#pragma once

#include <memory>
#include <stop_token>
#include <variant>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/http/transport.h"

namespace audiencesync::http {

struct CurlOptions {
  /// Certificates to trust instead of the system's; empty: the system's. Verification cannot be switched off.
  Path ca_file{};
  /// To resolve, connect and agree on keys; never longer than the exchange's deadline.
  Duration connect_timeout{10'000};
  /// An exchange over which no byte goes either way for so long is given up, even when its deadline is far: the
  /// connection is dead. Longer than the platform's gateway thinks about an answer (60 s). Counted in whole seconds.
  Duration stall{90'000};
  /// Exchanges beyond that wait for a connection; the wait counts against their deadline.
  int connections_per_host = 64;
};

/// Transport over libcurl: one multi handle on one thread of its own, HTTP/1.1 or HTTP/2, kept connections.
///
/// Redirects are not followed. Proxies come from the environment (`https_proxy`, `no_proxy`), never for loopback.
/// Answers may come compressed, but for those that go to a sink or ask for a range: their bytes are counted.
/// A body larger than 64 MiB without sink is Corrupt. Destroying it waits until every `exchange` has returned
/// (Interrupted), which is soon.
class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(CurlOptions options = {});
  ~CurlTransport() override;

  std::variant<Response, Failure> exchange(const Exchange& exchange, std::stop_token stop) override;

 private:
  class Engine;
  const CurlOptions options_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace audiencesync::http
