#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "emulator/data/lake.h"
#include "emulator/query/sql_engine.h"
#include "emulator/query/sql_relations.h"

namespace emulator {

/// A dataset as Query Service names it.
struct LakeTable {
  std::string dataset;
  std::string table;
  std::string name;
  std::string description;
  std::string schema;     // `$id`
  bool by_query = false;  // made by CREATE TABLE AS
};

/// A state of a table: what was readable once a batch was committed or withdrawn.
struct LakeSnapshot {
  std::string id;
  std::string parent;
  std::int64_t made_ms = 0;
  std::string batch;                 // committed by it; empty when one was only withdrawn
  bool compaction = false;           // the same rows in other files
  std::vector<std::string> batches;  // readable then, oldest first
};

/// What to do about a snapshot that is not known any more.
enum class SnapshotFallback { Refuse, ReadAll };

/// The catalog's datasets as tables, at any of their snapshots. Thread-safe.
///
/// A table has the columns of its schema, whatever its files hold. Snapshots older than two days by the emulator's
/// clock are forgotten, all but the current one.
class LakeTables {
 public:
  LakeTables(Platform& platform, Lake& lake) : platform_(platform), lake_(lake) {}

  /// Of that table name, without case. The adobe/pqs/table tag names it.
  std::optional<LakeTable> find(const std::string& table) const;
  std::vector<LakeTable> all() const;
  /// Oldest first, forgotten ones too.
  std::vector<LakeSnapshot> snapshots(const std::string& dataset) const;

  /// The rows of a table. Throws SqlFailure when the snapshot is unknown or its files are gone.
  SqlRelation read(const LakeTable& table, const SqlSnapshot& snapshot, SnapshotFallback fallback,
                   SqlConnection& connection);
  /// history_meta: the snapshots that are still known.
  SqlRelation history(const LakeTable& table) const;
  /// The columns of a table.
  std::vector<SqlColumn> columns(const LakeTable& table, SqlConnection& connection) const;

 private:
  std::vector<std::string> chosen_batches(const LakeTable& table, const SqlSnapshot& snapshot,
                                          SnapshotFallback fallback) const;
  std::vector<std::string> files_of(const std::string& batch) const;
  const std::vector<SqlColumn>& columns_of(const std::string& batch, const std::vector<std::string>& files,
                                           SqlConnection& connection);

  Platform& platform_;
  Lake& lake_;
  std::mutex mutex_;
  std::map<std::string, std::vector<SqlColumn>> files_columns_;  // by batch; files never change
};

}  // namespace emulator
