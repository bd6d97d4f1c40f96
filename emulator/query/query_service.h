#pragma once

#include <memory>
#include <optional>

#include "emulator/auth/tokens.h"
#include "emulator/data/lake.h"
#include "emulator/http/router.h"
#include "emulator/http/server.h"
#include "emulator/tls/identity.h"

namespace emulator {

/// Query Service: /data/foundation/query and, when asked for, the PostgreSQL protocol.
///
/// Built before the router serves; `router` and all others outlive it. Routes and sessions run on their own threads,
/// posted queries on one of ours, when the platform's clock says so.
class QueryService {
 public:
  QueryService(Platform& platform, Lake& lake, const Tokens& tokens, Router& router);
  ~QueryService();

  void add_routes(Router& router);
  /// Throws std::system_error when it cannot listen there.
  void listen(const ServerOptions& options, const TlsIdentity& identity);
  /// {"host","port","dbname","user","password"} for the ready file, with a password that does not expire; null when it
  /// does not listen.
  Json connection() const;
  /// Ends all sessions.
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace emulator
