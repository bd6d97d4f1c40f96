#pragma once

#include <libpq-fe.h>

#include <memory>
#include <stop_token>
#include <string>

#include "engine/sql/libpq/libpq_session.h"
#include "engine/sql/libpq/socket_wait.h"

namespace audiencesync::sql {

/// One connection, from the login to its end. Used by one thread at a time.
class Connection {
 public:
  /// Errors: Refused when the certificate is not accepted, those of the SQLSTATE it was refused with (see failure.h),
  /// Unavailable, Interrupted; never with the password.
  static Result<std::unique_ptr<Connection>> open(const Login& login, const LibpqOptions& options,
                                                  const std::stop_token& stop);

  /// Sends one statement and reads its whole answer. Errors as in session.h, but for the cut.
  Result<Rows> run(const Query& query, const std::stop_token& stop);

  /// Nothing more can be asked: the server, the network or we ended it.
  bool lost() const { return lost_ || PQstatus(connection_.get()) == CONNECTION_BAD; }

 private:
  struct Close {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Answer = std::unique_ptr<PGresult, Close>;
  struct Reading;

  Connection(PGconn* connection, const LibpqOptions& options, std::string host)
      : connection_(connection), options_(options), host_(std::move(host)) {}

  Result<void> connect(const Login& login, const std::stop_token& stop);
  Result<void> send(const std::string& text, SocketWait& wait);
  Result<Answer> next_answer(Reading& reading);
  void cancel(Reading& reading);
  Error gone() const;

  std::unique_ptr<PGconn, Close> connection_;
  const LibpqOptions& options_;
  const std::string host_;
  bool lost_ = false;
};

}  // namespace audiencesync::sql
