#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "emulator/http/front.h"
#include "emulator/tls/identity.h"

namespace emulator {

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric
  std::uint16_t port = 0;             // 0: any free one
  unsigned connections = 1024;        // further ones are closed at once
  const TlsIdentity* tls = nullptr;   // with one, https and nothing else; outlives the server
};

/// HTTP/1.1 over TCP, plain or inside TLS: one blocking thread a connection, keep-alive, bodies streamed.
///
/// Listens and accepts from construction on. Throws std::system_error when it cannot listen there.
class Server {
 public:
  Server(const ServerOptions& options, Front& front);
  ~Server();  // stops and waits for every route that still runs

  std::uint16_t port() const;

  enum class Stopped { Clean, StillBusy };
  /// Closes everything; StillBusy when a route has not come back after two seconds. Repeatable, from one thread.
  Stopped stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace emulator
