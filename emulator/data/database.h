#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace emulator {

/// What DuckDB said about a statement that it refused.
struct DatabaseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A text literal of SQL, quotes included.
std::string sql_text(std::string_view text);
/// A quoted name of SQL.
std::string sql_name(std::string_view name);

using Cell = std::optional<std::string>;  // as DuckDB prints it; nullopt is NULL
using Row = std::vector<Cell>;

class Database;

/// One session. Used by one thread at a time; several sessions of one database may work at once.
class Connection {
 public:
  explicit Connection(const Database& database);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void run(const std::string& sql);
  /// The whole result in memory: for small ones.
  std::vector<Row> rows(const std::string& sql);
  /// The first cell as a number; 0 when there is none.
  std::uint64_t number(const std::string& sql);
  /// Calls `row` with the first column of each row, which must be text; NULL is skipped. Memory: one chunk.
  void each_text(const std::string& sql, const std::function<void(std::string_view)>& row);

  struct Handle;

 private:
  friend class TextCursor;
  std::unique_ptr<Handle> handle_;
};

/// Reads a one-column text result bit by bit. Owns its session, so that it can outlive the route that made it.
class TextCursor {
 public:
  TextCursor(const Database& database, const std::string& sql);
  ~TextCursor();
  TextCursor(const TextCursor&) = delete;
  TextCursor& operator=(const TextCursor&) = delete;

  /// Calls `row` for up to some thousand rows; false when none is left.
  bool next(const std::function<void(std::string_view)>& row);

 private:
  struct Reading;
  Connection connection_;
  std::unique_ptr<Reading> reading_;
};

/// DuckDB on one file, kept small: a quarter of a gigabyte and two threads, spilling next to the file.
class Database {
 public:
  /// Throws DatabaseError when the file cannot be opened.
  explicit Database(const std::filesystem::path& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  struct Handle;

 private:
  friend class Connection;
  std::unique_ptr<Handle> handle_;
};

}  // namespace emulator
