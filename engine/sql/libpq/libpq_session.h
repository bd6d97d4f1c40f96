#pragma once

#include <memory>
#include <mutex>
#include <stop_token>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/sql/logins.h"
#include "engine/sql/session.h"

namespace audiencesync::sql {

class Connection;

struct LibpqOptions {
  /// Certificates to trust instead of the system's; empty: the system's. Verification cannot be switched off.
  Path ca_file{};
  /// To connect, agree on keys and log in, after the host's name was looked up.
  Duration connect_timeout = std::chrono::seconds{30};
  /// After a statement was asked to end, until its connection is given up.
  Duration cancel_grace = std::chrono::seconds{1};
  /// Bytes of one answer's cells; more is Corrupt.
  std::uint64_t largest_answer = 64 << 20;
};

/// Session over libpq, by the simple query protocol: TLS with `verify-full`, one connection, made when it is needed.
///
/// Neither service files nor client certificates are meant to take part, and what PG* variables may still say
/// (libpq reads them) cannot weaken TLS or send the password elsewhere: host, port, user and every option of TLS are
/// given. There is no way through an HTTP proxy: libpq knows none.
class LibpqSession final : public Session {
 public:
  /// `logins` outlives the session; `stop` ends a waiting statement within `cancel_grace`.
  LibpqSession(Logins& logins, LibpqOptions options, std::stop_token stop);
  ~LibpqSession() override;

  Result<Rows> select(const Query& query) override;

 private:
  Result<Rows> answer(const Query& query);

  Logins& logins_;
  const LibpqOptions options_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace audiencesync::sql
