#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "emulator/query/pg_message.h"
#include "emulator/query/pg_server.h"

namespace emulator {

/// The sessions that are there, for cancel requests and for the session limit. Thread-safe.
class PgSessions {
 public:
  struct Ticket {
    std::int32_t process = 0;
    std::int32_t key = 0;
  };
  /// nullopt when there are `most` already, or no more are wanted.
  std::optional<Ticket> add(QuerySession& session, std::uint64_t most);
  void remove(const Ticket& ticket);
  void cancel(const Ticket& ticket);
  /// Ends what runs, now and later.
  void cancel_all();

 private:
  std::mutex mutex_;
  std::map<std::int32_t, std::pair<std::int32_t, QuerySession*>> sessions_;
  std::int32_t last_ = 1000;
  bool closed_ = false;
};

/// Serves one accepted socket until either side closes it. Takes no ownership of it.
class PgConnection {
 public:
  PgConnection(int socket, const PgTerms& terms, PgSessions& sessions);
  ~PgConnection();
  void serve();

 private:
  struct Portal;
  struct Prepared {
    std::string sql;
    std::vector<std::int32_t> types;
  };
  enum class Next { Continue, Close };

  bool start();
  bool admit(const std::map<std::string, std::string>& parameters);
  std::string why_not(const std::map<std::string, std::string>& parameters, const std::string& password,
                      std::string& state) const;
  Next message(char type, PgReader& reader);
  bool still_welcome();

  void simple_query(const std::string& sql);
  void prepare(PgReader& reader);
  void bind(PgReader& reader);
  void describe(PgReader& reader);
  void execute(PgReader& reader);
  void close(PgReader& reader);

  /// Parses and runs one statement, and has it listed among the queries while it runs. Calls `send` with its columns,
  /// and its result; `send` answers whether the result was read to its end.
  struct Listed;
  SqlStatement statement_of(const Prepared& prepared, const std::vector<Cell>& values);
  void send_columns(const std::vector<SqlColumn>& columns);
  /// Up to `most` rows (0 is all); false when some may be left.
  bool send_rows(QueryResult& result, std::uint64_t most);
  void send_complete(const std::string& tag);
  void send_error(const SqlFailure& failure, const std::string& sql, const char* severity = "ERROR");
  void send_ready();
  void send_parameter(const char* name, const std::string& value);

  const PgTerms& terms_;
  PgSessions& sessions_;
  Channel channel_;
  PgWriter out_;
  std::unique_ptr<QuerySession> session_;
  std::optional<PgSessions::Ticket> ticket_;
  std::map<std::string, Prepared> prepared_;
  std::map<std::string, std::unique_ptr<Portal>> portals_;
  std::string client_;  // what the session calls itself
  std::string token_;   // what the session was opened with, when that expires
  bool skipping_ = false;
};

}  // namespace emulator
