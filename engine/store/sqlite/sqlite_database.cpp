#include "engine/store/sqlite/sqlite_database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace audiencesync {
namespace {

constexpr int kBusyMilliseconds = 5000;  // a reader waits out a checkpoint, never a whole run

// SQLite gives a database the mode the umask allows, and its -wal and -shm the mode of the database.
// Making the file first is what keeps all three private.
Result<void> make_private_file(const Path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return Error(errno == ENOSPC || errno == EDQUOT ? ErrorCode::NoSpace : ErrorCode::Io,
                 fmt::format("{}: cannot open the state: {}", file.string(), std::strerror(errno)));
  }
  const bool is_private = ::fchmod(descriptor, 0600) == 0;
  const int number = errno;
  ::close(descriptor);
  if (is_private) return {};
  return Error(ErrorCode::Io,
               fmt::format("{}: cannot make the state private: {}", file.string(), std::strerror(number)));
}

}  // namespace

Error corrupt_state(const Path& file, std::string_view what) {
  return Error(
      ErrorCode::Corrupt,
      fmt::format("{}: the state is damaged ({}); restore the file from a backup, or move it away with its -wal "
                  "and -shm: the next apply then observes the platform again, and refuses to go on where it "
                  "finds batches it does not know",
                  file.string(), what));
}

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_->error(code, doing_);
}

std::int64_t SqliteStatement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string SqliteStatement::text(int column) const {
  // The order matters: asking for the text may convert the value, its length counts afterwards.
  const auto* bytes = sqlite3_column_blob(statement_.get(), column);
  const auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string{} : std::string(static_cast<const char*>(bytes), length);
}

bool SqliteStatement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

void SqliteDatabase::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const Path& file, OpenMode mode) {
  std::error_code ignored;
  if (mode == OpenMode::ReadOnly && !std::filesystem::exists(file, ignored)) {
    return Error(ErrorCode::NotFound,
                 fmt::format("{}: there is no state yet; nothing has been applied", file.string()));
  }
  if (mode == OpenMode::ReadWrite) TRY(make_private_file(file));
  sqlite3* connection = nullptr;
  const int access = mode == OpenMode::ReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  const int code = sqlite3_open_v2(file.c_str(), &connection, access | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(file, connection));
  if (code != SQLITE_OK) return database->error(code, "open the state");
  TRY(database->set_up(mode));
  return database;
}

// Write-ahead log, because `status` and `plan` read while a run of another process writes, and because a reader that
// cannot write may still open what a killed writer left behind (a rollback journal would have to be rolled back first).
// With synchronous=FULL the log is synced in every commit, so a commit that returned survives a power cut as well; it
// costs one sync instead of the three of a rollback journal. The price: the state folder must be on a local disk.
Result<void> SqliteDatabase::set_up(OpenMode mode) {
  sqlite3_extended_result_codes(connection_.get(), 1);
  sqlite3_busy_timeout(connection_.get(), kBusyMilliseconds);
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  TRY(run_script("PRAGMA foreign_keys = ON", "set up the state"));
  TRY(run_script("PRAGMA trusted_schema = OFF", "set up the state"));
  if (mode == OpenMode::ReadOnly) return run_script("PRAGMA query_only = ON", "set up the state");
  TRY(run_script("PRAGMA synchronous = FULL", "set up the state"));
  // Overwrites what is deleted: ids of people who left the quarantine do not stay in free pages.
  TRY(run_script("PRAGMA secure_delete = ON", "set up the state"));
  return run_script("PRAGMA journal_mode = WAL", "set up the state");
}

Result<SqliteStatement> SqliteDatabase::query(const char* sql, std::string_view doing,
                                              SqliteParameters parameters) const {
  sqlite3_stmt* raw = nullptr;
  if (const int code = sqlite3_prepare_v2(connection_.get(), sql, -1, &raw, nullptr); code != SQLITE_OK) {
    return error(code, doing);
  }
  SqliteStatement statement(*this, raw, std::string(doing));
  int index = 0;
  for (const auto& parameter : parameters) {
    ++index;
    int code = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&parameter)) {
      code = sqlite3_bind_int64(raw, index, *number);
    } else if (const auto* text = std::get_if<std::string_view>(&parameter)) {
      // An empty view may have no address, which SQLite would take for NULL.
      code = sqlite3_bind_text64(raw, index, text->empty() ? "" : text->data(), text->size(), SQLITE_TRANSIENT,
                                 SQLITE_UTF8);
    } else {
      code = sqlite3_bind_null(raw, index);
    }
    if (code != SQLITE_OK) return error(code, doing);
  }
  return statement;
}

Result<std::int64_t> SqliteDatabase::run(const char* sql, std::string_view doing, SqliteParameters parameters) {
  auto statement = TRY(query(sql, doing, parameters));
  while (TRY(statement.step())) {
  }
  return static_cast<std::int64_t>(sqlite3_changes64(connection_.get()));
}

Result<void> SqliteDatabase::run_script(const char* sql, std::string_view doing) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code, doing);
  return {};
}

Result<std::int64_t> SqliteDatabase::number(const char* sql, std::string_view doing) const {
  auto statement = TRY(query(sql, doing));
  const bool found = TRY(statement.step());
  return found ? statement.integer(0) : 0;
}

std::int64_t SqliteDatabase::last_insert_id() const { return sqlite3_last_insert_rowid(connection_.get()); }

Error SqliteDatabase::error(int code, std::string_view doing) const {
  const int system = connection_ ? sqlite3_system_errno(connection_.get()) : 0;
  const int kind = code & 0xFF;
  if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB) {
    return corrupt_state(file_, fmt::format("cannot {}: {}", doing, sqlite3_errstr(code)));
  }
  // Messages of SQLite name tables and columns, never bound values.
  const std::string why = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
  if (kind == SQLITE_FULL || (kind == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT))) {
    return Error(ErrorCode::NoSpace, fmt::format("{}: cannot {}: the disk is full ({}); free some space and run again",
                                                 file_.string(), doing, why));
  }
  if (kind == SQLITE_BUSY || kind == SQLITE_LOCKED) {
    return Error(ErrorCode::Locked,
                 fmt::format("{}: cannot {}: another process is using the state ({}); run again later", file_.string(),
                             doing, why));
  }
  const auto detail = system != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN)
                          ? fmt::format(" ({})", std::strerror(system))
                          : std::string{};
  return Error(kind == SQLITE_CONSTRAINT || kind == SQLITE_MISUSE ? ErrorCode::Internal : ErrorCode::Io,
               fmt::format("{}: cannot {}: {}{}", file_.string(), doing, why, detail));
}

Result<SqliteTransaction> SqliteTransaction::begin(SqliteDatabase& database, std::string_view doing) {
  // IMMEDIATE takes the write lock now: a transaction never fails half way because it started as a reader.
  TRY(database.run_script("BEGIN IMMEDIATE", doing));
  return SqliteTransaction(database);
}

SqliteTransaction::~SqliteTransaction() {
  if (database_ == nullptr) return;
  // A full disk makes SQLite roll back by itself; that there is nothing left to do is fine.
  static_cast<void>(database_->run_script("ROLLBACK", "roll back"));
}

Result<void> SqliteTransaction::commit(std::string_view doing) {
  TRY(database_->run_script("COMMIT", doing));
  database_ = nullptr;
  return {};
}

}  // namespace audiencesync
