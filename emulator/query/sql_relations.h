#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emulator/query/sql_type.h"

namespace emulator {

/// What `SNAPSHOT ...` behind a table says: ids, HEAD (before the first) or TAIL (the latest).
struct SqlSnapshot {
  std::optional<std::string> after;  // exclusive; SINCE and the first of BETWEEN
  std::optional<std::string> until;  // inclusive; AS OF and the second of BETWEEN
  bool given() const { return after.has_value() || until.has_value(); }
};

/// A table or view as the engine can read it.
struct SqlRelation {
  std::string sql;  // what stands in FROM: a name, or a query in brackets
  std::vector<SqlColumn> columns;
  std::vector<std::string> datasets;  // whose rows it reads
};

/// What the names in a statement mean. Called while it is translated, from one thread.
class SqlRelations {
 public:
  virtual ~SqlRelations() = default;
  /// nullopt when there is no such table or view. Throws SqlFailure for a snapshot that cannot be read.
  virtual std::optional<SqlRelation> find(const std::string& name, const SqlSnapshot& snapshot) = 0;
  /// The snapshots of a table as a query in brackets; nullopt when there is no such table.
  virtual std::optional<SqlRelation> history(const std::string& name) = 0;
  /// Columns of a query in the engine's SQL. Throws DatabaseError.
  virtual std::vector<SqlColumn> describe(const std::string& query) = 0;
  /// The emulator's time as a text literal, to the microsecond: yyyy-mm-dd hh:mm:ss.ffffff.
  virtual std::string now() const = 0;
};

}  // namespace emulator
