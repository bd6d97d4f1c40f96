#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "engine/base/files.h"
#include "engine/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace audiencesync {

enum class OpenMode {
  ReadWrite,  // made and migrated as needed; the caller holds the state lock
  ReadOnly,   // beside a writer of another process
};

/// What a `?` of a statement stands for. Texts are bound by reference: they must outlive the statement's last step.
using SqliteParameter = std::variant<std::nullptr_t, std::int64_t, std::string_view>;
using SqliteParameters = std::initializer_list<SqliteParameter>;

class SqliteDatabase;

/// A prepared statement with its parameters bound. Must not outlive its database.
class SqliteStatement {
 public:
  /// Moves to the next row; false when there is none.
  Result<bool> step();

  // Columns of the current row, counted from 0.
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  SqliteStatement(const SqliteDatabase& database, sqlite3_stmt* statement, std::string doing)
      : database_(&database), statement_(statement), doing_(std::move(doing)) {}

  const SqliteDatabase* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  std::string doing_;
};

/// One connection, set up so that a transaction that returned is on the disk and a kill at any moment leaves the state
/// before or after it (see sqlite_database.cpp for the choice of journal).
///
/// Errors name the file and what was being done, never a bound value: NoSpace, Corrupt, Locked, Io. Not thread-safe.
class SqliteDatabase {
 public:
  /// Errors of ReadOnly: NotFound when there is no file yet.
  static Result<std::unique_ptr<SqliteDatabase>> open(const Path& file, OpenMode mode);
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  const Path& file() const { return file_; }

  /// `doing` completes "cannot ..." in an error.
  Result<SqliteStatement> query(const char* sql, std::string_view doing, SqliteParameters parameters = {}) const;
  /// Runs one statement to its end; how many rows it changed.
  Result<std::int64_t> run(const char* sql, std::string_view doing, SqliteParameters parameters = {});
  /// Runs several statements without parameters.
  Result<void> run_script(const char* sql, std::string_view doing);
  /// One integer out of one row, such as a pragma or a count.
  Result<std::int64_t> number(const char* sql, std::string_view doing) const;
  std::int64_t last_insert_id() const;

  /// The last failure of this connection as an Error.
  Error error(int code, std::string_view doing) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  SqliteDatabase(Path file, sqlite3* connection) : file_(std::move(file)), connection_(connection) {}
  Result<void> set_up(OpenMode mode);

  Path file_;
  std::unique_ptr<sqlite3, Close> connection_;
};

/// What to say about a file that cannot be trusted: the path, what is wrong with it, the way out.
Error corrupt_state(const Path& file, std::string_view what);

/// A write transaction; rolled back when it goes away uncommitted.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> begin(SqliteDatabase& database, std::string_view doing);
  SqliteTransaction(SqliteTransaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();

  /// Durable when this returns.
  Result<void> commit(std::string_view doing);

 private:
  explicit SqliteTransaction(SqliteDatabase& database) : database_(&database) {}
  SqliteDatabase* database_;
};

}  // namespace audiencesync
