#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "emulator/http/server.h"
#include "emulator/query/queries.h"
#include "emulator/tls/channel.h"

namespace emulator {

/// What a PostgreSQL session needs of the rest of the emulator.
struct PgTerms {
  QueryCore core;
  Queries& queries;  // which lists what sessions do
  const TlsIdentity& identity;
  std::function<bool(const std::string& token)> token_valid;
  std::string credential;  // the password that does not expire: technical account, colon, credential
};

/// The PostgreSQL protocol 3.0: one blocking thread a connection, TLS first, a cleartext password inside it.
///
/// Listens from construction on; the options' `connections` bounds the threads. Cancel requests reach the session they
/// name. Throws std::system_error when it cannot listen there. `stop` ends every session, running statements included.
class PgServer {
 public:
  PgServer(const ServerOptions& options, PgTerms terms);
  ~PgServer();
  PgServer(const PgServer&) = delete;
  PgServer& operator=(const PgServer&) = delete;

  std::uint16_t port() const;
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace emulator
