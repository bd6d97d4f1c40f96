#include "engine/sql/libpq/libpq_session.h"

#include "engine/sql/libpq/connection.h"
#include "engine/sql/read_only.h"

namespace audiencesync::sql {

LibpqSession::LibpqSession(Logins& logins, LibpqOptions options, std::stop_token stop)
    : logins_(logins), options_(std::move(options)), stop_(std::move(stop)) {}

LibpqSession::~LibpqSession() = default;

Result<Rows> LibpqSession::select(const Query& query) {
  TRY(check_read_only(query.text).in(query.what));
  auto rows = TRY(answer(query).in(query.what));
  TRY(check_whole(query, rows.rows.size()));
  return rows;
}

Result<Rows> LibpqSession::answer(const Query& query) {
  const std::lock_guard lock(mutex_);
  // A connection that was there before may have ended with its token, or in the night: then a new one, once.
  for (const bool reused = connection_ != nullptr;;) {
    const bool fresh = connection_ == nullptr;
    if (fresh) {
      const auto login = TRY(logins_.login());
      connection_ = TRY(Connection::open(login, options_, stop_));
    }
    auto outcome = connection_->run(query, stop_);
    if (connection_->lost()) connection_.reset();
    if (outcome.ok() || connection_ != nullptr || !reused || fresh || stop_.stop_requested()) return outcome;
    const auto code = outcome.error().code();
    if (code == ErrorCode::Timeout || code == ErrorCode::Corrupt) return outcome;  // we ended it
  }
}

}  // namespace audiencesync::sql
