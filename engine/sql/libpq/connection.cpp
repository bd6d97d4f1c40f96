#include "engine/sql/libpq/connection.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "engine/sql/libpq/failure.h"

namespace audiencesync::sql {
namespace {

using Clock = std::chrono::steady_clock;

// OpenSSL has no default file on Debian, only a folder, and libpq 15 reads files only.
constexpr const char* kSystemCertificates = "/etc/ssl/certs/ca-certificates.crt";

std::string field(const PGresult* answer, int which) {
  const char* text = PQresultErrorField(answer, which);
  return text == nullptr ? std::string() : std::string(text);
}

Error interrupted(std::string_view what) {
  return Error(ErrorCode::Interrupted, fmt::format("{} was interrupted", what));
}

std::string seconds_text(Duration duration) {
  return fmt::format("{} s", std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

}  // namespace

/// An answer on its way.
struct Connection::Reading {
  SocketWait& wait;
  std::optional<Error> ended;  // why we asked it to end
  Duration deadline;
};

Result<std::unique_ptr<Connection>> Connection::open(const Login& login, const LibpqOptions& options,
                                                     const std::stop_token& stop) {
  const std::string port = std::to_string(login.port);
  const std::string ca = options.ca_file.empty() ? std::string(kSystemCertificates) : options.ca_file.string();
  // Given one by one: what is not given, libpq takes from the environment.
  std::array<const char*, 24> names{};
  std::array<const char*, 24> values{};
  std::size_t count = 0;
  const auto give = [&](const char* name, const char* value) {
    names.at(count) = name;
    values.at(count++) = value;
  };
  give("host", login.host.c_str());
  if (!login.address.empty()) give("hostaddr", login.address.c_str());
  give("port", port.c_str());
  give("dbname", login.database.c_str());
  give("user", login.user.c_str());
  give("password", login.password.reveal().c_str());
  give("sslmode", "verify-full");
  give("sslrootcert", ca.c_str());
  // Without a path libpq looks below the home folder, and gives up when it may not look there: a service often may not.
  give("sslcert", "/nonexistent/postgresql.crt");
  give("ssl_min_protocol_version", "TLSv1.2");
  give("gssencmode", "disable");  // else it asks the platform for Kerberos first, and waits
  give("channel_binding", "disable");
  give("client_encoding", "UTF8");
  give("application_name", "audiencesync");
  // A dead connection is noticed within a minute and a half, also while a statement works without a word.
  give("keepalives_idle", "30");
  give("keepalives_interval", "15");
  give("keepalives_count", "4");
  give("tcp_user_timeout", "30000");  // also of the connection that asks a statement to end
  auto* raw = PQconnectStartParams(names.data(), values.data(), 0);
  if (raw == nullptr) return Error(ErrorCode::Internal, "no memory for a connection");
  std::unique_ptr<Connection> made(new Connection(raw, options, login.host));
  TRY(made->connect(login, stop));
  return made;
}

Result<void> Connection::connect(const Login& login, const std::stop_token& stop) {
  auto* raw = connection_.get();
  const auto failed = [&] { return connection_error(host_, PQerrorMessage(raw), login.password); };
  // The only way to the SQLSTATE of a refused login is the text of the message.
  PQsetErrorVerbosity(raw, PQERRORS_VERBOSE);
  PQsetNoticeReceiver(
      raw, [](void*, const PGresult*) {}, nullptr);
  auto wait = TRY(SocketWait::make(stop, Clock::now() + options_.connect_timeout));
  if (PQstatus(raw) == CONNECTION_BAD) return failed();
  for (auto next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK; next = PQconnectPoll(raw)) {
    if (next == PGRES_POLLING_FAILED) return failed();
    const auto event =
        wait->wait(PQsocket(raw), next == PGRES_POLLING_READING ? SocketWait::For::Reading : SocketWait::For::Writing);
    if (event == SocketWait::Event::Stopped) return interrupted("connecting");
    if (event == SocketWait::Event::Late) {
      return Error(ErrorCode::Unavailable,
                   fmt::format("{}: no connection within {}", host_, seconds_text(options_.connect_timeout)));
    }
  }
  if (PQsetnonblocking(raw, 1) != 0) return failed();
  return {};
}

Result<Rows> Connection::run(const Query& query, const std::stop_token& stop) {
  auto* raw = connection_.get();
  auto wait = TRY(SocketWait::make(stop, Clock::now() + query.deadline));
  // Also a stop before anything was sent.
  if (stop.stop_requested()) return interrupted("the statement");
  TRY(send(query.text, *wait));
  Reading reading{*wait, std::nullopt, query.deadline};
  Rows rows;
  std::optional<Error> failure;
  std::uint64_t bytes = 0;
  for (;;) {
    const auto answer = TRY(next_answer(reading));
    if (answer == nullptr) break;
    const auto status = PQresultStatus(answer.get());
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR) {
      const auto state = field(answer.get(), PG_DIAG_SQLSTATE);
      if (!failure)
        failure = state.empty() ? gone() : statement_error(state, field(answer.get(), PG_DIAG_MESSAGE_PRIMARY));
      // The session ends with it, whether the end was already seen or not.
      if (field(answer.get(), PG_DIAG_SEVERITY_NONLOCALIZED) == "FATAL" || state.starts_with("28")) lost_ = true;
      continue;
    }
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) continue;
    const int columns = PQnfields(answer.get());
    if (rows.columns.empty()) {
      for (int x = 0; x < columns; ++x) rows.columns.emplace_back(PQfname(answer.get(), x));
    }
    for (int y = 0; y < PQntuples(answer.get()); ++y) {
      auto& row = rows.rows.emplace_back();
      row.reserve(static_cast<std::size_t>(columns));
      for (int x = 0; x < columns; ++x) {
        if (PQgetisnull(answer.get(), y, x) != 0) {
          row.emplace_back();
          continue;
        }
        const auto size = static_cast<std::size_t>(PQgetlength(answer.get(), y, x));
        row.emplace_back(std::in_place, PQgetvalue(answer.get(), y, x), size);
        bytes += size;
      }
      bytes += sizeof(Cell) * static_cast<std::size_t>(columns);
    }
    if (bytes > options_.largest_answer && !reading.ended) {
      reading.ended = Error(ErrorCode::Corrupt, fmt::format("the answer is larger than {} bytes; ask in smaller parts",
                                                            options_.largest_answer));
      cancel(reading);
    }
    if (reading.ended) rows.rows.clear();
  }
  if (reading.ended) return *reading.ended;
  if (failure) return *failure;
  if (PQstatus(raw) == CONNECTION_BAD) return gone();
  return rows;
}

Result<void> Connection::send(const std::string& text, SocketWait& wait) {
  auto* raw = connection_.get();
  if (PQsendQuery(raw, text.c_str()) == 0 || PQsetSingleRowMode(raw) == 0) {
    lost_ = true;
    return gone();
  }
  for (int left = PQflush(raw); left != 0; left = PQflush(raw)) {
    // What goes wrong from here on is told by the answer that does not come.
    if (left < 0) return {};
    const auto event = wait.wait(PQsocket(raw), SocketWait::For::Either);
    if (event != SocketWait::Event::Ready) {
      lost_ = true;  // half a statement is on its way
      return event == SocketWait::Event::Stopped
                 ? interrupted("the statement")
                 : Error(ErrorCode::Timeout, fmt::format("{}: the statement could not be sent in time", host_));
    }
    if (PQconsumeInput(raw) == 0) return {};
  }
  return {};
}

// The next part of the answer, null at its end.
Result<Connection::Answer> Connection::next_answer(Reading& reading) {
  auto* raw = connection_.get();
  while (PQisBusy(raw) != 0) {
    const auto event = reading.wait.wait(PQsocket(raw), SocketWait::For::Reading);
    if (event != SocketWait::Event::Ready && reading.ended) {
      lost_ = true;  // asked to end, and it does not
      return *reading.ended;
    }
    if (event != SocketWait::Event::Ready) {
      reading.ended = event == SocketWait::Event::Stopped
                          ? interrupted("the statement")
                          : Error(ErrorCode::Timeout,
                                  fmt::format("{}: no whole answer within {}", host_, seconds_text(reading.deadline)));
      cancel(reading);
      continue;
    }
    if (PQconsumeInput(raw) == 0) break;  // the answer says why
  }
  return Answer(PQgetResult(raw));
}

// By a connection of its own, which libpq opens and waits for; the session's is still there, so this is quick.
void Connection::cancel(Reading& reading) {
  reading.wait.extend(Clock::now() + options_.cancel_grace);
  auto* handle = PQgetCancel(connection_.get());
  if (handle == nullptr) return;
  std::array<char, 256> said{};
  PQcancel(handle, said.data(), said.size());
  PQfreeCancel(handle);
}

Error Connection::gone() const {
  return Error(ErrorCode::Unavailable, fmt::format("{}: the connection ended before the answer was whole", host_));
}

}  // namespace audiencesync::sql
