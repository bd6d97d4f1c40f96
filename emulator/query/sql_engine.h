#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "emulator/data/database.h"
#include "emulator/query/sql_type.h"

namespace emulator {

/// The DuckDB that runs queries: in memory, apart from the people's, with a memory limit of its own, spilling into
/// `folder`. Knows Spark's hash as spark_hash(value, seed).
class SqlEngine {
 public:
  explicit SqlEngine(const std::filesystem::path& folder);
  ~SqlEngine();
  SqlEngine(const SqlEngine&) = delete;
  SqlEngine& operator=(const SqlEngine&) = delete;

  struct Handle;
  Handle& handle() const { return *handle_; }

 private:
  std::unique_ptr<Handle> handle_;
};

class SqlRows;

/// One session: its temporary tables live as long as it does. Used by one thread at a time, but for `interrupt`.
class SqlConnection {
 public:
  explicit SqlConnection(const SqlEngine& engine);
  ~SqlConnection();
  SqlConnection(const SqlConnection&) = delete;
  SqlConnection& operator=(const SqlConnection&) = delete;

  /// Columns of a query that is not run. Throws DatabaseError.
  std::vector<SqlColumn> describe(const std::string& query);
  /// Rows changed, for statements that change some. Throws DatabaseError.
  std::uint64_t run(const std::string& sql);
  /// Runs a query all of whose columns are text. Throws DatabaseError.
  std::unique_ptr<SqlRows> open(const std::string& query);
  /// Ends what runs, from any thread; it throws DatabaseError. Without effect when nothing runs.
  void interrupt();

  struct Handle;

 private:
  std::unique_ptr<Handle> handle_;
};

/// A result that is read bit by bit. The session does nothing else meanwhile.
class SqlRows {
 public:
  struct Reading;
  explicit SqlRows(std::unique_ptr<Reading> reading);
  ~SqlRows();

  /// The next row; false after the last. The cells stay valid until the next call. Throws DatabaseError.
  bool next(std::vector<Cell>& row);

 private:
  bool next_chunk();
  std::unique_ptr<Reading> reading_;
};

}  // namespace emulator
